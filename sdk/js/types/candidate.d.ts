/**
 * The new instances before they are routed. Only in self-tests; elsewhere
 * there are none.
 *
 * @module
 */

import type { Attributes, Output } from "./model.js";

/** One address of the candidate. */
export interface Endpoint {
  /** The process type: `web`, … */
  process: string;
  /** `http://ADDRESS:PORT`, private to the engine's machine. */
  url: string;
  /** The domain to send as `Host`, or empty. */
  host: string;
  attributes: Attributes;
  /** The URL of a path on this endpoint. The path begins with `/`. */
  join(path: string): string;
}

/** Every port of every instance, grouped by process type. */
export function endpoints(): Endpoint[];

/**
 * Runs `argv` inside one instance of this process type, with the app's own
 * environment, for at most 60 s. An exit code other than 0 is no failure.
 *
 * @throws Failure `denied` unless granted; `not-found` when the candidate has
 * no such process type; `timeout`.
 */
export function exec(process: string, argv: string[]): Output;
