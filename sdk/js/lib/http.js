// HTTP to granted hosts. Redirects are returned, never followed.

import { attributesFrom, pairsOf } from "./attributes.js";
import { Failure } from "./failure.js";
import { ask } from "./host.js";
import { decode, encode } from "./utf8.js";

/** @import { Attributes, http } from "../index.js" */
/** @import { Pairs, WireRequest, WireResponse } from "./wire.js" */

export class Response {
  /** @type {number} */
  status;
  /** @type {[string, string][]} */
  headers;
  /** @type {Uint8Array} */
  body;
  /** @type {Attributes} */
  attributes;

  /** @param {WireResponse} response */
  constructor(response) {
    this.status = response.status;
    this.headers = response.headers;
    this.body = response.body;
    this.attributes = attributesFrom(response.attributes);
  }

  get ok() {
    return this.status >= 200 && this.status < 300;
  }

  /**
   * @param {string} name
   * @returns {string | undefined}
   */
  header(name) {
    const wanted = name.toLowerCase();
    return this.headers.find(([key]) => key.toLowerCase() === wanted)?.[1];
  }

  text() {
    return decode(this.body);
  }

  /** @returns {unknown} */
  json() {
    try {
      return JSON.parse(this.text());
    } catch (cause) {
      const reason = /** @type {Error} */ (cause).message;
      throw new Failure("invalid", `the answer is no JSON: ${reason}`, {
        cause,
      });
    }
  }
}

/**
 * @param {string} url
 * @param {http.Options} [options]
 * @returns {Response}
 */
export function get(url, options) {
  return send({ ...options, method: "GET", url });
}

/**
 * @param {string} url
 * @param {http.Options} [options]
 * @returns {Response}
 */
export function post(url, options) {
  return send({ ...options, method: "POST", url });
}

/**
 * @param {http.Request} request
 * @returns {Response}
 */
export function send(request) {
  const wire = wireOf(request);
  return new Response(ask((host) => host.http.send(wire)));
}

/**
 * @param {http.Request} request
 * @returns {WireRequest}
 */
function wireOf({ method, url, headers, body, json, timeoutMs, attributes }) {
  const pairs = headerPairs(headers);
  if (
    json !== undefined &&
    !pairs.some(([name]) => name.toLowerCase() === "content-type")
  ) {
    pairs.unshift(["content-type", "application/json"]);
  }
  return {
    method: String(method),
    url: String(url),
    headers: pairs,
    body: bytesOf(json === undefined ? body : JSON.stringify(json)),
    timeoutMs: timeoutMs ?? null,
    attributes: pairsOf(attributes),
  };
}

/**
 * @param {http.Headers | undefined} headers
 * @returns {Pairs}
 */
function headerPairs(headers = {}) {
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers);
  return pairs.map(([name, value]) => [String(name), String(value)]);
}

/**
 * @param {string | Uint8Array | undefined} body
 * @returns {Uint8Array}
 */
function bytesOf(body = "") {
  return typeof body === "string" ? encode(body) : body;
}
