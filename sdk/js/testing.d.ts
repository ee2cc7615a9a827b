/**
 * How a plugin is tested: in memory, or as a component in the real sandbox.
 *
 * ```js
 * import assert from "node:assert/strict";
 * import { test } from "node:test";
 * import plugin from "./plugin.js";
 * import { Host } from "./shipway-sdk/testing.js";
 *
 * test("a Makefile with a release target gives one command", () => {
 *   const host = new Host(plugin, { files: { Makefile: "release:\n" } });
 *   const { commands } = host.releaseSource();
 *   assert.equal(commands[0].label, "make release");
 * });
 * ```
 *
 * @module
 */

import type {
  Check,
  Collected,
  Command,
  Deployment,
  Event,
  Plugin,
  Provenance,
  Report,
  Skipped,
} from "./index.js";

/**
 * An in-memory host for one plugin. As the engine's host does, it grants what
 * the manifest asks for and denies everything else, so a request that the
 * manifest forgets fails the test. It answers the same codes and keeps no
 * limits of time and number. Globs know `*`, `?` and `**`.
 */
export class Host {
  constructor(plugin: Plugin, world?: World);

  /**
   * Calls the release source, for `deployment()` unless another is given.
   *
   * @throws Failure What the plugin threw; `failed` when that was no failure.
   */
  releaseSource(
    given?: Partial<Deployment>,
  ): Filled<Collected, FilledCollected>;

  /**
   * Calls the notifier, with `event()` unless another is given.
   *
   * @throws Failure As `releaseSource`.
   */
  notifier(given?: Partial<Event>): void;

  /**
   * Calls the self-test, for `deployment()` unless another is given.
   *
   * @throws Failure As `releaseSource`.
   */
  selfTest(
    given?: Partial<Deployment>,
  ): Filled<Report, { checks: Required<Check>[] }>;

  /** The HTTP requests that left for the outside, in order. */
  readonly requests: SentRequest[];
  /** The commands that were run in the image or the candidate, in order. */
  readonly runs: Run[];
  /** The lines that were logged, in order. */
  readonly log: Line[];
}

/** What is around the plugin. Whatever is left out is not there. */
export interface World {
  /** The commit's files by their paths. */
  files?: Record<string, string | Uint8Array>;
  settings?: Record<string, string>;
  /** Settings that the manifest calls secret. The plugin gets placeholders. */
  secrets?: Record<string, string>;
  /** The environment's variables. */
  variables?: Record<string, string>;
  /** What the outside and the candidate answer; a `Failure` may be thrown. */
  http?(request: SentRequest): Answer;
  /** What commands in the image answer. Without it there is no image yet. */
  image?(argv: string[], variables: Record<string, string>): Ended;
  /** The candidate's endpoints. */
  candidate?: { process: string; url: string; host?: string }[];
  /** What commands in the candidate answer. */
  exec?(process: string, argv: string[]): Ended;
}

/** A request as it left, with the secrets in it. */
export interface SentRequest {
  method: string;
  url: string;
  /** By their names in small letters. */
  headers: Record<string, string>;
  body: string;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

/** How a command ended; with exit code 0 and without output unless set. */
export interface Ended {
  exitCode?: number;
  stdout?: string | Uint8Array;
  stderr?: string | Uint8Array;
}

export interface Run {
  /** `image`, or the process type of the candidate. */
  where: string;
  argv: string[];
  variables: Record<string, string>;
}

export interface Line {
  level: "debug" | "info" | "warn" | "error";
  message: string;
}

type Filled<Base, Fields> = Required<Omit<Base, keyof Fields>> & Fields;

interface FilledCollected {
  commands: FilledCommand[];
  skipped: (Required<Skipped> & { provenance: Required<Provenance> })[];
}

type FilledCommand = Required<Omit<Command, "timeoutSeconds" | "undo">> &
  Pick<Command, "timeoutSeconds" | "undo"> & {
    provenance: Required<Provenance>;
  };

/** A deployment to call a plugin with. */
export function deployment(given?: Partial<Deployment>): Deployment;

/** An event to call a notifier with; `deployment.ended` unless set. */
export function event(given?: Partial<Event>): Event;

/** Which cases are run, and how. */
export interface CaseOptions {
  /** The project's folder; the working directory unless set. */
  project?: string;
  /** The component; what `shipway plugin build` made unless set. */
  component?: string;
  /** Case files; all of `tests/` unless set. */
  cases?: string[];
  /** 120,000 unless set. */
  timeoutMs?: number;
}

/** What came of one case. */
export interface CaseResult {
  name: string;
  /** Path of the case's file. */
  case: string;
  role: "release-source" | "notifier" | "self-test";
  passed: boolean;
  /** In the contract's words: `timeout-seconds`, `duration-ms`, … */
  result: any;
  /** The failure that the plugin answered with. */
  failure: { code: string; message: string; retryable: boolean } | null;
  /** Why the sandbox ended the call: `trap`, `limit`, … */
  error: { kind: string; message: string } | null;
  log: Line[];
  /** Every host call, in order. */
  calls: { call: string; arguments: unknown; answer: unknown }[];
  requests: unknown[];
  /** What was expected and did not happen. */
  mismatches: string[];
}

/**
 * Runs cases in the production sandbox, by `shipway plugin test`. The program
 * is `SHIPWAY_PROGRAM`, or `shipway` on the PATH.
 *
 * @throws Error When the cases could not be run. One that does not pass is a
 * result.
 */
export function runCases(options?: CaseOptions): Promise<CaseResult[]>;

/**
 * Makes a test of `node:test` of each case, which fails with the case's
 * mismatches. Give it its place: `await testCases({ project: import.meta.dirname })`.
 */
export function testCases(options?: CaseOptions): Promise<void>;
