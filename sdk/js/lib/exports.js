// The component's exports, made of a plugin. Nothing that an author's code
// throws or returns ends the component: it becomes a failure.

import { attributesFrom } from "./attributes.js";
import { Failure, recordOf } from "./failure.js";
import * as log from "./log.js";
import { descriptionOf } from "./manifest.js";
import { collectedOf, reportOf } from "./results.js";

/** @import { Deployment, Event, Plugin } from "../index.js" */
/** @import { Exports, WireDeployment, WireEvent } from "./wire.js" */

/**
 * @param {Plugin} plugin
 * @returns {Exports}
 */
export function exportsOf(plugin) {
  return {
    manifest: { describe: () => descriptionOf(plugin.manifest) },
    commands: {
      collect: (deployment) =>
        answer(
          () => call(plugin, "releaseSource", deploymentFrom(deployment)),
          collectedOf,
        ),
    },
    notifier: {
      deliver: (event) =>
        answer(
          () => call(plugin, "notifier", eventFrom(event)),
          () => undefined,
        ),
    },
    checks: {
      run: (deployment) =>
        answer(
          () => call(plugin, "selfTest", deploymentFrom(deployment)),
          reportOf,
        ),
    },
  };
}

/**
 * @template T
 * @param {() => unknown} role
 * @param {(given: unknown) => T} convert
 * @returns {T}
 */
function answer(role, convert) {
  try {
    return convert(role());
  } catch (thrown) {
    if (!(thrown instanceof Failure)) showTrace(thrown);
    throw recordOf(thrown);
  }
}

/**
 * @param {Plugin} plugin
 * @param {"releaseSource" | "notifier" | "selfTest"} role
 * @param {any} subject
 * @returns {unknown}
 */
function call(plugin, role, subject) {
  const given = /** @type {any} */ (plugin[role]?.(subject));
  if (typeof given?.then === "function") {
    throw new TypeError(
      `${role} returned a promise; every call is synchronous, so leave out async and await`,
    );
  }
  return given;
}

/**
 * Writes the stack of something that nobody foresaw to the log, for its
 * author. What was thrown is more than a log that cannot be written.
 *
 * @param {unknown} thrown
 */
function showTrace(thrown) {
  try {
    traceOf(thrown).forEach(log.debug);
  } catch {
    // The failure itself is still answered.
  }
}

/**
 * @param {unknown} thrown
 * @returns {string[]}
 */
function traceOf(thrown) {
  if (!(thrown instanceof Error) || typeof thrown.stack !== "string") return [];
  const lines = thrown.stack.split("\n").map((line) => line.trim());
  return lines.filter((line) => line.startsWith("at "));
}

/**
 * @param {WireDeployment} deployment
 * @returns {Deployment}
 */
function deploymentFrom(deployment) {
  return { ...deployment, attributes: attributesFrom(deployment.attributes) };
}

/**
 * @param {WireEvent} event
 * @returns {Event}
 */
function eventFrom(event) {
  return {
    ...event,
    sequence: Number(event.sequence),
    deployment: deploymentFrom(event.deployment),
    attributes: attributesFrom(event.attributes),
  };
}
