// The image probe: one bounded command in the image that was built.

import { pairsOf } from "./attributes.js";
import { ask } from "./host.js";
import { Output } from "./output.js";

/**
 * @param {string[]} argv
 * @param {Record<string, string>} [variables]
 * @returns {Output}
 */
export function run(argv, variables = {}) {
  return new Output(
    ask((host) => host.image.run([...argv], pairsOf(variables))),
  );
}
