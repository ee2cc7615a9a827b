// Name and value pairs: a plain object for authors, pairs in the contract.

/** @import { Attributes } from "../index.js" */

/**
 * @param {[string, string][]} pairs
 * @returns {Attributes}
 */
export function attributesFrom(pairs) {
  return Object.fromEntries(pairs);
}

/**
 * @param {Attributes | undefined} attributes
 * @returns {[string, string][]}
 */
export function pairsOf(attributes) {
  return Object.entries(attributes ?? {}).map(([name, value]) => [
    name.toWellFormed(),
    String(value).toWellFormed(),
  ]);
}
