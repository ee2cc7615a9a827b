/**
 * Lines for the deployment's log, under the plugin's name. Control characters
 * are removed; what passes the host's limit is dropped, and that is said once.
 * `console.log` and its siblings write here too.
 *
 * @module
 */

export function debug(message: string): void;
export function info(message: string): void;
export function warn(message: string): void;
export function error(message: string): void;
