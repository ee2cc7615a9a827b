"""From the SDK's records to the generated ones.

Python holds no one to the types that are written down, and what does not fit a
record of the contract would be a trap. So each value is looked at here, and what
does not fit is a `TypeError` or `ValueError` that says which it is.
"""

import math
from collections.abc import Iterable
from enum import Enum
from typing import Any

from wit_world.exports import manifest
from wit_world.imports import http as wit_http
from wit_world.imports import model

from shipway_sdk.deployment import Attributes, Provenance
from shipway_sdk.failure import Failure
from shipway_sdk.http import Request
from shipway_sdk.plugin import Plugin
from shipway_sdk.release import Argv, Collected, Command, Invocation, Shell, Skipped
from shipway_sdk.self_test import Check, Outcome, Report

# Only a world with the role has its module; only then is it used.
try:
    from wit_world.exports import commands
except ImportError:
    commands = None
try:
    from wit_world.exports import checks
except ImportError:
    checks = None

#: The largest number that the contract has for a time.
_TOP = 2**32 - 1


def failure(given: Failure) -> Any:
    """A failure."""
    return model.Failure(
        code=text(given.code, "the code of a failure"),
        message=text(given.message, "the message of a failure"),
        retryable=bool(given.retryable),
        attributes=attributes(given.attributes),
    )


def description(plugin: Plugin) -> Any:
    """The manifest."""
    return manifest.Description(
        name=text(plugin.name, "the plugin's name"),
        version=text(plugin.version, "the plugin's version"),
        summary=text(plugin.summary, "the plugin's summary"),
        settings=[
            manifest.Setting(
                name=text(setting.name, "the name of a setting"),
                summary=text(setting.summary, "the summary of a setting"),
                required=bool(setting.required),
                secret=setting.secret,
                places=texts(setting.secret_in, "a place of a secret"),
                attributes=attributes(setting.attributes),
            )
            for setting in plugin.settings
        ],
        requests=[
            manifest.Request(
                capability=text(request.capability, "a capability"),
                targets=texts(request.targets, "the target of a request"),
                reason=text(request.reason, "the reason of a request"),
                attributes=attributes(request.attributes),
            )
            for request in plugin.requests
        ],
        attributes=attributes(plugin.attributes),
    )


def collected(given: Collected) -> Any:
    """What a release source found."""
    return commands.Collected(
        commands=[command(of(each, Command)) for each in given.commands],
        skipped=[skipped(of(each, Skipped)) for each in given.skipped],
        warnings=texts(given.warnings, "a warning"),
        attributes=attributes(given.attributes),
    )


def command(given: Command) -> Any:
    """One release command."""
    return commands.ReleaseCommand(
        label=text(given.label, "the label of a command"),
        run=invocation(given.run),
        phase=text(given.phase, "the phase of a command"),
        entrypoint=text(given.entrypoint, "the entrypoint of a command"),
        timeout_seconds=whole(given.timeout, 1, "the timeout of a command"),
        when=text(given.when, "the when of a command"),
        undo=None if given.undo is None else invocation(given.undo),
        provenance=provenance(given.provenance),
        attributes=attributes(given.attributes),
    )


def invocation(given: Invocation) -> Any:
    """How a command is run."""
    if isinstance(given, Shell):
        return commands.Invocation_Shell(text(given.line, "a shell command"))
    return commands.Invocation_Argv(texts(of(given, Argv).words, "a word of an argv"))


def skipped(given: Skipped) -> Any:
    """Something that a source did not take."""
    return commands.Skipped(
        what=text(given.what, "what was skipped"),
        reason=text(given.reason, "the reason why something was skipped"),
        provenance=provenance(given.provenance),
        attributes=attributes(given.attributes),
    )


def provenance(given: Provenance) -> Any:
    """Where something was found."""
    given = of(given, Provenance)
    return model.Provenance(
        file=text(given.file, "the file of a provenance"),
        place=text(given.place, "the place of a provenance"),
    )


def report(given: Report) -> Any:
    """What a self-test found."""
    return checks.Report(
        checks=[check(of(each, Check)) for each in given.checks],
        attributes=attributes(given.attributes),
    )


def check(given: Check) -> Any:
    """One check."""
    return checks.Check(
        name=text(given.name, "the name of a check"),
        outcome=checks.Outcome[Outcome(given.outcome).name],
        message=text(given.message, "the message of a check"),
        duration_ms=whole(given.duration, 1000, "the duration of a check") or 0,
        attributes=attributes(given.attributes),
    )


def request(given: Request) -> Any:
    """One HTTP request."""
    return wit_http.Request(
        method=text(given.method, "the method of a request"),
        url=text(given.url, "the url of a request"),
        headers=[
            (text(name, "the name of a header"), text(value, f"the header {name}"))
            for name, value in given.headers.pairs
        ],
        body=given.body,
        timeout_ms=whole(given.timeout, 1000, "the timeout of a request"),
        attributes=attributes(given.attributes),
    )


def attributes(given: Attributes) -> list[tuple[str, str]]:
    """Name and value pairs."""
    return [
        (text(name, "the name of an attribute"), text(value, f"the attribute {name}"))
        for name, value in given.items()
    ]


def of(value: Any, kind: type) -> Any:
    """`value`, which is of this class."""
    if not isinstance(value, kind):
        raise TypeError(f"a {kind.__name__} is wanted, not {_kind_of(value)}")
    return value


def texts(values: Iterable[Any], what: str) -> list[str]:
    """A list of texts, which one text is not."""
    if isinstance(values, str):
        raise TypeError(f"{what} is in a list of texts, and this is one text")
    return [text(value, what) for value in values]


def text(value: Any, what: str) -> str:
    """A text that UTF-8 can hold."""
    if not isinstance(value, str):
        raise TypeError(f"{what} is a text, not {_kind_of(value)}")
    plain: str = value.value if isinstance(value, Enum) else str(value)
    try:
        plain.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(f"{what} has half a character in it") from None
    return plain


def whole(value: Any, units: int, what: str) -> int | None:
    """Seconds in whole units of the contract, rounded up; not set stays so."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{what} is a number of seconds, not {_kind_of(value)}")
    if not 0 <= value <= _TOP / units:
        raise ValueError(f"{what} is not between 0 and {_TOP // units} seconds")
    # To the microsecond, so that 0.1 s is 100 ms whatever a float says.
    return math.ceil(round(value * units, 6))


def _kind_of(value: Any) -> str:
    return type(value).__name__
