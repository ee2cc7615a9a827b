"""The role of a release source: which release commands does this app want?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from shipway_sdk.deployment import NOWHERE, Attributes, Provenance


@dataclass(frozen=True)
class Shell:
    """One string for `sh -c`, byte for byte as its author wrote it."""

    line: str


@dataclass(frozen=True)
class Argv:
    """A program and its arguments, without a shell."""

    words: Sequence[str]

    def __post_init__(self) -> None:
        if isinstance(self.words, str):
            raise TypeError("an argv is a list of words; use Shell for one string")
        object.__setattr__(self, "words", tuple(self.words))
        for word in self.words:
            if not isinstance(word, str):
                raise TypeError(f"an argv is a list of words, and {word!r} is none")


#: How a command is run.
Invocation = Shell | Argv


class Phase(str, Enum):
    """When in a deployment a command runs."""

    #: The image is built, the new version not started.
    RELEASE = "release"
    #: The new version is up and healthy, not yet routed.
    GATE = "gate"
    #: The new version is routed.
    AFTER = "after"
    #: The deployment failed.
    FAILED = "failed"


class Entrypoint(str, Enum):
    """Whether the image's entrypoint stands in front of a command."""

    KEEP = "keep"
    BYPASS = "bypass"


class When(str, Enum):
    """At which deployments a command runs."""

    ALWAYS = "always"
    #: Only while the environment has never had a successful deployment.
    FIRST_DEPLOY = "first-deploy"
    #: Once per environment, image and command.
    ONCE = "once"


#: The longest label that is made from a command, in characters.
_LABEL_CHARACTERS = 100


@dataclass(frozen=True)
class Command:
    """One command to run once per deployment."""

    run: Invocation
    #: What people read in plan and log; the command itself unless set.
    label: str = ""
    phase: Phase | str = Phase.RELEASE
    entrypoint: Entrypoint | str = Entrypoint.BYPASS
    #: Seconds, rounded up to whole ones; 1,800 unless set.
    timeout: float | None = None
    when: When | str = When.ALWAYS
    #: What takes it back, run in the new image, in reverse order.
    undo: Invocation | None = None
    provenance: Provenance = NOWHERE
    attributes: Attributes = field(default_factory=dict)

    def __post_init__(self) -> None:
        for invocation in (self.run, self.undo):
            if not isinstance(invocation, (Shell, Argv, type(None))):
                raise TypeError("a command is a Shell(...) or an Argv([...])")
        if not self.label:
            object.__setattr__(self, "label", _readable(self.run))

    @classmethod
    def shell(
        cls,
        line: str,
        *,
        label: str = "",
        phase: Phase | str = Phase.RELEASE,
        entrypoint: Entrypoint | str = Entrypoint.BYPASS,
        timeout: float | None = None,
        when: When | str = When.ALWAYS,
        undo: Invocation | None = None,
    ) -> Command:
        """A command that is one string for `sh -c`."""
        return cls(Shell(line), label, phase, entrypoint, timeout, when, undo)

    @classmethod
    def argv(
        cls,
        words: Sequence[str],
        *,
        label: str = "",
        phase: Phase | str = Phase.RELEASE,
        entrypoint: Entrypoint | str = Entrypoint.BYPASS,
        timeout: float | None = None,
        when: When | str = When.ALWAYS,
        undo: Invocation | None = None,
    ) -> Command:
        """A command that is a program and its arguments."""
        return cls(Argv(words), label, phase, entrypoint, timeout, when, undo)

    def at(self, file: str, place: str = "") -> Command:
        """The same command, found in this file at this place."""
        return replace(self, provenance=Provenance(file, place))


@dataclass(frozen=True)
class Skipped:
    """Something that a source saw and did not take."""

    what: str
    #: Why, in one sentence.
    reason: str
    provenance: Provenance = NOWHERE
    attributes: Attributes = field(default_factory=dict)


@dataclass
class Collected:
    """What a release source found."""

    #: In the order in which they run.
    commands: list[Command] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    #: What a person should know: a fallback that was taken, a doubt.
    warnings: list[str] = field(default_factory=list)
    attributes: Attributes = field(default_factory=dict)

    def add(self, command: Command) -> None:
        """Adds a command after those that are there."""
        self.commands.append(command)

    def skip(self, what: str, reason: str, provenance: Provenance = NOWHERE) -> None:
        """Says what the source saw and did not take, and why."""
        self.skipped.append(Skipped(what, reason, provenance))

    def warn(self, warning: str) -> None:
        """Says what a person should know."""
        self.warnings.append(warning)


def collected_from(answer: Collected | Iterable[Command]) -> Collected:
    """What a function of the role returned, as a `Collected`.

    Raises `TypeError` for what is neither that nor commands.
    """
    if isinstance(answer, Collected):
        return answer
    if answer is None or isinstance(answer, (str, Command)):
        raise TypeError(
            "a release source returns a Collected or a list of commands, "
            f"not {type(answer).__name__}"
        )
    return Collected(list(answer))


def _readable(run: Invocation) -> str:
    words = run.line.split() if isinstance(run, Shell) else run.words
    line = " ".join(words)
    if len(line) <= _LABEL_CHARACTERS:
        return line
    return line[: _LABEL_CHARACTERS - 1] + "…"
