"""Variables of the environment that is deployed, as far as they are granted by
name. One that is secret is never readable."""

from __future__ import annotations

from typing import overload

from shipway_sdk import _host


@overload
def get(name: str) -> str | None: ...
@overload
def get(name: str, default: str) -> str: ...
def get(name: str, default: str | None = None) -> str | None:
    """The value of a variable, or `default` when it is not set.

    Raises `Denied` when it is not granted or is secret.
    """
    value = _host.current().variable(name)
    return default if value is None else value
