"""What the manifest asks for, taken as granted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from shipway_sdk.failure import Denied, Invalid
from shipway_sdk.http import Request
from shipway_sdk.plugin import Plugin

_PORTS = {"http": 80, "https": 443}


class Grants:
    """What a plugin may do when the operator grants all that it asks for.

    Each check raises `Denied` for what the manifest does not ask for.
    """

    def __init__(self, plugin: Plugin, settings: Mapping[str, str]) -> None:
        self._plugin = plugin
        self._settings = settings
        self._secrets = {one.name: one for one in plugin.settings if one.secret}

    def is_secret(self, name: str) -> bool:
        """Whether the plugin only gets a placeholder of this setting."""
        return name in self._secrets

    def placeholder(self, name: str) -> str:
        """What the plugin gets of a secret."""
        return f"secret:{name}"

    def asked(self, capability: str) -> None:
        """For a capability without targets."""
        if all(one.capability != capability for one in self._plugin.requests):
            raise Denied(f"the manifest does not request {capability}")

    def variable(self, name: str) -> None:
        """For a variable of the environment."""
        if name not in self._targets("variables"):
            raise Denied(f"the manifest does not request the variable {name}")

    def file(self, path: str) -> None:
        """For a file of the commit."""
        if any(_is_never_readable(name) for name in path.split("/")):
            raise Denied(f"{path} is never readable")
        if not any(glob(each).fullmatch(path) for each in self._targets("files")):
            raise Denied(f"{path} is in none of the globs that the manifest requests")

    def readable(self, pattern: str, paths: Iterable[str]) -> Iterator[str]:
        """Those of the paths that match a glob and may be read."""
        wanted = glob(pattern)
        for path in paths:
            try:
                self.file(path)
            except Denied:
                continue
            if wanted.fullmatch(path):
                yield path

    def request(self, request: Request, candidate: Sequence[str]) -> None:
        """For an HTTP request, and for each secret in it."""
        wanted = _origin(request.url)
        granted = [_origin(url) for url in candidate]
        for target in self._targets("http"):
            methods, _, url = target.rpartition(" ")
            if not methods or request.method in methods.split(","):
                granted.append(_origin(self._url(url)))
        if wanted is None:
            raise Invalid(f"{request.url} is no http:// or https:// URL")
        if wanted not in granted:
            raise Denied(f"the manifest does not request {request.method} {wanted}")
        for name, setting in self._secrets.items():
            self._secret(name, setting.secret_in, request)

    def _secret(self, name: str, places: Sequence[str], request: Request) -> None:
        found = set(_places(self.placeholder(name), request))
        may_be = {place.lower() for place in places}
        if "url" in may_be:
            may_be |= {"path", "query"}
        for place in sorted(found - may_be):
            raise Denied(f"the manifest does not put the secret {name} in {place}")

    def _url(self, target: str) -> str:
        name = target.removeprefix("setting:")
        if name == target:
            return target
        if self.is_secret(name):
            return self.placeholder(name)
        return self._settings.get(name, "")

    def _targets(self, capability: str) -> list[str]:
        requests = self._plugin.requests
        asked = [one.targets for one in requests if one.capability == capability]
        return [target for targets in asked for target in targets]


def glob(text: str) -> re.Pattern[str]:
    """A glob as the engine reads it: `*` and `?` stay within one name."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]*\]|\{[^{}]*\})", text)
    return re.compile("".join(_part(part) for part in parts), re.DOTALL)


def _part(part: str) -> str:
    simple = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    if part in simple:
        return simple[part]
    if part.startswith("["):
        inner = re.escape(part[1:-1].removeprefix("!")).replace(r"\-", "-")
        return f"[{'^/' if part.startswith('[!') else ''}{inner}]"
    if part.startswith("{"):
        return f"(?:{'|'.join(glob(one).pattern for one in part[1:-1].split(','))})"
    return re.escape(part)


def _places(placeholder: str, request: Request) -> Iterator[str]:
    parts = urlsplit(request.url)
    if placeholder in parts.path:
        yield "path"
    if placeholder in parts.query:
        yield "query"
    if placeholder.encode() in request.body:
        yield "body"
    for name, value in request.headers.pairs:
        if placeholder in value:
            yield f"header:{name.lower()}"


def _origin(url: str) -> str | None:
    # A URL that is secret as a whole is its own origin, whatever it holds.
    if url.startswith("secret:"):
        return url
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (KeyError, ValueError):
        return None
    return f"{parts.scheme}://{parts.hostname}:{port}"


def _is_never_readable(name: str) -> bool:
    return name in ("", ".", "..", ".git") or name.startswith(".env")
