// The commands of a release source.

/** @import { Command, CommandOptions, Invocation } from "../index.js" */

/** The longest label that is made from a command, in characters. */
const LABEL_CHARACTERS = 100;

/**
 * @param {string} line
 * @param {CommandOptions} [options]
 * @returns {Command}
 */
export function shell(line, options = {}) {
  return {
    ...options,
    label: options.label ?? readable(line.split(/\s+/)),
    run: { shell: line },
  };
}

/**
 * @param {string[]} words
 * @param {CommandOptions} [options]
 * @returns {Command}
 */
export function argv(words, options = {}) {
  return {
    ...options,
    label: options.label ?? readable(words),
    run: { argv: [...words] },
  };
}

/**
 * The command on one line, shortened where it is long.
 *
 * @param {string[]} words
 */
function readable(words) {
  const line = [...words.join(" ").trim()];
  if (line.length <= LABEL_CHARACTERS) return line.join("");
  return `${line.slice(0, LABEL_CHARACTERS - 1).join("")}…`;
}
