// Checks what an author's code hands over, since a wrong type would end the
// component instead of telling what is wrong. Each function says the place.

/** The largest number of a `u32` of the contract. */
const LARGEST = 2 ** 32 - 1;

/**
 * An object with these fields and no others, so that a misspelt one is found.
 *
 * @param {unknown} value
 * @param {string} place
 * @param {readonly string[]} fields
 * @returns {Record<string, unknown>}
 */
export function object(value, place, fields) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong(place, "an object", value);
  }
  const unknown = Object.keys(value).find((name) => !fields.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(
      `${place} has no field \`${unknown}\`; it has ${fields.join(", ")}`,
    );
  }
  return /** @type {Record<string, unknown>} */ (value);
}

/**
 * @param {unknown} value
 * @param {string} place
 * @returns {string}
 */
export function text(value, place) {
  if (typeof value !== "string") throw wrong(place, "a string", value);
  return value.toWellFormed();
}

/**
 * @param {unknown} value
 * @param {string} place
 * @param {string} fallback
 * @returns {string}
 */
export function textOr(value, place, fallback) {
  return value === undefined ? fallback : text(value, place);
}

/**
 * @template {string} Word
 * @param {unknown} value
 * @param {string} place
 * @param {readonly Word[]} words
 * @returns {Word}
 */
export function oneOf(value, place, words) {
  const word = words.find((known) => known === value);
  if (word === undefined)
    throw wrong(place, `one of ${words.join(", ")}`, value);
  return word;
}

/**
 * @param {unknown} value
 * @param {string} place
 * @returns {boolean}
 */
export function flag(value, place) {
  if (value === undefined) return false;
  if (typeof value !== "boolean") throw wrong(place, "true or false", value);
  return value;
}

/**
 * A number of the contract, rounded to a whole one.
 *
 * @param {unknown} value
 * @param {string} place
 * @returns {number}
 */
export function whole(value, place) {
  if (typeof value !== "number" || !(value >= 0 && value <= LARGEST)) {
    throw wrong(place, `a number from 0 to ${LARGEST}`, value);
  }
  return Math.round(value);
}

/**
 * A list, empty when it is left out.
 *
 * @template T
 * @param {unknown} value
 * @param {string} place
 * @param {(item: unknown, place: string) => T} each
 * @returns {T[]}
 */
export function list(value, place, each) {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw wrong(place, "an array", value);
  return value.map((item, index) => each(item, `${place}[${index}]`));
}

/**
 * Attributes as pairs, none when they are left out.
 *
 * @param {unknown} value
 * @param {string} place
 * @returns {[string, string][]}
 */
export function pairs(value, place) {
  if (value === undefined) return [];
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong(place, "an object", value);
  }
  return Object.entries(value).map(([name, item]) => [
    name.toWellFormed(),
    text(item, `${place}.${name}`),
  ]);
}

/**
 * @param {string} place
 * @param {string} wanted
 * @param {unknown} value
 */
function wrong(place, wanted, value) {
  return new TypeError(`${place} must be ${wanted}, and is ${shown(value)}`);
}

/** @param {unknown} value */
function shown(value) {
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "function") return "a function";
  return String(value);
}
