"""What componentize-py makes the component of.

It is imported while the component is built, and only then. It finds the
`Plugin` in the author's `plugin.py`, and has one class for each interface that a
world may export, by the names that componentize-py looks for. Nothing is raised
out of a call but a failure, since any other exception would be a trap.
"""

from typing import Any

from shipway_sdk import _host
from shipway_sdk._component import author, late, lift, lower
from shipway_sdk._component.calls import ComponentHost
from shipway_sdk._component.guard import guarded

__all__ = ["Checks", "Commands", "Manifest", "Notifier", "late"]

_host.serve(ComponentHost())
_plugin = author.plugin()
# Made at build time, so that a manifest that cannot be is a failed build.
_description = lower.description(_plugin)


class Manifest:
    """`shipway:plugin/manifest`."""

    def describe(self) -> Any:
        """Who the plugin is and what it would like."""
        return _description


class Commands:
    """`shipway:release/commands`."""

    @guarded
    def collect(self, deployment: Any) -> Any:
        """The release commands that the commit asks for."""
        return lower.collected(_plugin.collect(lift.deployment(deployment)))


class Notifier:
    """`shipway:notify/notifier`."""

    @guarded
    def deliver(self, event: Any) -> None:
        """Delivers one event."""
        _plugin.deliver(lift.event(event))


class Checks:
    """`shipway:self-test/checks`."""

    @guarded
    def run(self, deployment: Any) -> Any:
        """Tests the candidate."""
        return lower.report(_plugin.test(lift.deployment(deployment)))
