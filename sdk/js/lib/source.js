// The files of the commit that is deployed, as far as they are granted.

import { Failure } from "./failure.js";
import { ask } from "./host.js";
import { decodeStrict } from "./utf8.js";

/**
 * @param {string} path
 * @returns {Uint8Array}
 */
export function read(path) {
  return ask((host) => host.source.read(path));
}

/**
 * @param {string} path
 * @returns {string}
 */
export function readText(path) {
  const text = decodeStrict(read(path));
  if (text === undefined) {
    throw new Failure(
      "invalid",
      `\`${path}\` is not UTF-8 text; save it as UTF-8`,
    );
  }
  return text;
}

/**
 * @param {string} path
 * @returns {string | undefined}
 */
export function readTextIfThere(path) {
  try {
    return readText(path);
  } catch (reason) {
    if (reason instanceof Failure && reason.code === "not-found")
      return undefined;
    throw reason;
  }
}

/**
 * @param {string} glob
 * @returns {string[]}
 */
export function find(glob) {
  return ask((host) => host.source.find(glob));
}
