// {{title}}: asks every web instance of the new version for some pages before
// it is routed.

import {
  candidate,
  check,
  definePlugin,
  Failure,
  http,
  settings,
} from "./shipway-sdk/index.js";

export default definePlugin({
  manifest: {
    name: "{{name}}",
    version: "0.1.0",
    summary: "Asks the new version for some pages before it is routed.",
    settings: [
      {
        name: "paths",
        summary: "What is asked, separated by spaces; / unless set.",
      },
    ],
    // The candidate's own addresses are granted without asking.
  },

  selfTest() {
    const paths = (settings.get("paths") ?? "/").trim().split(/\s+/);
    const web = candidate
      .endpoints()
      .filter((endpoint) => endpoint.process === "web");
    if (web.length === 0) {
      return { checks: [check.skip("web", "there is no web process")] };
    }
    return {
      checks: web.flatMap((endpoint) =>
        paths.map((path) => visit(endpoint, path)),
      ),
    };
  },
});

/**
 * @param {candidate.Endpoint} endpoint
 * @param {string} path
 */
function visit(endpoint, path) {
  const name = `GET ${path}`;
  const started = Date.now();
  try {
    const { status } = http.get(endpoint.join(path), {
      // The app's own domain, as after the switch.
      headers: endpoint.host ? { host: endpoint.host } : {},
    });
    const more = { durationMs: Date.now() - started };
    // Only `fail` fails the deployment.
    if (status >= 500) return check.fail(name, `answered ${status}`, more);
    if (status >= 400) return check.warn(name, `answered ${status}`, more);
    return check.pass(name, `answered ${status}`, more);
  } catch (reason) {
    if (reason instanceof Failure) return check.fail(name, reason.message);
    throw reason;
  }
}
