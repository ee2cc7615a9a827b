// The in-memory host grants what the manifest asks for, and nothing else.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  candidate,
  definePlugin,
  Failure,
  http,
  image,
  log,
  settings,
  source,
  variables,
} from "../index.js";
import { Host } from "../testing.js";

/** @import { Manifest } from "../index.js" */
/** @import { World } from "../testing.js" */

/** @type {Manifest} */
const asking = {
  name: "asking",
  version: "1.0.0",
  summary: "Asks for one of each.",
  settings: [
    { name: "url", summary: "Where to send." },
    { name: "count", summary: "A number." },
    {
      name: "token",
      summary: "A secret.",
      secret: true,
      places: ["header:Authorization", "query"],
    },
  ],
  requests: [
    {
      capability: "files",
      targets: ["app/*.txt", "**/*.toml", ".env"],
      reason: "tests",
    },
    { capability: "variables", targets: ["STAGE"], reason: "tests" },
    { capability: "image", reason: "tests" },
    { capability: "exec", reason: "tests" },
    {
      capability: "http",
      targets: ["POST,PUT setting:url", "https://b.example"],
      reason: "tests",
    },
  ],
};

/** @type {Manifest} */
const modest = {
  name: "modest",
  version: "1.0.0",
  summary: "Asks for nothing.",
};

/**
 * Runs something as a plugin on a host, and gives both.
 *
 * @template T
 * @param {World} world
 * @param {() => T} call
 * @param {Manifest} [manifest]
 */
function on(world, call, manifest = asking) {
  /** @type {T[]} */
  const results = [];
  const plugin = definePlugin({
    manifest,
    notifier: () => void results.push(call()),
  });
  const host = new Host(plugin, world);
  host.notifier();
  return { host, result: /** @type {T} */ (results[0]) };
}

/**
 * The code of the failure of a call.
 *
 * @param {() => unknown} call
 */
function code(call) {
  try {
    call();
  } catch (reason) {
    if (reason instanceof Failure) return reason.code;
    throw reason;
  }
  return "nothing";
}

test("files are read where a glob asks for them", () => {
  const files = {
    "app/a.txt": "a",
    "app/deep/b.txt": "b",
    "deep/er/c.toml": "c",
    "d.toml": "d",
    ".env": "SECRET=1",
    "app/large.txt": new Uint8Array((1 << 20) + 1),
    "app/raw.txt": Uint8Array.of(0xff),
  };
  on({ files }, () => {
    assert.equal(source.readText("app/a.txt"), "a");
    assert.equal(source.readTextIfThere("app/none.txt"), undefined);
    assert.equal(
      code(() => source.read("app/none.txt")),
      "not-found",
    );
    assert.equal(
      code(() => source.read("app/deep/b.txt")),
      "denied",
    );
    assert.equal(
      code(() => source.readTextIfThere("app/deep/b.txt")),
      "denied",
    );
    assert.equal(
      code(() => source.read("app/../x.toml")),
      "denied",
    );
    assert.equal(
      code(() => source.read("/x.toml")),
      "denied",
    );
    assert.equal(
      code(() => source.read(".env")),
      "denied",
    );
    assert.equal(
      code(() => source.read("app/large.txt")),
      "too-large",
    );
    assert.equal(
      code(() => source.readText("app/raw.txt")),
      "invalid",
    );
    const found = [
      "app/a.txt",
      "app/large.txt",
      "app/raw.txt",
      "d.toml",
      "deep/er/c.toml",
    ];
    assert.deepEqual(source.find("**"), found);
    assert.deepEqual(source.find("app/?.txt"), ["app/a.txt"]);
    assert.equal(
      code(() => source.find("[")),
      "invalid",
    );
  });
});

test("settings are read, and a secret stays with the host", () => {
  const world = {
    settings: { count: " 3 ", url: " " },
    secrets: { token: "s3cret" },
  };
  on(world, () => {
    assert.equal(settings.get("token"), "secret:token");
    assert.equal(settings.get("absent"), undefined);
    assert.equal(settings.number("count"), 3);
    assert.equal(settings.json("count"), 3);
    assert.equal(settings.number("absent"), undefined);
    assert.equal(
      code(() => settings.require("url")),
      "invalid",
    );
    assert.equal(
      code(() => settings.number("token")),
      "invalid",
    );
    assert.throws(() => settings.json("token"), /setting `token`: is no JSON/);
  });
});

test("variables are read where they are asked for by name", () => {
  on({ variables: { STAGE: "live", OTHER: "x" } }, () => {
    assert.equal(variables.get("STAGE"), "live");
    assert.equal(
      code(() => variables.get("OTHER")),
      "denied",
    );
  });
  on({}, () => assert.equal(variables.get("STAGE"), undefined));
});

test("requests go where the manifest asks and to the candidate", () => {
  const world = {
    settings: { url: "https://a.example/hooks?x=1" },
    candidate: [{ process: "web", url: "http://10.0.0.2:8000/" }],
    http: (/** @type {{ method: string }} */ { method }) => ({
      status: 200,
      body: method,
    }),
  };
  const { host } = on(world, () => {
    assert.equal(http.post("https://a.example/").text(), "POST");
    assert.equal(http.get("https://b.example:443/x").ok, true);
    const endpoint = candidate.endpoints()[0];
    assert.ok(endpoint);
    assert.equal(endpoint.join("/x"), "http://10.0.0.2:8000/x");
    assert.equal(http.get(endpoint.join("/x")).ok, true);
    assert.equal(
      code(() => http.get("https://a.example/")),
      "denied",
    );
    assert.equal(
      code(() => http.get("https://b.example:8443/")),
      "denied",
    );
    assert.equal(
      code(() => http.post("http://a.example/")),
      "denied",
    );
    assert.equal(
      code(() => http.get("a.example")),
      "invalid",
    );
  });
  assert.deepEqual(
    host.requests.map(({ url }) => url),
    ["https://a.example/", "https://b.example:443/x"],
  );
});

test("a request says everything that it was given", () => {
  const { host } = on(
    {
      http: () => ({ status: 201, headers: { "X-Id": "7" }, body: '{"a":1}' }),
    },
    () => {
      const answer = http.send({
        method: "PUT",
        url: "https://b.example/",
        headers: [
          ["X-A", "1"],
          ["x-a", "2"],
        ],
        json: { text: "é" },
      });
      assert.equal(answer.status, 201);
      assert.equal(answer.header("x-id"), "7");
      assert.deepEqual(answer.json(), { a: 1 });
      http.post("https://b.example/", {
        json: null,
        headers: { "Content-Type": "application/ld+json" },
      });
      http.post("https://b.example/", { body: Uint8Array.of(0x61) });
    },
  );
  assert.deepEqual(host.requests, [
    {
      method: "PUT",
      url: "https://b.example/",
      headers: { "content-type": "application/json", "x-a": "1, 2" },
      body: '{"text":"é"}',
    },
    {
      method: "POST",
      url: "https://b.example/",
      headers: { "content-type": "application/ld+json" },
      body: "null",
    },
    { method: "POST", url: "https://b.example/", headers: {}, body: "a" },
  ]);
});

test("what is no text is told before the host is asked", () => {
  /** @type {any} */
  const none = undefined;
  /** @type {[() => unknown, string][]} */
  const cases = [
    [() => source.read(none), "the path must be a string, and is undefined"],
    [
      () => settings.get(none),
      "the setting's name must be a string, and is undefined",
    ],
    [
      () => image.run(["a", none]),
      "argv[1] must be a string, and is undefined",
    ],
    [() => http.get(none), "the url must be a string, and is undefined"],
    [
      () => http.get("https://b.example/", { headers: { a: none } }),
      "headers.a must be a string, and is undefined",
    ],
    [
      () => http.post("https://b.example/", { body: /** @type {any} */ ({}) }),
      "the body must be a string or a Uint8Array",
    ],
    [
      () =>
        http.post("https://b.example/", /** @type {any} */ ({ timeout: 1 })),
      "the request has no field `timeout`",
    ],
  ];
  on({}, () => {
    for (const [call, message] of cases) {
      assert.throws(
        call,
        (error) =>
          error instanceof TypeError && error.message.startsWith(message),
      );
    }
  });
});

test("half a character is never handed to the host", () => {
  const { host } = on({ http: () => ({ status: 200 }) }, () => {
    http.post("https://b.example/\ud800", {
      headers: { "x-\udfff": "\ud800" },
      body: "\ud800",
    });
    log.info("a\ud800");
  });
  const sent = JSON.stringify([host.requests, host.log]);
  assert.ok(sent.isWellFormed() && !sent.includes("\\ud800"), sent);
});

test("an answer that is no JSON is told", () => {
  on({ http: () => ({ status: 200, body: "<html>" }) }, () => {
    assert.equal(
      code(() => http.get("https://b.example/").json()),
      "invalid",
    );
  });
});

test("secrets are put in at their places and refused at others", () => {
  const world = {
    secrets: { token: "$& s3cret" },
    http: () => ({ status: 200 }),
  };
  const { host } = on(world, () => {
    const token = settings.require("token");
    const headers = { authorization: `Bearer ${token}` };
    http.get(`https://b.example/?key=${token}`, { headers });
    assert.equal(
      code(() => http.get(`https://b.example/${token}`)),
      "denied",
    );
    assert.equal(
      code(() =>
        http.get("https://b.example/", { headers: { "x-key": token } }),
      ),
      "denied",
    );
    assert.equal(
      code(() => http.post("https://b.example/", { body: token })),
      "denied",
    );
  });
  assert.deepEqual(host.requests, [
    {
      method: "GET",
      url: "https://b.example/?key=$& s3cret",
      headers: { authorization: "Bearer $& s3cret" },
      body: "",
    },
  ]);
});

test("the image answers once there is one", () => {
  on({}, () =>
    assert.equal(
      code(() => image.run(["id"])),
      "unavailable",
    ),
  );
  const world = {
    image: (/** @type {string[]} */ argv) => ({
      exitCode: 3,
      stdout: argv.join(" "),
      stderr: "é",
    }),
  };
  const { host, result } = on(world, () =>
    image.run(["echo", "x"], { A: "b" }),
  );
  assert.equal(result.ok, false);
  assert.equal(result.exitCode, 3);
  assert.equal(result.stdoutText, "echo x");
  assert.equal(result.stderrText, "é");
  assert.deepEqual(host.runs, [
    { where: "image", argv: ["echo", "x"], variables: { A: "b" } },
  ]);
});

test("commands run in the candidate's process types", () => {
  const world = {
    candidate: [{ process: "web", url: "http://10.0.0.2:8000" }],
    exec: () => ({ stdout: "ok" }),
  };
  on(world, () => {
    assert.equal(candidate.exec("web", ["check"]).stdoutText, "ok");
    assert.equal(
      code(() => candidate.exec("worker", ["check"])),
      "not-found",
    );
  });
});

test("a plugin that asks for nothing gets nothing", () => {
  const world = {
    files: { a: "b" },
    image: () => ({}),
    exec: () => ({}),
    http: () => ({ status: 200 }),
  };
  on(
    world,
    () => {
      assert.equal(
        code(() => source.read("a")),
        "denied",
      );
      assert.deepEqual(source.find("**"), []);
      assert.equal(
        code(() => variables.get("A")),
        "denied",
      );
      assert.equal(
        code(() => image.run(["id"])),
        "denied",
      );
      assert.equal(
        code(() => candidate.exec("web", ["id"])),
        "denied",
      );
      assert.equal(
        code(() => http.get("https://a.example")),
        "denied",
      );
    },
    modest,
  );
});

test("a failure of the world outside arrives as it was thrown", () => {
  const world = {
    http() {
      throw new Failure("timeout", "Too slow.", {
        retryable: true,
        attributes: { after: "10 s" },
      });
    },
  };
  const plugin = definePlugin({
    manifest: asking,
    notifier: () => void http.get("https://b.example/"),
  });
  assert.throws(() => new Host(plugin, world).notifier(), {
    name: "Failure",
    code: "timeout",
    message: "Too slow.",
    retryable: true,
    attributes: { after: "10 s" },
  });
});
