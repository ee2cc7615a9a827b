"""The nouns of a deployment: what a call is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: Name and value pairs. What later versions of the contract add travels here;
#: ignore names you do not know.
Attributes = Mapping[str, str]


@dataclass(frozen=True)
class Deployment:
    """The deployment a call belongs to."""

    #: UUID, the same in every event and log line.
    id: str
    app: str
    environment: str
    #: The full commit id. Empty while the commit is not resolved yet.
    commit: str
    #: What was asked for: a branch, a tag or a commit.
    reference: str
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True)
class Provenance:
    """Where something was found, so that a person can go there."""

    #: Path in the repository, or empty when it was not a file.
    file: str = ""
    #: The place in it: `line 3`, `MIGRATION_COMMANDS[0]`, …
    place: str = ""


#: The provenance of what was found nowhere in particular.
NOWHERE = Provenance()


@dataclass(frozen=True)
class Output:
    """What a command that the host ran for the plugin left."""

    exit_code: int = 0
    #: At most 1 MiB of each stream.
    stdout: bytes = b""
    stderr: bytes = b""
    #: Whether a stream was longer.
    truncated: bool = False
    attributes: Attributes = field(default_factory=dict)

    @property
    def succeeded(self) -> bool:
        """Whether the command ended with 0."""
        return self.exit_code == 0

    @property
    def stdout_text(self) -> str:
        """The standard output as text; what is no UTF-8 becomes U+FFFD."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def stderr_text(self) -> str:
        """The standard error as text; what is no UTF-8 becomes U+FFFD."""
        return self.stderr.decode("utf-8", "replace")
