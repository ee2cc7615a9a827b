// What the manifest asks for, taken as granted.

import { Failure } from "../lib/failure.js";
import { matches } from "./globs.js";

/** @import { WireDescription } from "../lib/wire.js" */

export class Grants {
  /** @type {WireDescription} */
  #manifest;

  /** @param {WireDescription} manifest */
  constructor(manifest) {
    this.#manifest = manifest;
  }

  /** @param {string} path */
  readable(path) {
    const never = path
      .split("/")
      .some((name) => /^(|\.|\.\.|\.git|\.env.*)$/.test(name));
    return !never && this.#targets("files").some((glob) => matches(glob, path));
  }

  /** @param {string} path */
  file(path) {
    if (!this.readable(path))
      throw denied(`the manifest does not request the file \`${path}\``);
  }

  /** @param {string} name */
  variable(name) {
    if (this.#targets("variables").includes(name)) return;
    throw denied(`the manifest does not request the variable ${name}`);
  }

  /** @param {"image" | "exec"} capability */
  capability(capability) {
    const asked = this.#manifest.requests.some(
      (request) => request.capability === capability,
    );
    if (!asked) throw denied(`the manifest does not request \`${capability}\``);
  }

  /**
   * @param {string} method
   * @param {string} url
   * @param {(name: string) => string | undefined} setting
   */
  http(method, url, setting) {
    const wanted = originOf(url);
    const asked = this.#targets("http").some((target) => {
      const [, methods, place] =
        /^(?:(\S+)\s+)?(\S+)$/.exec(target.trim()) ?? [];
      if (!place || (methods && !methods.split(",").includes(method)))
        return false;
      const granted = place.startsWith("setting:")
        ? setting(place.slice(8))
        : place;
      return granted !== undefined && originOf(granted) === wanted;
    });
    if (!asked)
      throw denied(`the manifest does not request ${method} ${wanted}`);
  }

  /** @param {string} capability */
  #targets(capability) {
    return this.#manifest.requests
      .filter((request) => request.capability === capability)
      .flatMap((request) => request.targets);
  }
}

/**
 * @param {string} url
 * @returns {string}
 */
export function originOf(url) {
  if (!/^https?:/.test(url) || !URL.canParse(url)) {
    throw new Failure("invalid", `\`${url}\` is no http:// or https:// URL`);
  }
  return new URL(url).origin;
}

/** @param {string} message */
function denied(message) {
  return new Failure("denied", message);
}
