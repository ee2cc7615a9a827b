// {{title}}: runs the npm scripts of package.json whose names begin with
// `release:`, in the order in which they stand there.

import { argv, definePlugin, Failure, source } from "./shipway-sdk/index.js";

const FILE = "package.json";

export default definePlugin({
  manifest: {
    name: "{{name}}",
    version: "0.1.0",
    summary: "Runs the npm scripts whose names begin with `release:`.",
    requests: [
      {
        capability: "files",
        targets: [FILE],
        reason: "The scripts stand in this file.",
      },
    ],
  },

  releaseSource() {
    const text = source.readTextIfThere(FILE);
    // No command at all is a good answer.
    if (text === undefined) return {};
    const names = Object.keys(scripts(text));
    return {
      commands: names
        .filter((name) => name.startsWith("release:"))
        .map((name) =>
          argv(["npm", "run", name], {
            provenance: { file: FILE, place: `scripts["${name}"]` },
          }),
        ),
    };
  },
});

/** @param {string} text */
function scripts(text) {
  try {
    return JSON.parse(text).scripts ?? {};
  } catch (cause) {
    // A sentence that helps whoever reads the deployment's log.
    throw new Failure("invalid", `${FILE} is no JSON: ${cause}`);
  }
}
