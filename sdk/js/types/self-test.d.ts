import type { Attributes } from "./model.js";

/** What a self-test found. */
export interface Report {
  checks: Check[];
  attributes?: Attributes;
}

/** One named check. */
export interface Check {
  name: string;
  outcome: Outcome;
  /** What was seen, in one sentence. */
  message: string;
  /** 0 unless set. */
  durationMs?: number;
  attributes?: Attributes;
}

/** How a check ended. Only `fail` fails the deployment. */
export type Outcome = "pass" | "warn" | "fail" | "skip";

type Make = (
  name: string,
  message: string,
  more?: { durationMs?: number; attributes?: Attributes },
) => Check;

/** Makes checks: `check.pass("GET /", "answered 200")`. */
export const check: Readonly<Record<Outcome, Make>>;
