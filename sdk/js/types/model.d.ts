/**
 * Names and values, in no promised order. What later versions of the contract
 * add travels here; ignore names you do not know.
 */
export type Attributes = Record<string, string>;

/** The deployment a call belongs to. */
export interface Deployment {
  /** UUID, the same in every event and log line. */
  id: string;
  app: string;
  environment: string;
  /** The full commit id. Empty while the commit is not resolved yet. */
  commit: string;
  /** What was asked for: a branch, a tag or a commit. */
  reference: string;
  attributes: Attributes;
}

/** Where something was found, so that a person can go there. */
export interface Provenance {
  /** Path in the repository; left out when it was not a file. */
  file?: string;
  /** The place in it: `line 3`, `MIGRATION_COMMANDS[0]`, … */
  place?: string;
}

/**
 * What kind of failure it is. The set is open: a plugin may have words of its
 * own, and must expect words it does not know.
 */
export type Code =
  | "denied"
  | "not-found"
  | "too-large"
  | "limit"
  | "timeout"
  | "invalid"
  | "unavailable"
  | (string & {});

/**
 * Why something could not be done. A plugin throws it, and the host's
 * functions do.
 */
export class Failure extends Error {
  constructor(
    code: Code,
    message: string,
    more?: { retryable?: boolean; attributes?: Attributes; cause?: unknown },
  );
  code: Code;
  /**
   * One sentence for a person: what happened and what to do, without a secret
   * in it.
   */
  message: string;
  /** Whether the same call may succeed later. */
  retryable: boolean;
  attributes: Attributes;
}

/** What a command that the host ran for the plugin left. */
export interface Output {
  exitCode: number;
  /** At most 1 MiB of each stream. */
  stdout: Uint8Array;
  stderr: Uint8Array;
  /** Whether a stream was longer. */
  truncated: boolean;
  attributes: Attributes;
  /** Whether the exit code is 0. */
  readonly ok: boolean;
  readonly stdoutText: string;
  readonly stderrText: string;
}
