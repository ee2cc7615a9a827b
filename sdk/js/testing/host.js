// The in-memory host: the component's imports and exports without a component.

import { attributesFrom, pairsOf } from "../lib/attributes.js";
import { exportsOf } from "../lib/exports.js";
import { Failure, recordOf } from "../lib/failure.js";
import { connect } from "../lib/host.js";
import { descriptionOf } from "../lib/manifest.js";
import { importsOf } from "./imports.js";
import { deployment, event } from "./subjects.js";

/** @import { Deployment, Event, Plugin } from "../index.js" */
/** @import { Line, Run, SentRequest, World } from "../testing.js" */
/** @import { Exports, Imports, WireFailure, WireInvocation } from "../lib/wire.js" */

export class Host {
  /** @type {SentRequest[]} */
  requests = [];
  /** @type {Run[]} */
  runs = [];
  /** @type {Line[]} */
  log = [];
  /** @type {Exports} */
  #plugin;
  /** @type {Imports} */
  #imports;
  /** @type {unknown} What the plugin threw and nobody foresaw. */
  #unforeseen;

  /**
   * @param {Plugin} plugin
   * @param {World} [world]
   */
  constructor(plugin, world = {}) {
    this.#plugin = exportsOf(plugin, (thrown) => {
      this.#unforeseen = thrown;
      return [];
    });
    this.#imports = refusing(
      importsOf(descriptionOf(plugin.manifest), world, this),
    );
  }

  /**
   * @param {Partial<Deployment>} [given]
   * @returns {any}
   */
  releaseSource(given) {
    const subject = wired(deployment(given));
    const collected = this.#call(() => this.#plugin.commands.collect(subject));
    return {
      ...named(collected),
      commands: collected.commands.map((command) => ({
        ...named(command),
        run: invocation(command.run),
        undo: command.undo ? invocation(command.undo) : undefined,
        timeoutSeconds: command.timeoutSeconds ?? undefined,
      })),
      skipped: collected.skipped.map(named),
    };
  }

  /** @param {Partial<Event>} [given] */
  notifier(given) {
    const subject = event(given);
    const wire = { ...wired(subject), deployment: wired(subject.deployment) };
    this.#call(() => this.#plugin.notifier.deliver(wire));
  }

  /**
   * @param {Partial<Deployment>} [given]
   * @returns {any}
   */
  selfTest(given) {
    const subject = wired(deployment(given));
    const report = this.#call(() => this.#plugin.checks.run(subject));
    return { ...named(report), checks: report.checks.map(named) };
  }

  /**
   * @template T
   * @param {() => T} role
   * @returns {T}
   */
  #call(role) {
    const before = connect(this.#imports);
    this.#unforeseen = undefined;
    try {
      return role();
    } catch (thrown) {
      const { code, message, ...more } = /** @type {WireFailure} */ (thrown);
      const cause = this.#unforeseen;
      throw new Failure(code, message, { ...named(more), cause });
    } finally {
      connect(before);
    }
  }
}

/**
 * Makes every function throw as the component's bindings do: the record of a
 * failure in `payload`.
 *
 * @param {Imports} imports
 * @returns {Imports}
 */
function refusing(imports) {
  /** @param {Function} call */
  const wrap =
    (call) =>
    (/** @type {unknown[]} */ ...given) => {
      try {
        return call(...given);
      } catch (thrown) {
        if (!(thrown instanceof Failure)) throw thrown;
        throw Object.assign(new Error(thrown.message), {
          payload: recordOf(thrown),
        });
      }
    };
  const interfaces = Object.entries(imports).map(([name, functions]) => [
    name,
    Object.fromEntries(
      Object.entries(functions).map(([key, call]) => [key, wrap(call)]),
    ),
  ]);
  return Object.fromEntries(interfaces);
}

/**
 * @template {{ attributes: Record<string, string> }} T
 * @param {T} record
 */
function wired(record) {
  return { ...record, attributes: pairsOf(record.attributes) };
}

/**
 * @template {{ attributes: [string, string][] }} T
 * @param {T} record
 */
function named(record) {
  return { ...record, attributes: attributesFrom(record.attributes) };
}

/** @param {WireInvocation} invocation */
function invocation({ tag, val }) {
  return tag === "shell" ? { shell: val } : { argv: val };
}
