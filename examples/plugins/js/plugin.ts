// The example of the author's guide: a plugin of all three roles.

import { definePlugin } from "../../../sdk/js/index.js";
import { deliver } from "./notifier.js";
import { collect } from "./release-source.js";
import { run } from "./self-test.js";

export default definePlugin({
  manifest: {
    name: "example",
    version: "1.0.0",
    summary: "The example of the author's guide, in every language.",
    settings: [
      {
        name: "file",
        summary: "Where the release commands stand; Releasefile unless set.",
      },
      { name: "url", summary: "Where endings are sent." },
      {
        name: "token",
        summary: "Sent as a bearer token.",
        secret: true,
        places: ["header:authorization"],
      },
      {
        name: "path",
        summary: "What is asked of the new version; / unless set.",
      },
      { name: "text", summary: "What the page must contain." },
    ],
    requests: [
      {
        capability: "files",
        targets: ["Releasefile", "Releasefile.d/*"],
        reason: "The release commands stand in these files.",
      },
      {
        capability: "http",
        targets: ["POST setting:url"],
        reason: "Endings are sent to this address.",
      },
    ],
  },
  releaseSource: collect,
  notifier: deliver,
  selfTest: run,
});
