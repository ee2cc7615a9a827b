// A plugin: its manifest, and one function for each role it has.

import { descriptionOf } from "./manifest.js";
import { object } from "./shape.js";

/** @import { Plugin } from "../index.js" */

/** The roles by the names of their functions. */
export const ROLES = /** @type {const} */ ({
  releaseSource: "release-source",
  notifier: "notifier",
  selfTest: "self-test",
});

/**
 * Checks the plugin when its module is loaded, so that what is wrong with it
 * fails the build and not a deployment.
 *
 * @param {Plugin} plugin
 * @returns {Plugin}
 */
export function definePlugin(plugin) {
  const names = Object.keys(ROLES);
  const given = object(plugin, "the plugin", ["manifest", ...names]);
  descriptionOf(plugin.manifest);
  const roles = names.filter((name) => given[name] !== undefined);
  if (roles.length === 0) {
    throw new TypeError(
      `the plugin has no role; give it one of ${names.join(", ")}`,
    );
  }
  const noFunction = roles.find((name) => typeof given[name] !== "function");
  if (noFunction !== undefined)
    throw new TypeError(`\`${noFunction}\` must be a function`);
  return Object.freeze(plugin);
}

/**
 * Says what is wrong when the project file names other roles than the plugin
 * has functions for.
 *
 * @param {Plugin} plugin
 * @param {readonly string[]} named
 */
export function checkRoles(plugin, named) {
  for (const [name, role] of Object.entries(ROLES)) {
    const has = /** @type {any} */ (plugin)[name] !== undefined;
    if (has === named.includes(role)) continue;
    throw new TypeError(
      has
        ? `the plugin has a function \`${name}\`; add "${role}" to roles in shipway-plugin.toml`
        : `shipway-plugin.toml names the role "${role}"; give the plugin a function \`${name}\``,
    );
  }
}
