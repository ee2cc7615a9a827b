"""The host's functions, as the component imports them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from componentize_py_types import Err
from wit_world.imports import candidate, image, settings, source, variables
from wit_world.imports import http as wit_http
from wit_world.imports import log as wit_log

from shipway_sdk._component import lift, lower
from shipway_sdk.candidate import Endpoint
from shipway_sdk.deployment import Output
from shipway_sdk.http import Request, Response
from shipway_sdk.log import Level


class ComponentHost:
    """The real host."""

    def setting(self, name: str) -> str | None:
        """`settings.get`."""
        value: str | None = settings.get(lower.text(name, "the name of a setting"))
        return value

    def variable(self, name: str) -> str | None:
        """`variables.get`."""
        name = lower.text(name, "the name of a variable")
        value: str | None = _call(variables.get, name)
        return value

    def log(self, level: Level, message: str) -> None:
        """`log.write`. A line is never a reason to fail."""
        line = str(message).encode("utf-8", "replace").decode("utf-8")
        wit_log.write(wit_log.Level[Level(level).name], line)

    def read(self, path: str) -> bytes:
        """`source.read`."""
        return bytes(_call(source.read, lower.text(path, "a path")))

    def find(self, glob: str) -> list[str]:
        """`source.find`."""
        return list(_call(source.find, lower.text(glob, "a glob")))

    def run_image(self, argv: Sequence[str], variables: Mapping[str, str]) -> Output:
        """`image.run`."""
        words = lower.texts(argv, "a word of an argv")
        return lift.output(_call(image.run, words, lower.attributes(variables)))

    def send(self, request: Request) -> Response:
        """`http.send`."""
        return lift.response(_call(wit_http.send, lower.request(request)))

    def endpoints(self) -> list[Endpoint]:
        """`candidate.endpoints`."""
        return [lift.endpoint(record) for record in candidate.endpoints()]

    def exec(self, process: str, argv: Sequence[str]) -> Output:
        """`candidate.exec`."""
        words = lower.texts(argv, "a word of an argv")
        name = lower.text(process, "a process type")
        return lift.output(_call(candidate.exec, name, words))


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Err as failed:
        raise lift.failure(failed.value) from None
