// Variables of the environment that is deployed, as far as they are granted.

import { ask } from "./host.js";
import { text } from "./shape.js";

/**
 * @param {string} name
 * @returns {string | undefined}
 */
export function get(name) {
  const wanted = text(name, "the variable's name");
  return ask((host) => host.variables.get(wanted)) ?? undefined;
}
