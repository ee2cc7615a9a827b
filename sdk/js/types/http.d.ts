/**
 * HTTP to granted hosts. In a self-test the candidate's endpoints are granted
 * without asking. Redirects are returned, never followed.
 *
 * @module
 */

import type { Attributes } from "./model.js";

/** Names and values, or pairs where a name comes twice. */
export type Headers = Record<string, string> | [string, string][];

export interface Options {
  headers?: Headers;
  /** At most 1 MiB. */
  body?: string | Uint8Array;
  /**
   * A value to send as JSON instead of `body`. Sets the header `content-type`
   * unless there is one.
   */
  json?: unknown;
  /** 10,000 unless set; at most 60,000. */
  timeoutMs?: number;
  attributes?: Attributes;
}

export interface Request extends Options {
  method: string;
  url: string;
}

export interface Response {
  status: number;
  headers: [string, string][];
  /** At most 1 MiB. */
  body: Uint8Array;
  attributes: Attributes;
  /** Whether the status is 200 to 299. */
  readonly ok: boolean;
  /** The first value of a header, whose name is compared without case. */
  header(name: string): string | undefined;
  /** The body as text, with U+FFFD for what is not UTF-8. */
  text(): string;
  /**
   * The body as JSON.
   *
   * @throws Failure `invalid` when it is none.
   */
  json(): unknown;
}

/**
 * Sends a request and gives the whole answer. Any status is an answer.
 *
 * @throws Failure `denied` (not granted), `timeout`, `unavailable` (no
 * connection), `too-large` (a body over 1 MiB), `limit`, `invalid`.
 */
export function send(request: Request): Response;

/** Sends a `GET`; otherwise as `send`. */
export function get(url: string, options?: Options): Response;

/** Sends a `POST`; otherwise as `send`. */
export function post(url: string, options?: Options): Response;
