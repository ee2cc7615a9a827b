// The new instances before they are routed. Only in self-tests.

import { attributesFrom } from "./attributes.js";
import { ask } from "./host.js";
import { Output } from "./output.js";
import { list, text } from "./shape.js";

/** @import { Attributes } from "../index.js" */
/** @import { WireEndpoint } from "./wire.js" */

export class Endpoint {
  /** @type {string} */
  process;
  /** @type {string} */
  url;
  /** @type {string} */
  host;
  /** @type {Attributes} */
  attributes;

  /** @param {WireEndpoint} endpoint */
  constructor(endpoint) {
    this.process = endpoint.process;
    this.url = endpoint.url;
    this.host = endpoint.host;
    this.attributes = attributesFrom(endpoint.attributes);
  }

  /** @param {string} path */
  join(path) {
    return `${this.url.replace(/\/+$/, "")}${path}`;
  }
}

/** @returns {Endpoint[]} */
export function endpoints() {
  return ask((host) => host.candidate.endpoints()).map(
    (endpoint) => new Endpoint(endpoint),
  );
}

/**
 * @param {string} process
 * @param {string[]} argv
 * @returns {Output}
 */
export function exec(process, argv) {
  const type = text(process, "the process type");
  const words = list(argv, "argv", text);
  return new Output(ask((host) => host.candidate.exec(type, words)));
}
