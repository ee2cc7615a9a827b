// Every template as a project: its own unit tests pass.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const sdk = join(import.meta.dirname, "..");
const COPIED = ["package.json", "index.js", "testing.js", "lib", "testing"];

for (const role of readdirSync(join(sdk, "templates"))) {
  test(`the template of a ${role} passes its tests`, () => {
    const project = mkdtempSync(join(tmpdir(), "shipway-js-"));
    try {
      cpSync(join(sdk, "templates", role), project, { recursive: true });
      for (const name of COPIED) {
        cpSync(join(sdk, name), join(project, "shipway-sdk", name), {
          recursive: true,
        });
      }
      const env = { ...process.env };
      // Set by the runner of this test, and read by the one it starts.
      delete env.NODE_TEST_CONTEXT;
      const output = execFileSync(
        process.execPath,
        ["--test", "plugin.test.js"],
        {
          cwd: project,
          env,
          encoding: "utf8",
        },
      );
      assert.match(output, /fail 0/);
    } finally {
      rmSync(project, { recursive: true });
    }
  });
}
