// How a plugin, and the host, say that something could not be done.

import { attributesFrom, pairsOf } from "./attributes.js";

/** @import { Attributes } from "../index.js" */
/** @import { WireFailure } from "./wire.js" */

export class Failure extends Error {
  /** @type {string} */
  code;
  /** @type {boolean} */
  retryable;
  /** @type {Attributes} */
  attributes;

  /**
   * @param {string} code
   * @param {string} message
   * @param {{ retryable?: boolean, attributes?: Attributes, cause?: unknown }} [more]
   */
  constructor(code, message, more = {}) {
    super(message, "cause" in more ? { cause: more.cause } : undefined);
    this.name = "Failure";
    this.code = code;
    this.retryable = more.retryable ?? false;
    this.attributes = more.attributes ?? {};
  }
}

/**
 * The failure in what a host call threw, or nothing when it threw something
 * else. Toolchains put the contract's record into `payload`.
 *
 * @param {unknown} thrown
 * @returns {Failure | undefined}
 */
export function failureOf(thrown) {
  const record = /** @type {{ payload?: Partial<WireFailure> } | undefined} */ (
    thrown
  )?.payload;
  if (typeof record?.code !== "string") return undefined;
  return new Failure(record.code, record.message ?? "", {
    retryable: record.retryable ?? false,
    attributes: attributesFrom(record.attributes ?? []),
  });
}

/**
 * The contract's record of whatever a role threw. What is no `Failure` was
 * not foreseen by the plugin's author and is `failed`.
 *
 * @param {unknown} thrown
 * @returns {WireFailure}
 */
export function recordOf(thrown) {
  if (thrown instanceof Failure) {
    return {
      code: String(thrown.code).toWellFormed(),
      message: String(thrown.message).toWellFormed(),
      retryable: Boolean(thrown.retryable),
      attributes: pairsOf(thrown.attributes),
    };
  }
  return {
    code: "failed",
    message: sentenceOf(thrown),
    retryable: false,
    attributes: [],
  };
}

/** @param {unknown} thrown */
function sentenceOf(thrown) {
  try {
    return `the plugin threw ${String(thrown)}`.toWellFormed();
  } catch {
    return "the plugin threw something that has no text";
  }
}
