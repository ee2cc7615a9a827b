// The manifest as the contract has it.

import { flag, list, object, pairs, text } from "./shape.js";

/** @import { Manifest } from "../index.js" */
/** @import { WireDescription } from "./wire.js" */

const MANIFEST = [
  "name",
  "version",
  "summary",
  "settings",
  "requests",
  "attributes",
];
const SETTING = [
  "name",
  "summary",
  "required",
  "secret",
  "places",
  "attributes",
];
const REQUEST = ["capability", "targets", "reason", "attributes"];

/**
 * @param {Manifest} manifest
 * @returns {WireDescription}
 */
export function descriptionOf(manifest) {
  const given = object(manifest, "manifest", MANIFEST);
  return {
    name: text(given.name, "manifest.name"),
    version: text(given.version, "manifest.version"),
    summary: text(given.summary, "manifest.summary"),
    settings: list(given.settings, "manifest.settings", settingOf),
    requests: list(given.requests, "manifest.requests", requestOf),
    attributes: pairs(given.attributes, "manifest.attributes"),
  };
}

/**
 * @param {unknown} setting
 * @param {string} place
 */
function settingOf(setting, place) {
  const given = object(setting, place, SETTING);
  return {
    name: text(given.name, `${place}.name`),
    summary: text(given.summary, `${place}.summary`),
    required: flag(given.required, `${place}.required`),
    secret: flag(given.secret, `${place}.secret`),
    places: list(given.places, `${place}.places`, text),
    attributes: pairs(given.attributes, `${place}.attributes`),
  };
}

/**
 * @param {unknown} request
 * @param {string} place
 */
function requestOf(request, place) {
  const given = object(request, place, REQUEST);
  return {
    capability: text(given.capability, `${place}.capability`),
    targets: list(given.targets, `${place}.targets`, text),
    reason: text(given.reason, `${place}.reason`),
    attributes: pairs(given.attributes, `${place}.attributes`),
  };
}
