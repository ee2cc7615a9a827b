// The component's exports, called as the component's bindings call them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { definePlugin, Failure, log, source } from "../index.js";
import { exportsOf } from "../lib/exports.js";
import { connect } from "../lib/host.js";
import { Host } from "../testing.js";
import { deployment } from "../testing/subjects.js";

/** @import { Plugin } from "../index.js" */

const manifest = { name: "a", version: "1.0.0", summary: "A plugin." };
const subject = { ...deployment(), attributes: [] };

/** @param {any} roles */
function plugin(roles) {
  return definePlugin({ manifest, ...roles });
}

/**
 * The failure of a release source.
 *
 * @param {any} releaseSource
 */
function failure(releaseSource) {
  try {
    exportsOf(plugin({ releaseSource }), () => []).commands.collect(subject);
  } catch (record) {
    return /** @type {any} */ (record);
  }
  assert.fail("it did not fail");
}

test("the manifest has every field of the contract", () => {
  const described = exportsOf(
    definePlugin({
      manifest: {
        ...manifest,
        settings: [{ name: "url", summary: "Where." }],
        requests: [{ capability: "image", reason: "To look." }],
      },
      notifier() {},
    }),
    () => [],
  ).manifest.describe();
  assert.deepEqual(described, {
    ...manifest,
    settings: [
      {
        name: "url",
        summary: "Where.",
        required: false,
        secret: false,
        places: [],
        attributes: [],
      },
    ],
    requests: [
      { capability: "image", targets: [], reason: "To look.", attributes: [] },
    ],
    attributes: [],
  });
});

test("commands get what was left out", () => {
  const releaseSource = () => ({
    commands: [
      { label: "a", run: { shell: "x" } },
      {
        label: "b",
        run: { argv: ["y"] },
        phase: "gate",
        entrypoint: "keep",
        timeoutSeconds: 60,
        when: "once",
        undo: { shell: "z" },
        provenance: { file: "f" },
        attributes: { k: "v" },
      },
    ],
    skipped: [{ what: "w", reason: "r" }],
  });
  const nowhere = { file: "", place: "" };
  assert.deepEqual(
    exportsOf(plugin({ releaseSource }), () => []).commands.collect(subject),
    {
      commands: [
        {
          label: "a",
          run: { tag: "shell", val: "x" },
          phase: "release",
          entrypoint: "bypass",
          timeoutSeconds: null,
          when: "always",
          undo: null,
          provenance: nowhere,
          attributes: [],
        },
        {
          label: "b",
          run: { tag: "argv", val: ["y"] },
          phase: "gate",
          entrypoint: "keep",
          timeoutSeconds: 60,
          when: "once",
          undo: { tag: "shell", val: "z" },
          provenance: { file: "f", place: "" },
          attributes: [["k", "v"]],
        },
      ],
      skipped: [
        { what: "w", reason: "r", provenance: nowhere, attributes: [] },
      ],
      warnings: [],
      attributes: [],
    },
  );
});

test("a failure is answered as it was thrown", () => {
  const thrown = new Failure("busy", "Later.", {
    retryable: true,
    attributes: { a: "b" },
  });
  const throwing = () => {
    throw thrown;
  };
  assert.deepEqual(failure(throwing), {
    code: "busy",
    message: "Later.",
    retryable: true,
    attributes: [["a", "b"]],
  });
});

test("anything else that is thrown is `failed`", () => {
  const cases = [
    [
      new TypeError("x is not a function"),
      "the plugin threw TypeError: x is not a function",
    ],
    ["a word", "the plugin threw a word"],
    [undefined, "the plugin threw undefined"],
    [Object.create(null), "the plugin threw something that has no text"],
  ];
  for (const [thrown, message] of cases) {
    const throwing = () => {
      throw thrown;
    };
    assert.deepEqual(failure(throwing), {
      code: "failed",
      message,
      retryable: false,
      attributes: [],
    });
  }
});

test("what a role returns must be of the contract's shape", () => {
  const cases = [
    [
      undefined,
      "what releaseSource returned must be an object, and is undefined",
    ],
    [{ commands: {} }, "commands must be an array, and is an object"],
    [
      { commands: [{ run: { shell: "x" } }] },
      "commands[0].label must be a string, and is undefined",
    ],
    [
      { commands: [{ label: "a", run: {} }] },
      "commands[0].run must have one of shell and argv",
    ],
    [
      { commands: [{ label: "a", run: { argv: [1] } }] },
      "commands[0].run.argv[0] must be a string, and is 1",
    ],
    [
      { commands: [{ label: "a", run: { shell: "x" }, timeoutSeconds: -1 }] },
      "commands[0].timeoutSeconds must be a number from 0 to 4294967295, and is -1",
    ],
    [{ warnings: [null] }, "warnings[0] must be a string, and is null"],
  ];
  for (const [returned, message] of cases) {
    assert.equal(
      failure(() => returned).message,
      `the plugin threw TypeError: ${message}`,
    );
  }
});

test("a promise is refused, since every call is synchronous", () => {
  const { code, message } = failure(async () => ({}));
  assert.equal(code, "failed");
  assert.match(
    message,
    /releaseSource returned a promise; .* leave out async and await/,
  );
});

test("an outcome that does not exist is told", () => {
  const selfTest = () => ({
    checks: [{ name: "a", outcome: "ok", message: "b" }],
  });
  assert.throws(
    () => exportsOf(plugin({ selfTest }), () => []).checks.run(subject),
    {
      message:
        'the plugin threw TypeError: checks[0].outcome must be one of pass, warn, fail, skip, and is "ok"',
    },
  );
});

test("what nobody foresaw is the cause of a failure in a unit test", () => {
  const cause = new RangeError("too far");
  const host = new Host(
    plugin({
      notifier() {
        throw cause;
      },
    }),
  );
  assert.throws(() => host.notifier(), { code: "failed", cause });
});

test("in a component its place is told, and the way there is logged", () => {
  const broken = plugin({
    releaseSource() {
      throw new RangeError("too far");
    },
  });
  const trace = ["at inner (plugin.js:3)", "at releaseSource (plugin.js:9)"];
  /** @type {string[][]} */
  const lines = [];
  const write = (/** @type {string[]} */ ...line) => void lines.push(line);
  const before = connect(/** @type {any} */ ({ log: { write } }));
  try {
    const { commands } = exportsOf(broken, () => trace);
    assert.throws(() => commands.collect(subject), {
      message: "the plugin threw RangeError: too far, at inner (plugin.js:3)",
    });
  } finally {
    connect(before);
  }
  assert.deepEqual(
    lines,
    trace.map((line) => ["debug", line]),
  );
});

test("outside of a call there is no host, and that is said", () => {
  assert.throws(() => source.read("a"), {
    code: "unavailable",
    message: /no host is connected/,
  });
  assert.throws(() => log.info("a"), { code: "unavailable" });
});
