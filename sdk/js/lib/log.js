// Lines for the deployment's log, under the plugin's name.

import { ask } from "./host.js";

/** @param {string} message */
export function debug(message) {
  write("debug", message);
}

/** @param {string} message */
export function info(message) {
  write("info", message);
}

/** @param {string} message */
export function warn(message) {
  write("warn", message);
}

/** @param {string} message */
export function error(message) {
  write("error", message);
}

/**
 * @param {string} level
 * @param {string} message
 */
function write(level, message) {
  ask((host) => host.log.write(level, String(message).toWellFormed()));
}
