// The image probe: one bounded command in the image that was built.

import { ask } from "./host.js";
import { Output } from "./output.js";
import { list, pairs, text } from "./shape.js";

/**
 * @param {string[]} argv
 * @param {Record<string, string>} [variables]
 * @returns {Output}
 */
export function run(argv, variables = {}) {
  const words = list(argv, "argv", text);
  const given = pairs(variables, "variables");
  return new Output(ask((host) => host.image.run(words, given)));
}
