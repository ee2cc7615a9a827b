import assert from "node:assert/strict";
import { test } from "node:test";

import { decode, decodeStrict, encode } from "../lib/utf8.js";

const TEXTS = [
  "",
  "plain",
  "é",
  "€",
  "𝄞",
  "\ufeffwith a mark",
  "%41 %",
  "\0\u007f\u0080\u07ff\u0800\uffff",
];

const MALFORMED = [
  [0x80],
  [0xc0, 0xaf],
  [0xc3],
  [0xe0, 0x80, 0x80],
  [0xe2, 0x82],
  [0xed, 0xa0, 0x80],
  [0xf0, 0x80, 0x80, 0x80],
  [0xf0, 0x9d, 0x84],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf5, 0x41],
  [0xff, 0x41, 0xfe],
];

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lossy = new TextDecoder("utf-8", { ignoreBOM: true });

test("text goes to bytes and back as the platform's own coder does it", () => {
  for (const text of [...TEXTS, "long é ".repeat(10_000)]) {
    const bytes = new TextEncoder().encode(text);
    assert.deepEqual(encode(text), bytes);
    assert.equal(decodeStrict(bytes), text);
    assert.equal(decode(bytes), text);
  }
});

test("a lone surrogate becomes the replacement character", () => {
  assert.deepEqual(encode("a\ud800b"), new TextEncoder().encode("a\ud800b"));
});

test("bytes that are no text are told or replaced", () => {
  for (const codes of MALFORMED) {
    const bytes = Uint8Array.from([0x61, ...codes, 0x62]);
    assert.equal(decodeStrict(bytes), undefined);
    assert.equal(decode(bytes), lossy.decode(bytes), codes.join(" "));
  }
});

test("any bytes are decoded as the platform's own decoder does it", () => {
  let state = 1;
  const random = () => (state = (state * 48271) % 0x7fffffff);
  for (let round = 0; round < 5000; round++) {
    const bytes = Uint8Array.from(
      { length: 8 },
      () => 0x60 + (random() % 0xa0),
    );
    assert.equal(decode(bytes), lossy.decode(bytes), bytes.join(" "));
    assert.equal(decodeStrict(bytes), strictly(bytes), bytes.join(" "));
  }
});

/** @param {Uint8Array} bytes */
function strictly(bytes) {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}
