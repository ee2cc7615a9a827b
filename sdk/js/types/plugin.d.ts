import type { Manifest } from "./manifest.js";
import type { Deployment } from "./model.js";
import type { Event } from "./notify.js";
import type { Collected } from "./release.js";
import type { Report } from "./self-test.js";

/**
 * A plugin: its manifest, and one function for each role it has. The roles
 * also stand in `shipway-plugin.toml`.
 *
 * Whatever a function throws becomes a failure: a `Failure` as it is, anything
 * else with the code `failed`.
 */
export interface Plugin {
  readonly manifest: Manifest;

  /**
   * The release commands that the commit asks for, in the order in which they
   * run. No command at all is a good answer and not a failure.
   *
   * @throws Failure Whatever keeps the plugin from knowing. The deployment
   * fails then, since an app that misses a release command is worse than one
   * that is late.
   */
  releaseSource?(deployment: Deployment): Collected;

  /**
   * Delivers one event. It may come again with the same id, after a failure or
   * a crash, and never changes the deployment's result.
   *
   * @throws Failure Why it could not be delivered. A retryable failure asks
   * for another try later; any other gives this event up.
   */
  notifier?(event: Event): undefined | void;

  /**
   * Tests the candidate, whose addresses `candidate.endpoints()` tells.
   *
   * @throws Failure Only when the candidate could not be tested. A test that
   * it does not pass is a check with the outcome `fail`.
   */
  selfTest?(deployment: Deployment): Report;
}

/**
 * Checks a plugin when its module is loaded, so that what is wrong with it
 * fails the build and not a deployment. It must be the default export of
 * `plugin.js` or `plugin.ts`.
 *
 * @throws TypeError What is wrong, and where.
 */
export function definePlugin(plugin: Plugin): Plugin;
