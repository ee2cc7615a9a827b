// Variables of the environment that is deployed, as far as they are granted.

import { ask } from "./host.js";

/**
 * @param {string} name
 * @returns {string | undefined}
 */
export function get(name) {
  return ask((host) => host.variables.get(name)) ?? undefined;
}
