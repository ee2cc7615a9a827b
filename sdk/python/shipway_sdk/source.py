"""The files of the commit that is deployed, as far as they are granted.

Paths are relative, with `/`; `.git`, `.env` files and links that leave the tree
are never readable.
"""

from __future__ import annotations

from shipway_sdk import _host
from shipway_sdk.failure import Invalid


def read(path: str) -> bytes:
    """The bytes of one file.

    Raises `NotFound`, `Denied`, or `TooLarge` (over 1 MiB).
    """
    return _host.current().read(path)


def read_text(path: str) -> str:
    """The text of one file, byte for byte.

    Raises what `read` raises, and `Invalid` when it is not UTF-8.
    """
    try:
        return read(path).decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid(f"{path} is not text") from None


def find(glob: str) -> list[str]:
    """The paths of the files that match a glob, sorted.

    `*` and `?` stay within one name, `**` goes through folders. Raises
    `Invalid` for a glob that is none, `LimitReached` for more than 1,000 paths.
    """
    return _host.current().find(glob)
