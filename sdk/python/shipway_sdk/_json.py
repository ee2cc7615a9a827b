"""JSON that others wrote, read with a bound on its depth.

The reader of CPython goes one call deeper a level, and in a component a stack
that is used up is no exception but the end of the call. A few kilobytes of `[`
would do.
"""

from __future__ import annotations

import json
import re
from typing import Any

#: The most levels, which is some times what people write.
_LEVELS = 200
#: A string, which may hold brackets, or a bracket. The end of a string is
#: optional, or one that never ends would be tried again from each quote in it.
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)


def loads(text: str | bytes) -> Any:
    """The value. Raises `ValueError` when it is no JSON, or too deep."""
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    # Only what has so many brackets can be so deep.
    if text.count("[") + text.count("{") > _LEVELS:
        _check_depth(text)
    return json.loads(text)


def _check_depth(text: str) -> None:
    depth = 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
        if depth > _LEVELS:
            raise ValueError(f"it is deeper than {_LEVELS} levels")
