// The checks of a self-test.

/** @import { Attributes, Check, Outcome } from "../index.js" */

/** @param {Outcome} outcome */
function maker(outcome) {
  /**
   * @param {string} name
   * @param {string} message
   * @param {{ durationMs?: number, attributes?: Attributes }} [more]
   * @returns {Check}
   */
  return (name, message, more = {}) => ({ ...more, name, outcome, message });
}

export const check = Object.freeze({
  pass: maker("pass"),
  warn: maker("warn"),
  fail: maker("fail"),
  skip: maker("skip"),
});
