import assert from "node:assert/strict";
import { test } from "node:test";

import { argv, check, definePlugin, shell } from "../index.js";
import { checkRoles } from "../lib/plugin.js";

const manifest = { name: "a", version: "1.0.0", summary: "A plugin." };

/**
 * What is said about a plugin that is wrong.
 *
 * @param {any} plugin
 */
function wrong(plugin) {
  try {
    definePlugin(plugin);
    return "";
  } catch (error) {
    return /** @type {Error} */ (error).message;
  }
}

test("a plugin that is wrong is told where", () => {
  const notifier = () => {};
  assert.equal(wrong({ manifest, notifier }), "");
  assert.match(
    wrong({ manifest }),
    /^the plugin has no role; give it one of releaseSource/,
  );
  assert.match(
    wrong({ manifest, notifer: notifier }),
    /^the plugin has no field `notifer`/,
  );
  assert.equal(
    wrong({ manifest, notifier: {} }),
    "`notifier` must be a function",
  );
  assert.equal(
    wrong({ notifier }),
    "manifest must be an object, and is undefined",
  );
  assert.equal(
    wrong({ manifest: { ...manifest, version: 1 }, notifier }),
    "manifest.version must be a string, and is 1",
  );
  const settings = [{ name: "url", sumary: "Typed in a hurry." }];
  assert.match(
    wrong({ manifest: { ...manifest, settings }, notifier }),
    /^manifest.settings\[0\] has no field `sumary`; it has name, summary/,
  );
});

test("the project file and the plugin must name the same roles", () => {
  const plugin = definePlugin({ manifest, notifier() {} });
  checkRoles(plugin, ["notifier"]);
  assert.throws(() => checkRoles(plugin, ["notifier", "self-test"]), {
    message:
      'shipway-plugin.toml names the role "self-test"; give the plugin a function `selfTest`',
  });
  assert.throws(() => checkRoles(plugin, []), {
    message:
      'the plugin has a function `notifier`; add "notifier" to roles in shipway-plugin.toml',
  });
});

test("a command is labelled by itself on one line", () => {
  const script = "if true; then\n  migrate\nfi\n";
  assert.deepEqual(shell(script), {
    label: "if true; then migrate fi",
    run: { shell: script },
  });
  assert.equal(argv(["echo", "a b"]).label, "echo a b");
  assert.equal(shell("migrate", { label: "Migrate" }).label, "Migrate");
});

test("a long label is shortened and the command is not", () => {
  const line = "x".repeat(300);
  const command = shell(line);
  assert.equal(command.label.length, 100);
  assert.equal(command.label.at(-1), "…");
  assert.deepEqual(command.run, { shell: line });
});

test("a check carries what was said of it", () => {
  assert.deepEqual(check.warn("a", "b", { durationMs: 3 }), {
    name: "a",
    outcome: "warn",
    message: "b",
    durationMs: 3,
  });
});
