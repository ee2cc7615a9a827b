// UTF-8, which the component's engine does not bring along.

/** Characters per call of `String.fromCharCode`, whose arguments are limited. */
const CHUNK = 8192;
const REPLACEMENT = 0xfffd;

/**
 * @param {string} text
 * @returns {Uint8Array}
 */
export function encode(text) {
  // The engine's own percent-encoder is native code, a loop here is not.
  const binary = unescape(encodeURIComponent(text.toWellFormed()));
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/**
 * The text of bytes, with U+FFFD for what is not UTF-8.
 *
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function decode(bytes) {
  return decodeStrict(bytes) ?? decodeLossily(bytes);
}

/**
 * The text of bytes, or nothing when they are not UTF-8.
 *
 * @param {Uint8Array} bytes
 * @returns {string | undefined}
 */
export function decodeStrict(bytes) {
  try {
    return decodeURIComponent(escape(characters(bytes)));
  } catch {
    return undefined;
  }
}

/**
 * One character for each number.
 *
 * @param {Uint8Array | number[]} codes
 */
function characters(codes) {
  let text = "";
  for (let at = 0; at < codes.length; at += CHUNK) {
    const chunk = codes.slice(at, at + CHUNK);
    text += String.fromCharCode.apply(null, /** @type {number[]} */ (chunk));
  }
  return text;
}

/**
 * As the Unicode standard recommends and browsers do: one U+FFFD for each
 * longest start of a sequence that could have been one.
 *
 * @param {Uint8Array} bytes
 */
function decodeLossily(bytes) {
  /** @type {number[]} */
  const codes = [];
  for (let at = 0; at < bytes.length;) {
    const { point, length } = next(bytes, at);
    at += length;
    if (point > 0xffff) {
      codes.push(0xd7c0 + (point >> 10), 0xdc00 + (point & 0x3ff));
    } else {
      codes.push(point);
    }
  }
  return characters(codes);
}

/**
 * The code point at a place, and how many bytes it took.
 *
 * @param {Uint8Array} bytes
 * @param {number} at
 */
function next(bytes, at) {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return { point: first, length: 1 };
  const following =
    first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
  if (following === 0) return { point: REPLACEMENT, length: 1 };
  let point = first & (0x3f >> following);
  for (let step = 1; step <= following; step++) {
    const byte = bytes[at + step] ?? 0;
    const [low, high] = step === 1 ? secondByte(first) : [0x80, 0xbf];
    if (byte < low || byte > high) return { point: REPLACEMENT, length: step };
    point = (point << 6) | (byte & 0x3f);
  }
  return { point, length: following + 1 };
}

/**
 * What may follow a first byte; the exceptions rule out long forms,
 * surrogates, and what is beyond Unicode.
 *
 * @param {number} first
 * @returns {[number, number]}
 */
function secondByte(first) {
  if (first === 0xe0) return [0xa0, 0xbf];
  if (first === 0xed) return [0x80, 0x9f];
  if (first === 0xf0) return [0x90, 0xbf];
  if (first === 0xf4) return [0x80, 0x8f];
  return [0x80, 0xbf];
}
