// Asks every web instance of the new version for one page.

import {
  candidate,
  type Check,
  check,
  Failure,
  http,
  type Report,
  settings,
} from "../../../sdk/js/index.js";

export function run(): Report {
  const path = settings.get("path") ?? "/";
  const checks = candidate
    .endpoints()
    .filter((endpoint) => endpoint.process === "web")
    .map((endpoint) => visit(endpoint, path));
  if (checks.length > 0) return { checks };
  return { checks: [check.skip("web", "there is no web process")] };
}

function visit(endpoint: candidate.Endpoint, path: string): Check {
  const name = `GET ${path}`;
  const headers: Record<string, string> = endpoint.host
    ? { host: endpoint.host }
    : {};
  try {
    return judge(name, http.get(endpoint.join(path), { headers }));
  } catch (reason) {
    if (reason instanceof Failure) return check.fail(name, reason.code);
    throw reason;
  }
}

function judge(name: string, response: http.Response): Check {
  const answered = `answered ${response.status}`;
  if (response.status < 200 || response.status > 399) {
    return check.fail(name, answered);
  }
  const text = settings.get("text");
  if (text && !response.text().includes(text)) {
    return check.fail(name, `the page does not contain ${text}`);
  }
  return check.pass(name, answered);
}
