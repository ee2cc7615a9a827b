// The plugin in memory, without a build: `node --test`.

import assert from "node:assert/strict";
import { test } from "node:test";

import plugin from "./plugin.js";
import { Host } from "./shipway-sdk/testing.js";

const candidate = [{ process: "web", url: "http://10.0.0.2:8000" }];

test("every path of the setting is asked for", () => {
  const settings = { paths: "/ /gone /broken" };
  /** @type {Record<string, number>} */
  const answers = { "/": 200, "/gone": 404, "/broken": 500 };
  const host = new Host(plugin, {
    settings,
    candidate,
    http: ({ url }) => ({ status: answers[new URL(url).pathname] ?? 404 }),
  });
  assert.deepEqual(
    host.selfTest().checks.map((check) => check.outcome),
    ["pass", "warn", "fail"],
  );
});

test("an instance that does not answer fails its check", () => {
  const { checks } = new Host(plugin, { candidate }).selfTest();
  assert.equal(checks[0]?.outcome, "fail");
});
