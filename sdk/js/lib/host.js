// The host's functions: the component's imports, or in a unit test the host of
// `testing.js`. Whoever starts the plugin connects one.

import { Failure, failureOf } from "./failure.js";

/** @import { Imports } from "./wire.js" */

/** @type {Imports | undefined} */
let connected;

/**
 * Connects a host and gives back the one that was connected before.
 *
 * @param {Imports | undefined} imports
 * @returns {Imports | undefined}
 */
export function connect(imports) {
  const before = connected;
  connected = imports;
  return before;
}

/**
 * Asks the host. What it refuses is thrown as a `Failure`.
 *
 * @template T
 * @param {(imports: Imports) => T} question
 * @returns {T}
 */
export function ask(question) {
  if (!connected) {
    throw new Failure(
      "unavailable",
      "no host is connected; in a unit test call the plugin through `Host` of testing.js, " +
        "and do not ask the host while the plugin's module is loaded",
    );
  }
  try {
    return question(connected);
  } catch (thrown) {
    throw failureOf(thrown) ?? thrown;
  }
}
