// What roles answer with, as the contract has it.

import { list, object, oneOf, pairs, text, textOr, whole } from "./shape.js";

/** @import { Outcome } from "../index.js" */
/** @import { WireCollected, WireCommand, WireInvocation, WireProvenance, WireReport } from "./wire.js" */

const COLLECTED = ["commands", "skipped", "warnings", "attributes"];
const COMMAND = [
  "label",
  "run",
  "phase",
  "entrypoint",
  "timeoutSeconds",
  "when",
  "undo",
  "provenance",
  "attributes",
];
const SKIPPED = ["what", "reason", "provenance", "attributes"];
const CHECK = ["name", "outcome", "message", "durationMs", "attributes"];
/** @type {readonly Outcome[]} */
const OUTCOMES = ["pass", "warn", "fail", "skip"];

/**
 * @param {unknown} collected
 * @returns {WireCollected}
 */
export function collectedOf(collected) {
  const given = object(collected, "what releaseSource returned", COLLECTED);
  return {
    commands: list(given.commands, "commands", commandOf),
    skipped: list(given.skipped, "skipped", skippedOf),
    warnings: list(given.warnings, "warnings", text),
    attributes: pairs(given.attributes, "attributes"),
  };
}

/**
 * @param {unknown} command
 * @param {string} place
 * @returns {WireCommand}
 */
function commandOf(command, place) {
  const given = object(command, place, COMMAND);
  const timeout = given.timeoutSeconds;
  return {
    label: text(given.label, `${place}.label`),
    run: invocationOf(given.run, `${place}.run`),
    phase: textOr(given.phase, `${place}.phase`, "release"),
    entrypoint: textOr(given.entrypoint, `${place}.entrypoint`, "bypass"),
    timeoutSeconds:
      timeout === undefined ? null : whole(timeout, `${place}.timeoutSeconds`),
    when: textOr(given.when, `${place}.when`, "always"),
    undo:
      given.undo === undefined
        ? null
        : invocationOf(given.undo, `${place}.undo`),
    provenance: provenanceOf(given.provenance, `${place}.provenance`),
    attributes: pairs(given.attributes, `${place}.attributes`),
  };
}

/**
 * @param {unknown} invocation
 * @param {string} place
 * @returns {WireInvocation}
 */
function invocationOf(invocation, place) {
  const given = object(invocation, place, ["shell", "argv"]);
  if ((given.shell === undefined) === (given.argv === undefined)) {
    throw new TypeError(`${place} must have one of shell and argv`);
  }
  if (given.shell !== undefined)
    return { tag: "shell", val: text(given.shell, `${place}.shell`) };
  return { tag: "argv", val: list(given.argv, `${place}.argv`, text) };
}

/**
 * @param {unknown} provenance
 * @param {string} place
 * @returns {WireProvenance}
 */
function provenanceOf(provenance, place) {
  if (provenance === undefined) return { file: "", place: "" };
  const given = object(provenance, place, ["file", "place"]);
  return {
    file: textOr(given.file, `${place}.file`, ""),
    place: textOr(given.place, `${place}.place`, ""),
  };
}

/**
 * @param {unknown} skipped
 * @param {string} place
 */
function skippedOf(skipped, place) {
  const given = object(skipped, place, SKIPPED);
  return {
    what: text(given.what, `${place}.what`),
    reason: text(given.reason, `${place}.reason`),
    provenance: provenanceOf(given.provenance, `${place}.provenance`),
    attributes: pairs(given.attributes, `${place}.attributes`),
  };
}

/**
 * @param {unknown} report
 * @returns {WireReport}
 */
export function reportOf(report) {
  const given = object(report, "what selfTest returned", [
    "checks",
    "attributes",
  ]);
  return {
    checks: list(given.checks, "checks", checkOf),
    attributes: pairs(given.attributes, "attributes"),
  };
}

/**
 * @param {unknown} check
 * @param {string} place
 */
function checkOf(check, place) {
  const given = object(check, place, CHECK);
  return {
    name: text(given.name, `${place}.name`),
    outcome: oneOf(given.outcome, `${place}.outcome`, OUTCOMES),
    message: text(given.message, `${place}.message`),
    durationMs: whole(given.durationMs ?? 0, `${place}.durationMs`),
    attributes: pairs(given.attributes, `${place}.attributes`),
  };
}
