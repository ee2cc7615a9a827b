"""Where the host's functions come from: the component's imports, or in a unit
test the host of `shipway_sdk.testing`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

from shipway_sdk.failure import Unavailable

if TYPE_CHECKING:
    from shipway_sdk.candidate import Endpoint
    from shipway_sdk.deployment import Output
    from shipway_sdk.http import Request, Response
    from shipway_sdk.log import Level


class Host(Protocol):
    """What a plugin may ask. Each may raise a `Failure`."""

    def setting(self, name: str) -> str | None: ...
    def variable(self, name: str) -> str | None: ...
    def log(self, level: Level, message: str) -> None: ...
    def read(self, path: str) -> bytes: ...
    def find(self, glob: str) -> list[str]: ...
    def run_image(
        self, argv: Sequence[str], variables: Mapping[str, str]
    ) -> Output: ...
    def send(self, request: Request) -> Response: ...
    def endpoints(self) -> list[Endpoint]: ...
    def exec(self, process: str, argv: Sequence[str]) -> Output: ...


# The component's host is set while the component is built and stays; a test's
# host is entered and left, in its own thread or task.
_component: Host | None = None
_entered: ContextVar[Host | None] = ContextVar("shipway_sdk_host", default=None)


def current() -> Host:
    """The host to ask. Raises `Unavailable` when there is none."""
    host = _entered.get() or _component
    if host is None:
        raise Unavailable(
            "this is no component, and no host is entered; call the plugin "
            "through shipway_sdk.testing.FakeHost"
        )
    return host


def serve(host: Host) -> None:
    """Makes `host` the one of this component."""
    global _component
    _component = host


@contextmanager
def entered(host: Host) -> Iterator[None]:
    """Makes `host` the one of this thread or task, until the block is left."""
    token = _entered.set(host)
    try:
        yield
    finally:
        _entered.reset(token)


def words(argv: Sequence[str]) -> list[str]:
    """An argv as the host takes it, which one string is not."""
    if isinstance(argv, str):
        raise TypeError("an argv is a list of words, not one string")
    return list(argv)
