// Makes the component of a project:
// `node build.js --project=DIR --tools=DIR --wit=DIR --world=NAME --roles=ROLE,… --work=DIR`.
//
// Bundles the author's sources and the SDK into one module, `bundle.js` in the
// work folder, and makes `plugin.wasm` beside it.

import { existsSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, relative, resolve, sep } from "node:path";
import { parseArgs } from "node:util";

import { placesOf } from "./places.js";
import { mapped } from "./trace.js";

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
  const { bundle, places } = await bundled();
  writeFileSync(join(work, "bundle.js"), bundle);
  const { componentize } = require("componentize-qjs");
  const made = await componentize({
    witPath: resolve(options.wit),
    world: options.world,
    jsSource: bundle,
    sync: true,
  }).catch((error) => {
    throw new Error(explained(error.message, places));
  });
  writeFileSync(join(work, "plugin.wasm"), made.component);
}

/** What the plugin's modules threw when they were loaded, for their author. */
function explained(message, places) {
  const [, thrown] = /module evaluation: (.*)/.exec(message) ?? [];
  if (thrown === undefined) return message;
  const trace = mapped(message, places).map((call) => `    ${call}`);
  return [`the plugin cannot be loaded: ${thrown}`, ...trace].join("\n");
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
    sourcemap: "external",
    write: false,
  });
  const [map, bundle] = ["bundle.js.map", "bundle.js"].map(
    (name) =>
      result.outputFiles.find(({ path }) => basename(path) === name).text,
  );
  const places = placesOf(JSON.parse(map), nameOf);
  const told = `globalThis.shipwayPlaces = ${JSON.stringify(places)};`;
  return { bundle: `${bundle}\n${told}\n`, places };
}

/** The path in the project of a source, which stands relative to the bundle. */
function nameOf(source) {
  const path = resolve(work, source);
  const name = relative(project, path);
  const ours = path.startsWith(join(import.meta.dirname, "..") + sep);
  return ours || name.startsWith("..") ? undefined : name;
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
