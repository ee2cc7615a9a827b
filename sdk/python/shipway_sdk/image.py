"""The image probe: one bounded command in the image that was built, without
network and without the environment's variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shipway_sdk import _host
from shipway_sdk.deployment import Output


def run(argv: Sequence[str], variables: Mapping[str, str] | None = None) -> Output:
    """Runs `argv` in the image's working directory, for at most 60 s.

    It sees these variables and no others but the image's own. A command that
    ends with a code other than zero is no failure of this function. Raises
    `Unavailable` when there is no image yet, as in a plan made before the first
    build; `Denied`, `TimedOut`.
    """
    return _host.current().run_image(_host.words(argv), dict(variables or {}))
