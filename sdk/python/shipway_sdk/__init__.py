"""Write Shipway plugins in Python: a plugin is an object and a few functions.

    from shipway_sdk import Collected, Command, Deployment, NotFound, Plugin
    from shipway_sdk import Request, source

    plugin = Plugin(
        name="makefile",
        version="1.0.0",
        summary="Runs the target `release` of the Makefile.",
        requests=[Request.files(["Makefile"], "To see whether it has the target.")],
    )


    @plugin.release_source
    def collect(deployment: Deployment) -> Collected:
        collected = Collected()
        try:
            lines = source.read_text("Makefile").split("\\n")
        except NotFound:
            return collected
        for number, line in enumerate(lines, start=1):
            if line.startswith("release:"):
                collected.add(
                    Command.shell("make release").at("Makefile", f"line {number}")
                )
        return collected

What a plugin **is**:

* `plugin`: the object every plugin has, and what it says about itself;
* `deployment`: what a call is about;
* `release`, `notify`, `self_test`: the three roles;
* `failure`: how a plugin says that something could not be done.

What a plugin may **ask the host**: `source` (files of the commit), `image` (the
image probe), `http`, `settings`, `variables`, `candidate`, `log`.

How it is **tested**: `shipway_sdk.testing` has an in-memory host for unit tests,
and runs cases through the real one.

A plugin never sees a secret, never reaches a file, a host or an image that it
did not ask for in its manifest, and keeps nothing between two calls. Import
every module at the top of your files: the library is there only while the
component is built.
"""

from shipway_sdk import candidate, http, image, log, settings, source, variables
from shipway_sdk.candidate import Endpoint
from shipway_sdk.deployment import Attributes, Deployment, Output, Provenance
from shipway_sdk.failure import (
    Denied,
    Failure,
    Invalid,
    LimitReached,
    NotFound,
    TimedOut,
    TooLarge,
    Unavailable,
)
from shipway_sdk.notify import Event
from shipway_sdk.plugin import Plugin, Request, Setting
from shipway_sdk.release import (
    Argv,
    Collected,
    Command,
    Entrypoint,
    Invocation,
    Phase,
    Shell,
    Skipped,
    When,
)
from shipway_sdk.self_test import Check, Outcome, Report

__all__ = [
    "Argv",
    "Attributes",
    "Check",
    "Collected",
    "Command",
    "Denied",
    "Deployment",
    "Endpoint",
    "Entrypoint",
    "Event",
    "Failure",
    "Invalid",
    "Invocation",
    "LimitReached",
    "NotFound",
    "Outcome",
    "Output",
    "Phase",
    "Plugin",
    "Provenance",
    "Report",
    "Request",
    "Setting",
    "Shell",
    "Skipped",
    "TimedOut",
    "TooLarge",
    "Unavailable",
    "When",
    "candidate",
    "http",
    "image",
    "log",
    "settings",
    "source",
    "variables",
]
