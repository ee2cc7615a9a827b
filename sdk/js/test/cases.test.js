// The harness, with a program in the place of `shipway` that prints what it
// is told to.

import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { runCases } from "../testing.js";

/** @type {string} */
let folder;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "shipway-js-"));
});

after(() => {
  delete process.env.SHIPWAY_PROGRAM;
  rmSync(folder, { recursive: true });
});

/** @param {string} script */
function program(script) {
  const path = join(folder, "program");
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  process.env.SHIPWAY_PROGRAM = path;
}

test("cases are run in the project, also those that do not pass", async () => {
  const answer = {
    plugin: {},
    cases: [{ name: "a", passed: false, mismatches: ["b"] }],
  };
  program(`echo "$@" > argv\ncat <<'X'\n${JSON.stringify(answer)}\nX\nexit 1`);
  const results = await runCases({
    project: folder,
    component: "p.wasm",
    cases: ["tests/a.toml"],
  });
  assert.deepEqual(results, answer.cases);
  const { readFileSync } = await import("node:fs");
  const argv = readFileSync(join(folder, "argv"), "utf8");
  assert.equal(argv, "plugin test --json p.wasm tests/a.toml\n");
});

test("a program that cannot run them says why", async () => {
  program("echo 'there is no component' >&2; exit 2");
  await assert.rejects(
    runCases({ project: folder }),
    /ran no case: there is no component$/,
  );
});

test("a program that does not end is ended", async () => {
  program("exec sleep 60");
  await assert.rejects(
    runCases({ project: folder, timeoutMs: 50 }),
    /no answer within 50 ms/,
  );
});

test("a missing program is told with what to do", async () => {
  process.env.SHIPWAY_PROGRAM = join(folder, "nothing");
  await assert.rejects(runCases(), /install shipway, or set SHIPWAY_PROGRAM/);
});
