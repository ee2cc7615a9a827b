import type { Attributes, Deployment } from "./model.js";

/** One line of a deployment's journal, as others see it. */
export interface Event {
  /** The same in every retry, so that a receiver can drop repeats. */
  id: string;
  /** The event's number in its deployment, from 1, without a gap. */
  sequence: number;
  /** RFC 3339, UTC. */
  time: string;
  /** The list grows: expect words you do not know. */
  kind:
    | "deployment.queued"
    | "step.started"
    | "step.succeeded"
    | "deployment.ended"
    | (string & {});
  deployment: Deployment;
  /** One sentence for a person. */
  summary: string;
  /** The event's own data as JSON, as in the API. */
  data: string;
  attributes: Attributes;
}
