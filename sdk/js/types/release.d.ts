import type { Attributes, Provenance } from "./model.js";

/** What a release source found. */
export interface Collected {
  /** In the order in which they run. */
  commands?: Command[];
  skipped?: Skipped[];
  /** What a person should know: a fallback that was taken, a doubt. */
  warnings?: string[];
  attributes?: Attributes;
}

/** How a command is run. */
export type Invocation =
  /** One string for `sh -c`, byte for byte as its author wrote it. */
  | { shell: string; argv?: undefined }
  /** A program and its arguments, without a shell. */
  | { argv: string[]; shell?: undefined };

/** One command to run once per deployment. */
export interface Command extends CommandOptions {
  /** What people read in plan and log; unique in a deployment. */
  label: string;
  run: Invocation;
}

export interface CommandOptions {
  /** The command itself, on one line, unless set. */
  label?: string;
  /** `release` unless set. */
  phase?: Phase;
  /** `bypass` unless set. */
  entrypoint?: Entrypoint;
  /** 1,800 unless set. */
  timeoutSeconds?: number;
  /** `always` unless set. */
  when?: When;
  /** What takes it back, run in the new image, in reverse order. */
  undo?: Invocation;
  provenance?: Provenance;
  attributes?: Attributes;
}

/**
 * When in a deployment a command runs: `release`, the image is built and the
 * new version not started; `gate`, the new version is healthy and not routed
 * yet; `after`, it is routed; `failed`, the deployment failed.
 */
export type Phase = "release" | "gate" | "after" | "failed";

/** Whether the image's entrypoint is kept in front of the command. */
export type Entrypoint = "keep" | "bypass";

/**
 * At which deployments a command runs: `first-deploy`, only while the
 * environment has never had a successful deployment; `once`, once per
 * environment, image and command.
 */
export type When = "always" | "first-deploy" | "once";

/** Something that a source saw and did not take. */
export interface Skipped {
  what: string;
  /** Why, in one sentence. */
  reason: string;
  provenance?: Provenance;
  attributes?: Attributes;
}

/** A command that is one string for `sh -c`, labelled by itself. */
export function shell(line: string, options?: CommandOptions): Command;

/** A command that is a program and its arguments, labelled by itself. */
export function argv(words: string[], options?: CommandOptions): Command;
