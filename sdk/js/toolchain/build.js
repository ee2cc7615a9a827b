// Makes the component of a project:
// `node build.js --project=DIR --tools=DIR --wit=DIR --world=NAME --roles=ROLE,… --work=DIR`.
//
// Bundles the author's sources and the SDK into one module, `bundle.js` in the
// work folder, and makes `plugin.wasm` beside it.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";

/** Where the plugin may stand in a project; the first that is there. */
const ENTRIES = ["plugin.ts", "plugin.js", "src/plugin.ts", "src/plugin.js"];

const { values: options } = parseArgs({
  options: {
    project: { type: "string", default: "." },
    tools: { type: "string", default: "." },
    wit: { type: "string", default: "wit" },
    world: { type: "string", default: "plugin" },
    roles: { type: "string", default: "" },
    work: { type: "string", default: "build" },
  },
});
const project = resolve(options.project);
const work = resolve(options.work);
const require = createRequire(join(resolve(options.tools), "package.json"));

try {
  await build();
} catch (error) {
  // esbuild has shown its own errors by now.
  if (!error.errors) console.error(error.message);
  process.exitCode = 1;
}

async function build() {
  const bundle = await bundled();
  const { componentize } = require("componentize-qjs");
  const { component } = await componentize({
    witPath: resolve(options.wit),
    world: options.world,
    jsSource: bundle,
    sync: true,
  });
  writeFileSync(join(work, "plugin.wasm"), component);
}

/** One module of the plugin, the SDK and whatever else the plugin imports. */
async function bundled() {
  const result = await require("esbuild").build({
    absWorkingDir: project,
    entryPoints: [join(import.meta.dirname, "component.js")],
    outfile: join(work, "bundle.js"),
    bundle: true,
    format: "esm",
    // The engine knows newer words too; this is what is known of all of it.
    target: "es2023",
    // No name of a platform: libraries then take their plain form.
    platform: "neutral",
    mainFields: ["module", "main"],
    charset: "utf8",
    external: ["shipway:*"],
    plugins: [{ name: "project", setup: giveProject }],
    logLevel: "warning",
  });
  if (result.errors.length > 0) throw result;
  return readFileSync(join(work, "bundle.js"), "utf8");
}

/** Answers the two modules that `component.js` takes from the project. */
function giveProject(esbuild) {
  esbuild.onResolve({ filter: /^shipway-project:plugin$/ }, () => ({
    path: entry(),
  }));
  esbuild.onResolve({ filter: /^shipway-project:roles$/ }, () => ({
    path: "roles",
    namespace: "roles",
  }));
  esbuild.onLoad({ filter: /.*/, namespace: "roles" }, () => ({
    contents: JSON.stringify(options.roles.split(",")),
    loader: "json",
  }));
}

function entry() {
  const found = ENTRIES.map((name) => join(project, name)).find((path) =>
    existsSync(path),
  );
  if (!found)
    throw new Error(
      `there is no plugin in ${project}; it may be ${ENTRIES.join(", ")}`,
    );
  return found;
}
