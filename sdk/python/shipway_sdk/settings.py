"""The plugin's settings, as the operator and the environment gave them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from shipway_sdk import _host, _json
from shipway_sdk.failure import Invalid

_Value = TypeVar("_Value")


@overload
def get(name: str) -> str | None: ...
@overload
def get(name: str, default: str) -> str: ...
def get(name: str, default: str | None = None) -> str | None:
    """The value of a setting; `default` when it is not set or blank.

    A secret comes as a placeholder: put it where the request needs the value.
    """
    value = _host.current().setting(name)
    return default if value is None or not value.strip() else value


def require(name: str) -> str:
    """The value of a setting that the plugin cannot do without.

    Raises `Invalid` when it is not set.
    """
    value = get(name)
    if value is None:
        raise Invalid(f"the setting {name} is not set")
    return value


def parse(name: str, kind: Callable[[str], _Value]) -> _Value | None:
    """The value of a setting as a number, an enum and so on, if it is set.

        pages = settings.parse("pages", int) or 10

    Raises `Invalid`, with the reason, when `kind` raises `ValueError`.
    """
    value = get(name)
    if value is None:
        return None
    try:
        return kind(value.strip())
    except ValueError as reason:
        raise Invalid(f"the setting {name} does not do: {reason}") from None


def json(name: str) -> Any:
    """The value of a setting that is JSON, or `None` when it is not set.

    Raises `Invalid`, with the place, when it is no JSON.
    """
    return parse(name, _json.loads)
