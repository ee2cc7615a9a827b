// What a plugin is called with in a test.

/** @import { Deployment, Event } from "../index.js" */

/**
 * @param {Partial<Deployment>} [given]
 * @returns {Deployment}
 */
export function deployment(given = {}) {
  return {
    id: "0198c0de-0000-7000-8000-000000000001",
    app: "shop",
    environment: "live",
    commit: "4f2a0c1e9b7d5a3f8e6c4b2a0d9f7e5c3b1a0f2e",
    reference: "main",
    attributes: {},
    ...given,
  };
}

/**
 * @param {Partial<Event>} [given]
 * @returns {Event}
 */
export function event(given = {}) {
  return {
    id: "0198c0de-0000-7000-8000-000000000002",
    sequence: 7,
    time: "2026-11-22T10:00:00Z",
    kind: "deployment.ended",
    deployment: deployment(),
    summary: "shop/live: succeeded",
    data: '{"ending":"succeeded"}',
    attributes: {},
    ...given,
  };
}
