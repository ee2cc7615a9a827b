/**
 * Text and bytes. The component has a `TextEncoder` and a `TextDecoder` for
 * libraries; these are faster.
 *
 * @module
 */

/** The bytes of a text. */
export function encode(text: string): Uint8Array;

/** The text of bytes, with U+FFFD for what is not UTF-8. */
export function decode(bytes: Uint8Array): string;

/** The text of bytes, or nothing when they are not UTF-8. */
export function decodeStrict(bytes: Uint8Array): string | undefined;
