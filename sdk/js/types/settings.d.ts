/**
 * The plugin's settings, as the operator and the environment gave them.
 *
 * @module
 */

/**
 * The value of a setting, if it has one that is not blank. A secret comes as a
 * placeholder.
 */
export function get(name: string): string | undefined;

/**
 * The value of a setting that the plugin cannot do without.
 *
 * @throws Failure `invalid` when it is not set.
 */
declare function required(name: string): string;
export { required as require };

/**
 * The value of a setting that is a number.
 *
 * @throws Failure `invalid` when it is none.
 */
export function number(name: string): number | undefined;

/**
 * The value of a setting that is JSON.
 *
 * @throws Failure `invalid` when it is none.
 */
export function json(name: string): unknown;
