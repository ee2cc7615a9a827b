// The imports of the in-memory host, which answer from what a test gave.

import { attributesFrom } from "../lib/attributes.js";
import { Failure } from "../lib/failure.js";
import { encode } from "../lib/utf8.js";
import { matches } from "./globs.js";
import { Grants, originOf } from "./grants.js";
import { Secrets, placeholderOf } from "./secrets.js";

/** @import { Ended, Line, Run, SentRequest, World } from "../testing.js" */
/** @import { Imports, WireDescription, WireOutput, WireRequest, WireResponse } from "../lib/wire.js" */

/** The largest file that `source.read` hands over. */
const FILE_BYTES = 1 << 20;
/** The most paths that `source.find` hands over. */
const FOUND_PATHS = 1000;

/**
 * @param {WireDescription} manifest
 * @param {World} world
 * @param {{ requests: SentRequest[], runs: Run[], log: Line[] }} seen
 * @returns {Imports}
 */
export function importsOf(manifest, world, seen) {
  const grants = new Grants(manifest);
  return {
    settings: { get: (name) => settingOf(manifest, world, name) },
    variables: {
      get(name) {
        grants.variable(name);
        return world.variables?.[name];
      },
    },
    log: {
      write: (level, message) => {
        seen.log.push({ level: /** @type {Line["level"]} */ (level), message });
      },
    },
    source: sourceOf(grants, world),
    image: {
      run(argv, variables) {
        grants.capability("image");
        if (!world.image)
          throw new Failure("unavailable", "there is no image yet");
        const given = attributesFrom(variables);
        seen.runs.push({ where: "image", argv, variables: given });
        return outputOf(world.image(argv, given));
      },
    },
    http: { send: sender(manifest, grants, world, seen) },
    candidate: {
      endpoints: () =>
        (world.candidate ?? []).map((endpoint) => ({
          host: "",
          attributes: [],
          ...endpoint,
        })),
      exec(process, argv) {
        grants.capability("exec");
        if (
          !world.candidate?.some((endpoint) => endpoint.process === process) ||
          !world.exec
        ) {
          throw new Failure(
            "not-found",
            `the candidate has no process type \`${process}\``,
          );
        }
        seen.runs.push({ where: process, argv, variables: {} });
        return outputOf(world.exec(process, argv));
      },
    },
  };
}

/**
 * @param {WireDescription} manifest
 * @param {World} world
 * @param {string} name
 */
function settingOf(manifest, world, name) {
  const secret = manifest.settings.some(
    (setting) => setting.name === name && setting.secret,
  );
  if (!secret) return world.settings?.[name];
  return world.secrets?.[name] === undefined ? undefined : placeholderOf(name);
}

/**
 * @param {Grants} grants
 * @param {World} world
 * @returns {Imports["source"]}
 */
function sourceOf(grants, world) {
  return {
    read(path) {
      grants.file(path);
      const content = world.files?.[path];
      if (content === undefined)
        throw new Failure("not-found", `there is no \`${path}\``);
      const bytes = bytesOf(content);
      if (bytes.length > FILE_BYTES)
        throw new Failure("too-large", `\`${path}\` is over 1 MiB`);
      return bytes;
    },
    find(glob) {
      const paths = Object.keys(world.files ?? {}).sort();
      const found = paths.filter(
        (path) => matches(glob, path) && grants.readable(path),
      );
      if (found.length > FOUND_PATHS) {
        throw new Failure(
          "limit",
          `\`${glob}\` matches over ${FOUND_PATHS} paths`,
        );
      }
      return found;
    },
  };
}

/**
 * @param {WireDescription} manifest
 * @param {Grants} grants
 * @param {World} world
 * @param {{ requests: SentRequest[] }} seen
 * @returns {(request: WireRequest) => WireResponse}
 */
function sender(manifest, grants, world, seen) {
  const secrets = new Secrets(manifest, world.secrets ?? {});
  const ofCandidate = (world.candidate ?? []).map((endpoint) =>
    originOf(endpoint.url),
  );
  return (request) => {
    const sent = secrets.putIn(request);
    if (!ofCandidate.includes(originOf(sent.url))) {
      grants.http(
        sent.method,
        sent.url,
        (name) => world.settings?.[name] ?? world.secrets?.[name],
      );
      seen.requests.push(sent);
    }
    if (!world.http) {
      throw new Failure("unavailable", `${sent.url} does not answer`, {
        retryable: true,
      });
    }
    const { status, headers = {}, body = "" } = world.http(sent);
    return {
      status,
      headers: Object.entries(headers),
      body: bytesOf(body),
      attributes: [],
    };
  };
}

/**
 * @param {Ended} ended
 * @returns {WireOutput}
 */
function outputOf({ exitCode = 0, stdout = "", stderr = "" }) {
  return {
    exitCode,
    stdout: bytesOf(stdout),
    stderr: bytesOf(stderr),
    truncated: false,
    attributes: [],
  };
}

/** @param {string | Uint8Array} content */
function bytesOf(content) {
  return typeof content === "string" ? encode(content) : content;
}
