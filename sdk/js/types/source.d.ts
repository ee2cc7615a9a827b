/**
 * The files of the commit that is deployed, as far as they are granted. Paths
 * are relative, with `/`; `.git`, `.env` files and links that leave the tree
 * are never readable.
 *
 * @module
 */

/**
 * The bytes of one file.
 *
 * @throws Failure `not-found`, `denied`, or `too-large` (over 1 MiB).
 */
export function read(path: string): Uint8Array;

/**
 * The text of one file.
 *
 * @throws Failure As `read`, and `invalid` when it is not UTF-8.
 */
export function readText(path: string): string;

/**
 * The text of one file, or nothing when it is not there.
 *
 * @throws Failure As `readText`, but for `not-found`.
 */
export function readTextIfThere(path: string): string | undefined;

/**
 * The paths of the files that match a glob, sorted. `*` and `?` stay within
 * one name, `**` goes through folders.
 *
 * @throws Failure `limit` for more than 1,000 paths, `invalid` for a glob that
 * is none.
 */
export function find(glob: string): string[];
