"""Lines for the deployment's log, under the plugin's name.

Control characters are removed; what passes the host's limit is dropped, and the
log says so once.
"""

from __future__ import annotations

from enum import Enum

from shipway_sdk import _host


class Level(str, Enum):
    """How much a line matters."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


def write(level: Level, message: str) -> None:
    """Writes one line."""
    _host.current().log(level, message)


def debug(message: str) -> None:
    """Writes one line for who looks closely."""
    write(Level.DEBUG, message)


def info(message: str) -> None:
    """Writes one line for everyone."""
    write(Level.INFO, message)


def warn(message: str) -> None:
    """Writes one line about something doubtful."""
    write(Level.WARN, message)


def error(message: str) -> None:
    """Writes one line about something that went wrong."""
    write(Level.ERROR, message)
