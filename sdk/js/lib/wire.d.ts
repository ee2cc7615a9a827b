// The contract's shapes as the component's bindings have them: every field
// present, pairs instead of objects. Authors never see these.

export type Pairs = [string, string][];

export interface WireFailure {
  code: string;
  message: string;
  retryable: boolean;
  attributes: Pairs;
}

export interface WireDeployment {
  id: string;
  app: string;
  environment: string;
  commit: string;
  reference: string;
  attributes: Pairs;
}

export interface WireEvent {
  id: string;
  sequence: number | bigint;
  time: string;
  kind: string;
  deployment: WireDeployment;
  summary: string;
  data: string;
  attributes: Pairs;
}

export interface WireOutput {
  exitCode: number;
  stdout: Uint8Array;
  stderr: Uint8Array;
  truncated: boolean;
  attributes: Pairs;
}

export interface WireRequest {
  method: string;
  url: string;
  headers: Pairs;
  body: Uint8Array;
  timeoutMs: number | null;
  attributes: Pairs;
}

export interface WireResponse {
  status: number;
  headers: Pairs;
  body: Uint8Array;
  attributes: Pairs;
}

export interface WireEndpoint {
  process: string;
  url: string;
  host: string;
  attributes: Pairs;
}

export interface WireDescription {
  name: string;
  version: string;
  summary: string;
  settings: {
    name: string;
    summary: string;
    required: boolean;
    secret: boolean;
    places: string[];
    attributes: Pairs;
  }[];
  requests: {
    capability: string;
    targets: string[];
    reason: string;
    attributes: Pairs;
  }[];
  attributes: Pairs;
}

export type WireInvocation =
  { tag: "shell"; val: string } | { tag: "argv"; val: string[] };

export interface WireProvenance {
  file: string;
  place: string;
}

export interface WireCommand {
  label: string;
  run: WireInvocation;
  phase: string;
  entrypoint: string;
  timeoutSeconds: number | null;
  when: string;
  undo: WireInvocation | null;
  provenance: WireProvenance;
  attributes: Pairs;
}

export interface WireCollected {
  commands: WireCommand[];
  skipped: {
    what: string;
    reason: string;
    provenance: WireProvenance;
    attributes: Pairs;
  }[];
  warnings: string[];
  attributes: Pairs;
}

export interface WireReport {
  checks: {
    name: string;
    outcome: string;
    message: string;
    durationMs: number;
    attributes: Pairs;
  }[];
  attributes: Pairs;
}

/** The interfaces that a component imports. Refusals are thrown. */
export interface Imports {
  settings: { get(name: string): string | null | undefined };
  variables: { get(name: string): string | null | undefined };
  log: { write(level: string, message: string): void };
  source: { read(path: string): Uint8Array; find(glob: string): string[] };
  image: { run(argv: string[], variables: Pairs): WireOutput };
  http: { send(request: WireRequest): WireResponse };
  candidate: {
    endpoints(): WireEndpoint[];
    exec(process: string, argv: string[]): WireOutput;
  };
}

/** The interfaces that a component exports. Failures are thrown records. */
export interface Exports {
  manifest: { describe(): WireDescription };
  commands: { collect(deployment: WireDeployment): WireCollected };
  notifier: { deliver(event: WireEvent): void };
  checks: { run(deployment: WireDeployment): WireReport };
}
