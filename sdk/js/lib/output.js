// What a command that the host ran for the plugin left.

import { attributesFrom } from "./attributes.js";
import { decode } from "./utf8.js";

/** @import { Attributes } from "../index.js" */
/** @import { WireOutput } from "./wire.js" */

export class Output {
  /** @type {number} */
  exitCode;
  /** @type {Uint8Array} */
  stdout;
  /** @type {Uint8Array} */
  stderr;
  /** @type {boolean} */
  truncated;
  /** @type {Attributes} */
  attributes;

  /** @param {WireOutput} output */
  constructor(output) {
    this.exitCode = output.exitCode;
    this.stdout = output.stdout;
    this.stderr = output.stderr;
    this.truncated = output.truncated;
    this.attributes = attributesFrom(output.attributes);
  }

  get ok() {
    return this.exitCode === 0;
  }

  get stdoutText() {
    return decode(this.stdout);
  }

  get stderrText() {
    return decode(this.stderr);
  }
}
