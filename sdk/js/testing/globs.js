// Globs as the engine reads them: `*` and `?` stay within one name, `**` goes
// through folders.

import { Failure } from "../lib/failure.js";

/**
 * @param {string} glob
 * @param {string} path
 * @returns {boolean}
 */
export function matches(glob, path) {
  if (/[[\]{}\\]/.test(glob)) {
    throw new Failure(
      "invalid",
      `\`${glob}\`: this host knows only *, ? and ** in globs`,
    );
  }
  const pattern = glob.replace(
    /\*\*\/|\*\*|\*|\?|[.+^$()|]/g,
    (word) => PIECES[word] ?? `\\${word}`,
  );
  return new RegExp(`^${pattern}$`, "s").test(path);
}

/** @type {Record<string, string>} */
const PIECES = { "**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]" };
