// What libraries expect of a JavaScript engine and this one leaves out.
// Loaded before the plugin.

import * as log from "../lib/log.js";
import { decode, decodeStrict, encode } from "../lib/utf8.js";

class TextEncoder {
  encoding = "utf-8";

  encode(text = "") {
    return encode(String(text));
  }
}

class TextDecoder {
  encoding = "utf-8";

  constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
    if (!/^\s*utf-?8\s*$/i.test(label))
      throw new RangeError(`there is no decoder for ${label}`);
    this.fatal = fatal;
    this.ignoreBOM = ignoreBOM;
  }

  decode(input = new Uint8Array()) {
    const bytes = ArrayBuffer.isView(input)
      ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
      : new Uint8Array(input);
    const text = this.fatal ? decodeStrict(bytes) : decode(bytes);
    if (text === undefined) throw new TypeError("the bytes are not UTF-8");
    return this.ignoreBOM ? text : text.replace(/^\ufeff/, "");
  }
}

/** @param {unknown[]} values */
function line(values) {
  return values
    .map((value) => (typeof value === "string" ? value : shown(value)))
    .join(" ");
}

/** @param {unknown} value */
function shown(value) {
  if (value instanceof Error) return String(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

/**
 * @param {(message: string) => void} write
 * @returns {(...values: unknown[]) => void}
 */
function writer(write) {
  return (...values) => write(line(values));
}

const console = {
  debug: writer(log.debug),
  error: writer(log.error),
  info: writer(log.info),
  log: writer(log.info),
  trace: writer(log.debug),
  warn: writer(log.warn),
};

for (const [name, value] of Object.entries({
  TextEncoder,
  TextDecoder,
  console,
})) {
  /** @type {any} */ (globalThis)[name] ??= value;
}
