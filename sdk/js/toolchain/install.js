// Installs the toolchain's packages into a folder: `node install.js FOLDER`.
// The folder appears when it is complete, so that two builds at once and a
// build that is interrupted leave no half of it.

import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

const folder = resolve(process.argv[2] ?? "");
mkdirSync(dirname(folder), { recursive: true });
const scratch = mkdtempSync(join(dirname(folder), `.${basename(folder)}-`));
try {
  install(scratch);
  move(scratch, folder);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/**
 * What the lock file names, held against its digests, and no package's own
 * scripts. Not `npm ci`, which wants every platform's package to exist.
 */
function install(into) {
  for (const name of ["package.json", "package-lock.json"]) {
    copyFileSync(join(import.meta.dirname, name), join(into, name));
  }
  const npm = spawnSync(
    "npm",
    ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"],
    {
      cwd: into,
      stdio: "inherit",
      shell: process.platform === "win32",
    },
  );
  if (npm.error) throw npm.error;
  if (npm.status !== 0) {
    console.error("npm could not install the toolchain; is the network there?");
    process.exitCode = 1;
  }
}

function move(from, to) {
  if (process.exitCode) return;
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}
