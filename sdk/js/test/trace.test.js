import assert from "node:assert/strict";
import { test } from "node:test";

import { placesOf } from "../toolchain/places.js";
import { traceOf } from "../toolchain/trace.js";

test("the lines of a bundle get the places of the files that are named", () => {
  const places = placesOf(
    // Line 1 of a.js; a line of nothing; lines 2 of a.js and 1 of b.js in one;
    // line 18 of b.js.
    { sources: ["a.js", "b.js"], mappings: "AAAA;;AACA,CCDA;AAiBA" },
    (source) => (source === "b.js" ? "src/b.js" : undefined),
  );
  assert.deepEqual(places.split("\n"), ["", "", "src/b.js:1", "src/b.js:18"]);
});

test("a stack is told in the author's files", () => {
  Object.assign(globalThis, { shipwayPlaces: "\nplugin.js:7\n\nlib/a.js:1" });
  const error = new Error("a");
  error.stack = [
    "    at inner (bundle.js:4:12)",
    "    at sdk (bundle.js:3:1)",
    "    at <anonymous> (bundle.js:2)",
    "    at native",
  ].join("\n");
  assert.deepEqual(traceOf(error), [
    "at inner (lib/a.js:1)",
    "at <anonymous> (plugin.js:7)",
  ]);
  assert.deepEqual(traceOf("a word"), []);
});
