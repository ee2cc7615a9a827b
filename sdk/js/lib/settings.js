// The plugin's settings, as the operator and the environment gave them.

import { Failure } from "./failure.js";
import { ask } from "./host.js";
import { text } from "./shape.js";

/**
 * @param {string} name
 * @returns {string | undefined}
 */
export function get(name) {
  const wanted = text(name, "the setting's name");
  const value = ask((host) => host.settings.get(wanted));
  return value?.trim() ? value : undefined;
}

/**
 * @param {string} name
 * @returns {string}
 */
function required(name) {
  const value = get(name);
  if (value === undefined) throw unfit(name, "is required and not set");
  return value;
}
export { required as require };

/**
 * @param {string} name
 * @returns {number | undefined}
 */
export function number(name) {
  const value = get(name);
  if (value === undefined) return undefined;
  const parsed = Number(value);
  if (Number.isNaN(parsed)) throw unfit(name, `\`${value}\` is no number`);
  return parsed;
}

/**
 * @param {string} name
 * @returns {unknown}
 */
export function json(name) {
  const value = get(name);
  if (value === undefined) return undefined;
  try {
    return JSON.parse(value);
  } catch (cause) {
    throw unfit(name, `is no JSON: ${/** @type {Error} */ (cause).message}`);
  }
}

/**
 * @param {string} name
 * @param {string} fix
 */
function unfit(name, fix) {
  return new Failure("invalid", `setting \`${name}\`: ${fix}`);
}
