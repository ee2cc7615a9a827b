// The plugin in memory, without a build: `node --test`.

import assert from "node:assert/strict";
import { test } from "node:test";

import plugin from "./plugin.js";
import { Host } from "./shipway-sdk/testing.js";

const settings = { url: "https://chat.example.test/hook" };

test("an ending is sent with the token", () => {
  const secrets = { token: "s3cret" };
  const http = () => ({ status: 204 });
  const host = new Host(plugin, { settings, secrets, http });
  host.notifier({ summary: "shop/live: succeeded" });
  const [request] = host.requests;
  assert.equal(request.headers.authorization, "Bearer s3cret");
  assert.equal(JSON.parse(request.body).text, "shop/live: succeeded");
});

test("other events are not sent", () => {
  const host = new Host(plugin, { settings });
  host.notifier({ kind: "deployment.queued" });
  assert.deepEqual(host.requests, []);
});

test("a receiver in trouble is asked again later", () => {
  const host = new Host(plugin, { settings, http: () => ({ status: 503 }) });
  assert.throws(() => host.notifier(), { code: "refused", retryable: true });
});
