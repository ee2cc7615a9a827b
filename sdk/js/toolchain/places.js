// Where each line of the bundle came from, so that what a plugin throws is
// told with a place in its author's files. Used while building.

const DIGITS =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * One `FILE:LINE` for each line of the bundle, joined by newlines; empty for
 * lines that are of no interest.
 *
 * @param {{ sources: string[], mappings: string }} map A source map.
 * @param {(source: string) => string | undefined} nameOf The name that people
 * read for a source, or nothing when it is of no interest.
 * @returns {string}
 */
export function placesOf({ sources, mappings }, nameOf) {
  const names = sources.map(nameOf);
  let source = 0;
  let line = 0;
  const places = mappings.split(";").map((segments) => {
    let place = "";
    for (const segment of segments.split(",").filter(Boolean)) {
      const [, sourceStep = 0, lineStep = 0] = numbers(segment);
      source += sourceStep;
      line += lineStep;
      if (place === "" && names[source] !== undefined)
        place = `${names[source]}:${line + 1}`;
    }
    return place;
  });
  return places.join("\n");
}

/**
 * The numbers of a segment, each the difference to the one before: five bits
 * a digit, the sixth says that more follow, the lowest is the sign.
 *
 * @param {string} segment
 */
function numbers(segment) {
  const found = [];
  let value = 0;
  let shift = 0;
  for (const digit of segment) {
    const bits = DIGITS.indexOf(digit);
    value |= (bits & 31) << shift;
    shift += 5;
    if (bits & 32) continue;
    found.push(value & 1 ? -(value >> 1) : value >> 1);
    value = 0;
    shift = 0;
  }
  return found;
}
