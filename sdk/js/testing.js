// How a plugin is tested, by modules in reading order. The types and their
// documentation are in testing.d.ts.

// In memory, in a unit test.
export { Host } from "./testing/host.js";
export { deployment, event } from "./testing/subjects.js";

// As a component, in the real sandbox.
export { runCases, testCases } from "./testing/cases.js";
