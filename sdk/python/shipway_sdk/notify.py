"""The role of a notifier: who must be told?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shipway_sdk import _json
from shipway_sdk.deployment import Attributes, Deployment


@dataclass(frozen=True)
class Event:
    """One line of a deployment's journal, as others see it."""

    #: The same in every retry, so that a receiver can drop repeats.
    id: str
    #: The event's number in its deployment, from 1, without a gap.
    sequence: int
    #: RFC 3339, UTC.
    time: str
    #: `deployment.queued`, `step.started`, `deployment.ended`, … The list
    #: grows: expect words you do not know.
    kind: str
    deployment: Deployment
    #: One sentence for a person.
    summary: str
    #: The event's own data as JSON, as in the API.
    data: str = "{}"
    attributes: Attributes = field(default_factory=dict)

    @property
    def details(self) -> Any:
        """`data`, read. Raises `ValueError` when it is no JSON."""
        return _json.loads(self.data)
