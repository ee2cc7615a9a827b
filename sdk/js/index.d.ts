/**
 * Write Shipway plugins in JavaScript or TypeScript.
 *
 * ```js
 * import { definePlugin, shell, source } from "./shipway-sdk/index.js";
 *
 * export default definePlugin({
 *   manifest: {
 *     name: "makefile",
 *     version: "1.0.0",
 *     summary: "Runs the target `release` of the Makefile.",
 *     requests: [
 *       {
 *         capability: "files",
 *         targets: ["Makefile"],
 *         reason: "To see whether it has a target `release`.",
 *       },
 *     ],
 *   },
 *   releaseSource() {
 *     const text = source.readTextIfThere("Makefile") ?? "";
 *     const found = text.split("\n").some((line) => line.startsWith("release:"));
 *     return { commands: found ? [shell("make release")] : [] };
 *   },
 * });
 * ```
 *
 * A plugin never sees a secret, never reaches a file, a host or an image that
 * it did not ask for in its manifest, and keeps nothing between two calls.
 * Every call is synchronous.
 *
 * @module
 */

// What a plugin is, and how it says that something could not be done.
export * from "./types/plugin.js";
export * from "./types/manifest.js";
export * from "./types/model.js";

// Its roles.
export * from "./types/release.js";
export * from "./types/notify.js";
export * from "./types/self-test.js";

// What it may ask the host.
export * as candidate from "./types/candidate.js";
export * as http from "./types/http.js";
export * as image from "./types/image.js";
export * as log from "./types/log.js";
export * as settings from "./types/settings.js";
export * as source from "./types/source.js";
export * as variables from "./types/variables.js";

// Text and bytes.
export * as utf8 from "./types/utf8.js";
