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
 * @param {(thrown: unknown) => string[]} traceOf Where something was thrown
 * that nobody foresaw, innermost first.
 * @returns {Exports}
 */
export function exportsOf(plugin, traceOf) {
  /**
   * @template T
   * @param {() => unknown} role
   * @param {(given: unknown) => T} convert
   * @returns {T}
   */
  const answer = (role, convert) => {
    try {
      return convert(role());
    } catch (thrown) {
      if (thrown instanceof Failure) throw recordOf(thrown);
      throw unforeseen(thrown, traceOf(thrown));
    }
  };
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
 * The failure of something that nobody foresaw: its place for whoever reads
 * the failure, the way there in the log for its author.
 *
 * @param {unknown} thrown
 * @param {string[]} trace
 */
function unforeseen(thrown, trace) {
  const record = recordOf(thrown);
  if (trace[0] === undefined) return record;
  try {
    trace.forEach(log.debug);
  } catch {
    // A log that cannot be written is less than what was thrown.
  }
  return { ...record, message: `${record.message}, ${trace[0]}` };
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
