// {{title}}: sends one sentence to a chat's webhook when a deployment ended.

import {
  definePlugin,
  Failure,
  http,
  log,
  settings,
} from "./shipway-sdk/index.js";

export default definePlugin({
  manifest: {
    name: "{{name}}",
    version: "0.1.0",
    summary: "Tells a chat how each deployment ended.",
    settings: [
      { name: "url", summary: "The chat's webhook.", required: true },
      {
        name: "token",
        summary: "Sent as a bearer token, if it is set.",
        // The plugin only ever sees a placeholder. The host puts the value in,
        // on the way out, and nowhere but in this header.
        secret: true,
        places: ["header:authorization"],
      },
    ],
    requests: [
      {
        capability: "http",
        targets: ["POST setting:url"],
        reason: "To send the sentence to the webhook.",
      },
    ],
  },

  notifier(event) {
    // Kinds are many and grow: take what you know.
    if (event.kind !== "deployment.ended") return;
    const token = settings.get("token");
    const { status, ok } = http.post(settings.require("url"), {
      headers: token ? { authorization: `Bearer ${token}` } : {},
      // The id stays the same in every retry, so a receiver can drop repeats.
      json: { id: event.id, text: event.summary },
    });
    if (ok) return log.info(`told the webhook about ${event.deployment.app}`);
    // A failure that is retryable asks for another try later.
    throw new Failure("refused", `the webhook answered ${status}`, {
      retryable: status === 429 || status >= 500,
    });
  },
});
