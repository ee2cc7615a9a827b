"""How a plugin, and the host, say that something could not be done.

The host's failures are raised as the class of their code, so that `except
NotFound` does what it says. Raise one yourself to end a call with it:

    raise Invalid("the setting url is not set")
    raise Unavailable("the receiver answered 503", retryable=True)
    raise Failure("quota", "the month's messages are used up")
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class Failure(Exception):
    """A code for programs, a sentence for people, and whether to try again."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retryable: bool = False,
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        #: One of the codes of the classes below, or a word of the plugin's own.
        self.code = code
        #: One sentence: what happened and what to do, without a secret in it.
        self.message = message
        #: Whether the same call may succeed later.
        self.retryable = retryable
        self.attributes = dict(attributes or {})

    def __repr__(self) -> str:
        again = ", retryable=True" if self.retryable else ""
        return f"Failure({self.code!r}, {self.message!r}{again})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Failure):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash((self.code, self.message, self.retryable))

    def _key(self) -> tuple[str, str, bool, dict[str, str]]:
        return (self.code, self.message, self.retryable, self.attributes)

    @staticmethod
    def of(
        code: str,
        message: str,
        *,
        retryable: bool = False,
        attributes: Mapping[str, str] | None = None,
    ) -> Failure:
        """A failure of the class that stands for `code`, if there is one."""
        known = _BY_CODE.get(code)
        if known is None:
            return Failure(code, message, retryable=retryable, attributes=attributes)
        return known(message, retryable=retryable, attributes=attributes)


class _Known(Failure):
    """A failure whose class says its code."""

    CODE: ClassVar[str]

    def __init__(
        self,
        message: str,
        *,
        retryable: bool = False,
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(self.CODE, message, retryable=retryable, attributes=attributes)


class Denied(_Known):
    """The plugin did not ask for it, or was not granted it."""

    CODE = "denied"


class NotFound(_Known):
    """There is no such thing."""

    CODE = "not-found"


class TooLarge(_Known):
    """More bytes than the host hands over."""

    CODE = "too-large"


class LimitReached(_Known):
    """Too many calls or results."""

    CODE = "limit"


class TimedOut(_Known):
    """It took longer than it may."""

    CODE = "timeout"


class Invalid(_Known):
    """Something given, such as a setting or a URL, is wrong."""

    CODE = "invalid"


class Unavailable(_Known):
    """Something that is needed does not answer or is not there yet."""

    CODE = "unavailable"


_BY_CODE: dict[str, type[_Known]] = {
    known.CODE: known
    for known in (
        Denied,
        NotFound,
        TooLarge,
        LimitReached,
        TimedOut,
        Invalid,
        Unavailable,
    )
}
