"""The role of a self-test: is the new version fit to serve?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from shipway_sdk.deployment import Attributes


class Outcome(str, Enum):
    """How a check ended. Closed for good; only `fail` fails the deployment."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True)
class Check:
    """One named check."""

    name: str
    outcome: Outcome
    #: What was seen, in one sentence.
    message: str
    #: Seconds; the host counts whole milliseconds.
    duration: float = 0.0
    attributes: Attributes = field(default_factory=dict)

    @classmethod
    def passed(cls, name: str, message: str, duration: float = 0.0) -> Check:
        """A check that the candidate passed."""
        return cls(name, Outcome.PASS, message, duration)

    @classmethod
    def warned(cls, name: str, message: str, duration: float = 0.0) -> Check:
        """A check that leaves a doubt, and the deployment goes on."""
        return cls(name, Outcome.WARN, message, duration)

    @classmethod
    def failed(cls, name: str, message: str, duration: float = 0.0) -> Check:
        """A check that ends the deployment."""
        return cls(name, Outcome.FAIL, message, duration)

    @classmethod
    def skipped(cls, name: str, message: str) -> Check:
        """A check that was not made, and why."""
        return cls(name, Outcome.SKIP, message)


@dataclass
class Report:
    """What a self-test found."""

    checks: list[Check] = field(default_factory=list)
    attributes: Attributes = field(default_factory=dict)

    def add(self, check: Check) -> None:
        """Adds a check after those that are there."""
        self.checks.append(check)


def report_from(answer: Report | Iterable[Check]) -> Report:
    """What a function of the role returned, as a `Report`.

    Raises `TypeError` for what is neither that nor checks.
    """
    if isinstance(answer, Report):
        return answer
    if answer is None or isinstance(answer, (str, Check)):
        raise TypeError(
            "a self-test returns a Report or a list of checks, "
            f"not {type(answer).__name__}"
        )
    return Report(list(answer))
