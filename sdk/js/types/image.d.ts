/**
 * The image probe: one bounded command in the image that was built, without
 * network and without the environment's variables.
 *
 * @module
 */

import type { Output } from "./model.js";

/**
 * Runs `argv` in the image's working directory with these variables and no
 * others but the image's own, for at most 60 s. An exit code other than 0 is
 * no failure.
 *
 * @throws Failure `unavailable` when there is no image yet, as in a plan made
 * before the first build; `denied`, `timeout`.
 */
export function run(argv: string[], variables?: Record<string, string>): Output;
