// Cases in the production sandbox, through `shipway plugin test --json`.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";

/** @import { CaseOptions, CaseResult } from "../testing.js" */

/** The largest answer that is read, since every host call is in it. */
const ANSWER_BYTES = 64 * 1024 * 1024;

/**
 * @param {CaseOptions} [options]
 * @returns {Promise<CaseResult[]>}
 */
export async function runCases(options = {}) {
  const { project = ".", component, cases = [], timeoutMs = 120_000 } = options;
  const program = process.env.SHIPWAY_PROGRAM || "shipway";
  const argv = [
    "plugin",
    "test",
    "--json",
    ...(component ? [component] : []),
    ...cases,
  ];
  const { stdout, stderr, error } = await run(
    program,
    argv,
    project,
    timeoutMs,
  );
  const answer = parsed(stdout);
  if (answer) return answer.cases;
  if (error?.code === "ENOENT") {
    throw new Error(
      `there is no program \`${program}\` (or no folder ${project}); install shipway, or set SHIPWAY_PROGRAM`,
    );
  }
  const reason = error?.killed
    ? `no answer within ${timeoutMs} ms`
    : stderr.trim();
  throw new Error(`\`${program} ${argv.join(" ")}\` ran no case: ${reason}`);
}

/**
 * @param {CaseOptions} [options]
 * @returns {Promise<void>}
 */
export async function testCases(options = {}) {
  for (const result of await runCases(options)) {
    test(`${result.role}: ${result.name}`, () => {
      assert.ok(result.passed, explained(result));
    });
  }
}

/**
 * @param {string} program
 * @param {string[]} argv
 * @param {string} cwd
 * @param {number} timeout
 * @returns {Promise<{ stdout: string, stderr: string, error: import("node:child_process").ExecFileException | null }>}
 */
function run(program, argv, cwd, timeout) {
  return new Promise((resolve) => {
    execFile(
      program,
      argv,
      { cwd, timeout, maxBuffer: ANSWER_BYTES },
      (error, stdout, stderr) => {
        resolve({ stdout, stderr, error });
      },
    );
  });
}

/**
 * What it printed, also when a case did not pass and it says so by its exit
 * code.
 *
 * @param {string} stdout
 * @returns {{ cases: CaseResult[] } | undefined}
 */
function parsed(stdout) {
  try {
    const answer = JSON.parse(stdout);
    return Array.isArray(answer.cases) ? answer : undefined;
  } catch {
    return undefined;
  }
}

/** @param {CaseResult} result */
function explained({ mismatches, error, failure, log }) {
  const lines = [...mismatches];
  if (error) lines.push(`${error.kind}: ${error.message}`);
  if (failure) lines.push(`it answered ${failure.code}: ${failure.message}`);
  lines.push(...log.map((line) => `log: ${line.message}`));
  return lines.join("\n");
}
