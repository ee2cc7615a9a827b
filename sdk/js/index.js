// Write Shipway plugins in JavaScript or TypeScript. The types and their
// documentation are in index.d.ts; modules in reading order.

// What a plugin is, and how it says that something could not be done.
export { definePlugin } from "./lib/plugin.js";
export { Failure } from "./lib/failure.js";

// What its roles answer with.
export { argv, shell } from "./lib/command.js";
export { check } from "./lib/check.js";

// What it may ask the host.
export * as candidate from "./lib/candidate.js";
export * as http from "./lib/http.js";
export * as image from "./lib/image.js";
export * as log from "./lib/log.js";
export * as settings from "./lib/settings.js";
export * as source from "./lib/source.js";
export * as variables from "./lib/variables.js";

// Text and bytes: the component has no TextEncoder of its own.
export * as utf8 from "./lib/utf8.js";
