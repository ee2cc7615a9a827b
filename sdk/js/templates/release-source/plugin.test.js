// The plugin in memory, without a build: `node --test`.

import assert from "node:assert/strict";
import { test } from "node:test";

import plugin from "./plugin.js";
import { Host } from "./shipway-sdk/testing.js";

test("the scripts that begin with release: are run, and no others", () => {
  const scripts = { "release:migrate": "db migrate", start: "node ." };
  const files = { "package.json": JSON.stringify({ scripts }) };
  const { commands } = new Host(plugin, { files }).releaseSource();
  assert.deepEqual(
    commands.map((command) => command.run),
    [{ argv: ["npm", "run", "release:migrate"] }],
  );
});

test("a package.json that is no JSON is told", () => {
  const host = new Host(plugin, { files: { "package.json": "{" } });
  assert.throws(() => host.releaseSource(), { code: "invalid" });
});
