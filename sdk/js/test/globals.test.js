// What the toolchain gives a component for libraries. Here the platform has
// all of it already, so it is taken away first.

import assert from "node:assert/strict";
import { test } from "node:test";

import { definePlugin } from "../index.js";
import { Host } from "../testing.js";

const names = /** @type {const} */ (["TextEncoder", "TextDecoder", "console"]);
const real = names.map(
  (name) => /** @type {const} */ ([name, globalThis[name]]),
);
for (const name of names) Reflect.deleteProperty(globalThis, name);
await import("../toolchain/globals.js");
/** @type {Record<string, any>} */
const given = Object.fromEntries(names.map((name) => [name, globalThis[name]]));
for (const [name, value] of real) Object.assign(globalThis, { [name]: value });

test("text is encoded and decoded", () => {
  const bytes = new given.TextEncoder().encode("\ufeffé");
  assert.equal(new given.TextDecoder().decode(bytes), "é");
  assert.equal(
    new given.TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.buffer),
    "\ufeffé",
  );
  assert.equal(new given.TextDecoder().decode(Uint8Array.of(0xff)), "\ufffd");
  const fatal = new given.TextDecoder("UTF8", { fatal: true });
  assert.throws(() => fatal.decode(Uint8Array.of(0xff)), TypeError);
  assert.throws(() => new given.TextDecoder("latin1"), RangeError);
});

test("the console writes to the deployment's log", () => {
  const manifest = { name: "a", version: "1.0.0", summary: "A plugin." };
  const plugin = definePlugin({
    manifest,
    notifier() {
      given.console.log("a", 1, { b: [2] }, undefined);
      given.console.error(new RangeError("far"));
      const round = {};
      Object.assign(round, { round });
      given.console.warn(round);
    },
  });
  const host = new Host(plugin);
  host.notifier();
  assert.deepEqual(host.log, [
    { level: "info", message: 'a 1 {"b":[2]} undefined' },
    { level: "error", message: "RangeError: far" },
    { level: "warn", message: "[object Object]" },
  ]);
});
