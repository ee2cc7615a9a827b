"""Stands in for what componentize-py generates, so that the component's own
modules can be imported here: records that keep what they are made of, and enums
that are their own names."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

IMPORTS = [
    "candidate",
    "http",
    "image",
    "log",
    "model",
    "settings",
    "source",
    "variables",
]
EXPORTS = ["manifest", "commands", "notifier", "checks"]
ENUMS = ("Level", "Outcome")


class Err(Exception):
    """As in `componentize_py_types`."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value


class _Names:
    def __getitem__(self, name: str) -> str:
        return name


class _Generated(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in ENUMS:
            return _Names()

        def record(*values: Any, **fields: Any) -> SimpleNamespace:
            if values:
                fields["value"] = values[0]
            return SimpleNamespace(kind=name, **fields)

        return record


def install() -> None:
    """Makes the generated modules importable. The host's functions are missing
    from them until a test sets them."""
    types = ModuleType("componentize_py_types")
    types.Err = Err
    sys.modules["componentize_py_types"] = types
    sys.modules["wit_world"] = ModuleType("wit_world")
    for side, names in (("imports", IMPORTS), ("exports", EXPORTS)):
        package = ModuleType(f"wit_world.{side}")
        sys.modules[package.__name__] = package
        for name in names:
            module = _Generated(f"wit_world.{side}.{name}")
            setattr(package, name, module)
            sys.modules[module.__name__] = module
