"""The object every plugin has, and what it says about itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from shipway_sdk.deployment import Attributes, Deployment
from shipway_sdk.notify import Event
from shipway_sdk.release import Collected, Command, collected_from
from shipway_sdk.self_test import Check, Report, report_from

#: A function of the role release source: collects the release commands that
#: the commit asks for. It may also be a generator of commands.
Collect = Callable[[Deployment], "Collected | Iterable[Command]"]
#: A function of the role notifier: delivers one event. It may come again with
#: the same id, after a failure or a crash.
Deliver = Callable[[Event], None]
#: A function of the role self-test: tests the candidate. It may also be a
#: generator of checks.
Test = Callable[[Deployment], "Report | Iterable[Check]"]

_Collect = TypeVar("_Collect", bound=Collect)
_Deliver = TypeVar("_Deliver", bound=Deliver)
_Test = TypeVar("_Test", bound=Test)


@dataclass(frozen=True)
class Setting:
    """One setting that the plugin reads through `shipway_sdk.settings`."""

    name: str
    #: What it does, and what holds when it is not set.
    summary: str
    required: bool = False
    #: Names it a secret, and says where in a request the plugin puts it:
    #: `header:NAME`, `path`, `query`, `body`, or `url` for a URL that is secret
    #: as a whole. The plugin gets a placeholder; the host puts the value in on
    #: the way out, in these places only, to the hosts it is granted for.
    secret_in: Sequence[str] = ()
    attributes: Attributes = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.secret_in, str):
            raise TypeError(f"setting {self.name}: secret_in is a list of places")

    @property
    def secret(self) -> bool:
        """Whether the plugin only ever gets a placeholder."""
        return bool(self.secret_in)


@dataclass(frozen=True)
class Request:
    """One capability the plugin asks for. A request is never a grant."""

    #: `files`, `variables`, `image`, `http` or `exec`.
    capability: str
    targets: Sequence[str]
    #: Why, in one sentence that an operator reads before granting.
    reason: str
    attributes: Attributes = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.targets, str):
            raise TypeError(f"the request of {self.capability} needs a list of targets")

    @classmethod
    def files(cls, globs: Sequence[str], reason: str) -> Request:
        """Asks to read the files of the commit that match one of these globs."""
        return cls("files", globs, reason)

    @classmethod
    def variables(cls, names: Sequence[str], reason: str) -> Request:
        """Asks to read these plain variables of the environment."""
        return cls("variables", names, reason)

    @classmethod
    def image(cls, reason: str) -> Request:
        """Asks to run bounded commands in the image that was built."""
        return cls("image", (), reason)

    @classmethod
    def http(cls, targets: Sequence[str], reason: str) -> Request:
        """Asks to send HTTP requests.

        A target is `https://hooks.example.com`, or `setting:NAME` for the
        origin of the URL in that setting, each perhaps after its methods:
        `POST,PUT https://hooks.example.com`.
        """
        return cls("http", targets, reason)

    @classmethod
    def exec(cls, reason: str) -> Request:
        """Asks to run bounded commands in the candidate, in a self-test."""
        return cls("exec", (), reason)


class Plugin:
    """A plugin: its manifest, and one function for each of its roles.

    Make one at the top level of `plugin.py`, and decorate the functions of its
    roles with `release_source`, `notifier` and `self_test`. The roles are those
    that `shipway-plugin.toml` names.
    """

    def __init__(
        self,
        name: str,
        version: str,
        summary: str,
        settings: Sequence[Setting] = (),
        requests: Sequence[Request] = (),
        attributes: Attributes | None = None,
    ) -> None:
        #: Lower-case letters, digits and dashes, at most 63.
        self.name = name
        #: Semantic version.
        self.version = version
        #: One sentence for a person.
        self.summary = summary
        self.settings = tuple(settings)
        self.requests = tuple(requests)
        self.attributes: Attributes = dict(attributes or {})
        self._collect: Collect | None = None
        self._deliver: Deliver | None = None
        self._test: Test | None = None

    def release_source(self, function: _Collect) -> _Collect:
        """Makes `function` answer which release commands the commit asks for.

        It gets the `Deployment` and returns a `Collected`, or an iterable of
        commands. No command at all is a good answer and not a failure.
        """
        self._collect = _only(self._collect, function, "release_source")
        return function

    def notifier(self, function: _Deliver) -> _Deliver:
        """Makes `function` deliver events.

        It gets the `Event`. Whatever it does, the deployment goes on; a
        retryable failure asks for another try later, any other gives up.
        """
        self._deliver = _only(self._deliver, function, "notifier")
        return function

    def self_test(self, function: _Test) -> _Test:
        """Makes `function` test the candidate.

        It gets the `Deployment` and returns a `Report`, or an iterable of
        checks. A failure means that it could not be tested; a test that the
        candidate does not pass is a check with the outcome `fail`.
        """
        self._test = _only(self._test, function, "self_test")
        return function

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that have a function, by the contract's words."""
        functions = {
            "release-source": self._collect,
            "notifier": self._deliver,
            "self-test": self._test,
        }
        return tuple(role for role, function in functions.items() if function)

    def collect(self, deployment: Deployment) -> Collected:
        """Calls the release source."""
        return collected_from(_there(self._collect, "release-source")(deployment))

    def deliver(self, event: Event) -> None:
        """Calls the notifier."""
        _there(self._deliver, "notifier")(event)

    def test(self, deployment: Deployment) -> Report:
        """Calls the self-test."""
        return report_from(_there(self._test, "self-test")(deployment))


_Function = TypeVar("_Function")


def _only(before: object, function: _Function, decorator: str) -> _Function:
    if before is not None:
        raise TypeError(f"a plugin has one function with @plugin.{decorator}")
    if not callable(function):
        raise TypeError(f"@plugin.{decorator} decorates a function, without ()")
    return function


def _there(function: _Function | None, role: str) -> _Function:
    if function is None:
        decorator = role.replace("-", "_")
        raise TypeError(f"no function of this plugin has @plugin.{decorator}")
    return function
