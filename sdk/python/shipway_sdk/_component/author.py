"""Finds the author's plugin, while the component is built."""

import importlib
import importlib.util

from shipway_sdk.plugin import Plugin

#: The module that the author writes.
MODULE = "plugin"

#: The roles, by the exported interface that each of them is.
ROLES = {
    "commands": "release-source",
    "notifier": "notifier",
    "checks": "self-test",
}


def plugin() -> Plugin:
    """The plugin of `plugin.py`, which has the roles of this world.

    Raises `TypeError` with what to do: it is the build's last line.
    """
    module = importlib.import_module(MODULE)
    found = only_plugin(vars(module))
    exported = {
        role
        for interface, role in ROLES.items()
        if importlib.util.find_spec(f"wit_world.exports.{interface}")
    }
    check_roles(set(found.roles), exported)
    return found


def only_plugin(names: dict[str, object]) -> Plugin:
    """The one plugin among a module's names."""
    plugins = {
        id(value): value for value in names.values() if isinstance(value, Plugin)
    }
    if len(plugins) != 1:
        raise TypeError(
            f"{MODULE}.py has {len(plugins) or 'no'} Plugin objects at its top "
            "level; make one: plugin = Plugin(name=..., version=..., summary=...)"
        )
    return plugins.popitem()[1]


def check_roles(has: set[str], wanted: set[str]) -> None:
    """Holds the roles of the plugin against those of `shipway-plugin.toml`."""
    for role in sorted(wanted - has):
        raise TypeError(
            f"shipway-plugin.toml names the role {role}, but no function in "
            f"{MODULE}.py has @plugin.{role.replace('-', '_')}"
        )
    for role in sorted(has - wanted):
        raise TypeError(
            f"a function in {MODULE}.py has @plugin.{role.replace('-', '_')}, but "
            f"the roles in shipway-plugin.toml do not name {role}"
        )
