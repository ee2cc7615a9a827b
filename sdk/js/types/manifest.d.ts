import type { Attributes } from "./model.js";

/** Who a plugin is, what it can be set to, and what it asks for. */
export interface Manifest {
  /** Lower-case letters, digits and dashes, at most 63. */
  name: string;
  /** Semantic version. */
  version: string;
  /** One sentence for a person. */
  summary: string;
  settings?: Setting[];
  /** What the plugin asks for. A request is never a grant. */
  requests?: Request[];
  attributes?: Attributes;
}

/** One setting that a plugin reads through `settings`. */
export interface Setting {
  name: string;
  /** What it does, and what holds when it is not set. */
  summary: string;
  required?: boolean;
  /**
   * A secret reaches the plugin as an opaque placeholder; the host puts the
   * value in on the way out to the hosts that it is granted for.
   */
  secret?: boolean;
  /**
   * Where in a request the plugin puts the value if it is secret, or if the
   * operator makes it so. Anywhere else the placeholder is refused.
   */
  places?: Place[];
  attributes?: Attributes;
}

/** Where a secret may stand; `url` is for a URL that is secret as a whole. */
export type Place = `header:${string}` | "path" | "query" | "body" | "url";

/**
 * One capability that a plugin asks for, with the reason that an operator
 * reads before granting it.
 */
export type Request =
  FilesRequest | VariablesRequest | ImageRequest | HttpRequest | ExecRequest;

interface Reasoned {
  /** Why, in one sentence. */
  reason: string;
  attributes?: Attributes;
}

/** To read the files of the commit that match one of these globs. */
export interface FilesRequest extends Reasoned {
  capability: "files";
  targets: string[];
}

/** To read plain variables of the environment, by name. */
export interface VariablesRequest extends Reasoned {
  capability: "variables";
  targets: string[];
}

/** To run a bounded command in the built image. */
export interface ImageRequest extends Reasoned {
  capability: "image";
}

/**
 * To send requests to `scheme://host[:port]`, or to `setting:NAME` for the
 * origin of the URL in that setting, each perhaps after its methods:
 * `POST,PUT https://hooks.example.com`.
 */
export interface HttpRequest extends Reasoned {
  capability: "http";
  targets: string[];
}

/** To run a bounded command in the candidate, in a self-test. */
export interface ExecRequest extends Reasoned {
  capability: "exec";
}
