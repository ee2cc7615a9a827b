// The library has what its types promise. Checked by `tsc`, never run.

import * as candidate from "../lib/candidate.js";
import { check } from "../lib/check.js";
import { argv, shell } from "../lib/command.js";
import { Failure } from "../lib/failure.js";
import * as http from "../lib/http.js";
import * as image from "../lib/image.js";
import * as log from "../lib/log.js";
import { definePlugin } from "../lib/plugin.js";
import * as settings from "../lib/settings.js";
import * as source from "../lib/source.js";
import * as utf8 from "../lib/utf8.js";
import * as variables from "../lib/variables.js";
import { runCases, testCases } from "../testing/cases.js";
import { Host } from "../testing/host.js";
import { deployment, event } from "../testing/subjects.js";

export const library: typeof import("../index.js") = {
  argv,
  candidate,
  check,
  definePlugin,
  Failure,
  http,
  image,
  log,
  settings,
  shell,
  source,
  utf8,
  variables,
};

export const testing: typeof import("../testing.js") = {
  deployment,
  event,
  Host,
  runCases,
  testCases,
};
