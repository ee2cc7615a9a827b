// Secrets, which reach the plugin as placeholders and are put in on the way
// out, at the places that the manifest names.

import { Failure } from "../lib/failure.js";
import { decode } from "../lib/utf8.js";

/** @import { SentRequest } from "../testing.js" */
/** @import { WireDescription, WireRequest } from "../lib/wire.js" */

export class Secrets {
  /** @type {{ placeholder: string, value: string, places: string[] }[]} */
  #secrets;

  /**
   * @param {WireDescription} manifest
   * @param {Record<string, string>} values
   */
  constructor(manifest, values) {
    this.#secrets = Object.entries(values).map(([name, value]) => {
      const setting = manifest.settings.find(
        (setting) => setting.name === name,
      );
      if (!setting?.secret)
        throw new TypeError(`the manifest has no secret setting \`${name}\``);
      return {
        placeholder: placeholderOf(name),
        value,
        places: setting.places,
      };
    });
  }

  /**
   * The request as it leaves.
   *
   * @param {WireRequest} request
   * @returns {SentRequest}
   */
  putIn(request) {
    /** @type {Record<string, string>} */
    const headers = {};
    for (const [name, value] of request.headers) {
      const key = name.toLowerCase();
      const text = this.#fill(value, [`header:${key}`]);
      headers[key] = key in headers ? `${headers[key]}, ${text}` : text;
    }
    const [path = "", ...query] = request.url.split("?");
    const url = [
      this.#fill(path, ["path", "url"]),
      ...query.map((part) => this.#fill(part, ["query", "url"])),
    ];
    const body = this.#fill(decode(request.body), ["body"]);
    return { method: request.method, url: url.join("?"), headers, body };
  }

  /**
   * @param {string} text
   * @param {string[]} places
   */
  #fill(text, places) {
    return this.#secrets.reduce((filled, secret) => {
      if (!filled.includes(secret.placeholder)) return filled;
      const granted = secret.places.map((place) => place.toLowerCase());
      if (!places.some((place) => granted.includes(place))) {
        throw new Failure(
          "denied",
          `a secret may not stand in ${places[0]}; name it in its places`,
        );
      }
      return filled.replaceAll(secret.placeholder, () => secret.value);
    }, text);
  }
}

/** @param {string} name */
export function placeholderOf(name) {
  return `secret:${name}`;
}
