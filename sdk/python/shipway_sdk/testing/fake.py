"""The host that a unit test sets up and looks at afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from shipway_sdk import _host
from shipway_sdk.candidate import Endpoint
from shipway_sdk.deployment import Deployment, Output
from shipway_sdk.failure import LimitReached, NotFound, TooLarge, Unavailable
from shipway_sdk.http import Request, Response
from shipway_sdk.log import Level
from shipway_sdk.notify import Event
from shipway_sdk.plugin import Plugin
from shipway_sdk.release import Collected
from shipway_sdk.self_test import Report
from shipway_sdk.testing.grants import Grants

#: The largest file that `source.read` hands over.
_FILE_BYTES = 1 << 20
#: The most paths that `source.find` hands over.
_FOUND_PATHS = 1000


@dataclass(frozen=True)
class Line:
    """One line that the plugin wrote to the log."""

    level: Level
    message: str


@dataclass(frozen=True)
class ImageCall:
    """One command that the plugin ran in the image."""

    argv: Sequence[str]
    variables: Mapping[str, str]


@dataclass(frozen=True)
class InstanceCall:
    """One command that the plugin ran in an instance of the candidate."""

    process: str
    argv: Sequence[str]


class FakeHost:
    """An in-memory host for one plugin.

    What answers a call may also raise a failure, as the host would. Without
    `image` there is no image yet, without `http` no host answers, and without
    `exec` there is no instance to run in.
    """

    def __init__(
        self,
        plugin: Plugin,
        *,
        files: Mapping[str, bytes | str] | None = None,
        settings: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        endpoints: Sequence[Endpoint] = (),
        image: Callable[[ImageCall], Output] | None = None,
        http: Callable[[Request], Response] | None = None,
        exec: Callable[[InstanceCall], Output] | None = None,
    ) -> None:
        self.plugin = plugin
        #: The files of the commit; text is UTF-8.
        self.files = {
            path: content.encode() if isinstance(content, str) else content
            for path, content in (files or {}).items()
        }
        #: A secret's value never reaches the plugin: it gets `secret:NAME`.
        self.settings = dict(settings or {})
        self.variables = dict(variables or {})
        #: The instances, which only a self-test sees.
        self.endpoints = list(endpoints)
        self.image = image
        self.http = http
        self.exec = exec
        #: The HTTP requests that were sent, in order, with placeholders.
        self.requests: list[Request] = []
        self.image_calls: list[ImageCall] = []
        self.exec_calls: list[InstanceCall] = []
        self.log: list[Line] = []

    def collect(self, about: Deployment | None = None) -> Collected:
        """What the plugin's release source collects."""
        with self.entered():
            return self.plugin.collect(about or deployment())

    def deliver(self, told: Event | None = None) -> None:
        """Lets the plugin's notifier deliver an event."""
        with self.entered():
            self.plugin.deliver(told or event())

    def test(self, about: Deployment | None = None) -> Report:
        """What the plugin's self-test reports."""
        with self.entered(self.endpoints):
            return self.plugin.test(about or deployment())

    @property
    def messages(self) -> list[str]:
        """The lines that were logged, without their levels."""
        return [line.message for line in self.log]

    @contextmanager
    def entered(self, endpoints: Sequence[Endpoint] = ()) -> Iterator[None]:
        """Lets the code in the block ask this host, as in a call."""
        with _host.entered(_Calls(self, list(endpoints))):
            yield


class _Calls:
    """The host's functions during one call of the plugin."""

    def __init__(self, host: FakeHost, endpoints: list[Endpoint]) -> None:
        self._host = host
        self._endpoints = endpoints
        self._grants = Grants(host.plugin, host.settings)

    def setting(self, name: str) -> str | None:
        value = self._host.settings.get(name)
        if value is not None and self._grants.is_secret(name):
            return self._grants.placeholder(name)
        return value

    def variable(self, name: str) -> str | None:
        self._grants.variable(name)
        return self._host.variables.get(name)

    def log(self, level: Level, message: str) -> None:
        self._host.log.append(Line(level, message))

    def read(self, path: str) -> bytes:
        self._grants.file(path)
        content = self._host.files.get(path)
        if content is None:
            raise NotFound(f"there is no {path}")
        if len(content) > _FILE_BYTES:
            raise TooLarge(f"{path} is over 1 MiB")
        return content

    def find(self, glob: str) -> list[str]:
        found = sorted(self._grants.readable(glob, self._host.files))
        if len(found) > _FOUND_PATHS:
            raise LimitReached(f"{glob} matches over {_FOUND_PATHS} paths")
        return found

    def run_image(self, argv: Sequence[str], variables: Mapping[str, str]) -> Output:
        self._grants.asked("image")
        call = ImageCall(argv, variables)
        self._host.image_calls.append(call)
        if self._host.image is None:
            raise Unavailable("there is no image yet")
        return self._host.image(call)

    def send(self, request: Request) -> Response:
        self._grants.request(request, [one.url for one in self._endpoints])
        self._host.requests.append(request)
        if self._host.http is None:
            raise Unavailable(f"{request.url} does not answer", retryable=True)
        return self._host.http(request)

    def endpoints(self) -> list[Endpoint]:
        return list(self._endpoints)

    def exec(self, process: str, argv: Sequence[str]) -> Output:
        self._grants.asked("exec")
        call = InstanceCall(process, argv)
        self._host.exec_calls.append(call)
        if self._host.exec is None:
            raise NotFound(f"the candidate has no process {process}")
        return self._host.exec(call)


def deployment(
    *,
    app: str = "shop",
    environment: str = "live",
    commit: str = "4f2a0c1e9b7d5a3f8e6c4b2a0d9f7e5c3b1a0f2e",
    reference: str = "main",
) -> Deployment:
    """A deployment to call a plugin with."""
    return Deployment(
        id="0198c0de-0000-7000-8000-000000000001",
        app=app,
        environment=environment,
        commit=commit,
        reference=reference,
    )


def event(
    kind: str = "deployment.ended",
    *,
    summary: str = "shop/live: succeeded",
    data: str = '{"ending":"succeeded"}',
    about: Deployment | None = None,
) -> Event:
    """An event to call a notifier with."""
    return Event(
        id="0198c0de-0000-7000-8000-000000000002",
        sequence=7,
        time="2026-11-22T10:00:00Z",
        kind=kind,
        deployment=about or deployment(),
        summary=summary,
        data=data,
    )
