"""HTTP to granted hosts. In a self-test the candidate's endpoints are granted
without asking. Redirects are returned, never followed.

    response = http.post(url, json={"text": "shop/live: succeeded"})
    if not response.ok:
        raise Unavailable(f"the receiver answered {response.status}")
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from json import dumps
from typing import Any

from shipway_sdk import _host, _json
from shipway_sdk.deployment import Attributes
from shipway_sdk.failure import Invalid

#: Headers as given: by name, or as pairs where a name comes twice.
HeadersLike = Mapping[str, str] | Iterable[tuple[str, str]]


class Headers(Mapping[str, str]):
    """Headers by name, compared without case. A name may come several times:
    the first value is found by it, and all of them by `all`."""

    def __init__(self, headers: HeadersLike = ()) -> None:
        #: Name and value, as given and in order.
        self.pairs: tuple[tuple[str, str], ...]
        if isinstance(headers, Headers):
            self.pairs = headers.pairs
        elif isinstance(headers, Mapping):
            self.pairs = tuple(headers.items())
        else:
            self.pairs = tuple((name, value) for name, value in headers)

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        wanted = name.lower()
        return [value for key, value in self.pairs if key.lower() == wanted]

    def __getitem__(self, name: str) -> str:
        values = self.all(name) if isinstance(name, str) else []
        if not values:
            raise KeyError(name)
        return values[0]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name.lower() for name, _ in self.pairs))

    def __len__(self) -> int:
        return len({name.lower() for name, _ in self.pairs})

    def __repr__(self) -> str:
        return f"Headers({list(self.pairs)!r})"


@dataclass(frozen=True, init=False)
class Request:
    """One request."""

    method: str
    url: str
    headers: Headers
    #: At most 1 MiB.
    body: bytes
    #: Seconds; 10 unless set, at most 60.
    timeout: float | None
    attributes: Attributes

    def __init__(
        self,
        method: str,
        url: str,
        headers: HeadersLike = (),
        body: bytes | str = b"",
        timeout: float | None = None,
        attributes: Attributes | None = None,
    ) -> None:
        """Text of a body is sent as UTF-8."""
        content = body.encode() if isinstance(body, str) else bytes(body)
        object.__setattr__(self, "method", method)
        object.__setattr__(self, "url", url)
        object.__setattr__(self, "headers", Headers(headers))
        object.__setattr__(self, "body", content)
        object.__setattr__(self, "timeout", timeout)
        object.__setattr__(self, "attributes", dict(attributes or {}))


@dataclass(frozen=True, init=False)
class Response:
    """One answer. Any status is an answer."""

    status: int
    headers: Headers
    #: At most 1 MiB.
    body: bytes
    attributes: Attributes

    def __init__(
        self,
        status: int,
        headers: HeadersLike = (),
        body: bytes | str = b"",
        attributes: Attributes | None = None,
    ) -> None:
        """The host makes it, and a test."""
        content = body.encode() if isinstance(body, str) else bytes(body)
        object.__setattr__(self, "status", status)
        object.__setattr__(self, "headers", Headers(headers))
        object.__setattr__(self, "body", content)
        object.__setattr__(self, "attributes", dict(attributes or {}))

    @property
    def ok(self) -> bool:
        """Whether the status is 200 to 299."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 becomes U+FFFD."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises `Invalid` when it is none."""
        try:
            return _json.loads(self.body)
        except ValueError as reason:
            raise Invalid(f"the answer is no JSON: {reason}") from None


def get(
    url: str,
    *,
    headers: HeadersLike = (),
    timeout: float | None = None,
) -> Response:
    """Asks for a URL. Raises what `send` raises."""
    return send(Request("GET", url, headers, timeout=timeout))


def post(
    url: str,
    *,
    json: Any = None,
    body: bytes | str = b"",
    headers: HeadersLike = (),
    timeout: float | None = None,
) -> Response:
    """Posts a body, or a value as JSON with its `content-type`.

    Raises what `send` raises.
    """
    if json is None:
        return send(Request("POST", url, headers, body, timeout))
    if body:
        raise TypeError("a request has one body: give json or body")
    every = Headers(headers)
    if "content-type" not in every:
        every = Headers([("content-type", "application/json"), *every.pairs])
    text = dumps(json, ensure_ascii=False)
    return send(Request("POST", url, every, text, timeout))


def send(request: Request) -> Response:
    """Sends a request and reads the whole answer.

    Raises `Denied` (not granted), `TimedOut`, `Unavailable` (no connection),
    `TooLarge` (a body over 1 MiB), `LimitReached`, `Invalid`.
    """
    return _host.current().send(request)
