"""The new instances before they are routed. Only in self-tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from shipway_sdk import _host
from shipway_sdk.deployment import Attributes, Output


@dataclass(frozen=True)
class Endpoint:
    """One address of the candidate."""

    #: The process type: `web`, …
    process: str
    #: `http://ADDRESS:PORT`, private to the engine's machine.
    url: str
    #: The domain to send as `Host`, or empty.
    host: str = ""
    attributes: Attributes = field(default_factory=dict)


def endpoints(process: str | None = None) -> list[Endpoint]:
    """Every port of every instance, or of those of one process type.

    Empty outside of self-tests.
    """
    every = _host.current().endpoints()
    return [one for one in every if process is None or one.process == process]


def exec(process: str, argv: Sequence[str]) -> Output:
    """Runs `argv` inside one instance of this process type, for at most 60 s,
    with the app's own environment.

    Raises `Denied` unless granted, `NotFound` when the candidate has no such
    process type, `TimedOut`.
    """
    return _host.current().exec(process, _host.words(argv))
