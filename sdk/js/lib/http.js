// HTTP to granted hosts. Redirects are returned, never followed.

import { attributesFrom } from "./attributes.js";
import { Failure } from "./failure.js";
import { ask } from "./host.js";
import { object, pairs, text, whole } from "./shape.js";
import { decode, encode } from "./utf8.js";

/** @import { Attributes, http } from "../index.js" */
/** @import { Pairs, WireRequest, WireResponse } from "./wire.js" */

const REQUEST = [
  "method",
  "url",
  "headers",
  "body",
  "json",
  "timeoutMs",
  "attributes",
];

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
function wireOf(request) {
  const given = object(request, "the request", REQUEST);
  const headers = headerPairs(request.headers);
  const json = request.json;
  if (json !== undefined && !headers.some(([name]) => isContentType(name))) {
    headers.unshift(["content-type", "application/json"]);
  }
  const timeout = given.timeoutMs;
  return {
    method: text(given.method, "the method"),
    url: text(given.url, "the url"),
    headers,
    body: bytesOf(json === undefined ? request.body : JSON.stringify(json)),
    timeoutMs: timeout === undefined ? null : whole(timeout, "timeoutMs"),
    attributes: pairs(given.attributes, "attributes"),
  };
}

/** @param {string} name */
function isContentType(name) {
  return name.toLowerCase() === "content-type";
}

/**
 * @param {http.Headers | undefined} headers
 * @returns {Pairs}
 */
function headerPairs(headers = {}) {
  if (!Array.isArray(headers)) return pairs(headers, "headers");
  return headers.map(([name, value], index) => [
    text(name, `headers[${index}][0]`),
    text(value, `headers[${index}][1]`),
  ]);
}

/**
 * @param {string | Uint8Array | undefined} body
 * @returns {Uint8Array}
 */
function bytesOf(body = "") {
  if (typeof body === "string") return encode(body);
  if (body instanceof Uint8Array) return body;
  throw new TypeError("the body must be a string or a Uint8Array");
}
