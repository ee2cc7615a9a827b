/**
 * Variables of the environment that is deployed, as far as they are granted by
 * name. One that is secret is never readable.
 *
 * @module
 */

/**
 * The value, if the variable is set.
 *
 * @throws Failure `denied` when it is not granted or is secret.
 */
export function get(name: string): string | undefined;
