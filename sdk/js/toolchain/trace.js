// The stack of something that a plugin threw, with the places of its author's
// files.

/**
 * What the component does with `mapped`.
 *
 * @param {unknown} thrown
 * @returns {string[]}
 */
export function traceOf(thrown) {
  if (!(thrown instanceof Error) || typeof thrown.stack !== "string") return [];
  // Set by the build, after the bundle itself.
  return mapped(thrown.stack, /** @type {any} */ (globalThis).shipwayPlaces);
}

/**
 * `at NAME (FILE:LINE)` for each call in the author's files, innermost first.
 *
 * @param {string} stack
 * @param {string} places As `placesOf` gives them.
 * @returns {string[]}
 */
export function mapped(stack, places) {
  const lines = places.split("\n");
  return stack.split("\n").flatMap((call) => {
    const [, name, line] =
      /^\s*at (.*) \(.*?:(\d+)(?::\d+)?\)$/.exec(call) ?? [];
    const place = lines[Number(line) - 1];
    return place ? [`at ${name} (${place})`] : [];
  });
}
