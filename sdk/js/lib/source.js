// The files of the commit that is deployed, as far as they are granted.

import { Failure } from "./failure.js";
import { ask } from "./host.js";
import { text } from "./shape.js";
import { decodeStrict } from "./utf8.js";

/**
 * @param {string} path
 * @returns {Uint8Array}
 */
export function read(path) {
  const wanted = text(path, "the path");
  return ask((host) => host.source.read(wanted));
}

/**
 * @param {string} path
 * @returns {string}
 */
export function readText(path) {
  const decoded = decodeStrict(read(path));
  if (decoded === undefined) {
    throw new Failure(
      "invalid",
      `\`${path}\` is not UTF-8 text; save it as UTF-8`,
    );
  }
  return decoded;
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
  const wanted = text(glob, "the glob");
  return ask((host) => host.source.find(wanted));
}
