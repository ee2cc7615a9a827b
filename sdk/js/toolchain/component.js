// The component's main module: connects the contract's imports to the SDK, and
// the author's plugin to the contract's exports. `build.js` bundles it.

import candidate from "shipway:plugin/candidate";
import http from "shipway:plugin/http";
import image from "shipway:plugin/image";
import log from "shipway:plugin/log";
import settings from "shipway:plugin/settings";
import source from "shipway:plugin/source";
import variables from "shipway:plugin/variables";

import "./globals.js";
import { connect } from "../lib/host.js";
import { exportsOf } from "../lib/exports.js";
import { checkRoles } from "../lib/plugin.js";
import { traceOf } from "./trace.js";

// Both are given by `build.js`.
import plugin from "shipway-project:plugin";
import roles from "shipway-project:roles";

checkRoles(plugin, roles);
connect({ candidate, http, image, log, settings, source, variables });

export const { manifest, commands, notifier, checks } = exportsOf(
  plugin,
  traceOf,
);
