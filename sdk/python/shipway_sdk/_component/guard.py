"""Makes a failure of every exception, so that none of them is a trap."""

import os
import traceback
from collections.abc import Callable
from functools import wraps
from typing import Any

from componentize_py_types import Err

from shipway_sdk import log
from shipway_sdk._component import lower
from shipway_sdk.failure import Failure

#: The code of a failure that the plugin did not mean.
CODE = "failed"
#: The longest message that is made of an exception, in characters.
_MESSAGE_CHARACTERS = 500
#: The most lines of a traceback that are logged, the last ones.
_TRACEBACK_LINES = 30


def guarded(call: Callable[..., Any]) -> Callable[..., Any]:
    """`call`, raising a failure of the contract and nothing else."""

    @wraps(call)
    def guarded_call(*arguments: Any) -> Any:
        try:
            try:
                return call(*arguments)
            except Failure as failure:
                lowered = lower.failure(failure)
        # `sys.exit()` too would be a trap.
        except BaseException as exception:  # noqa: BLE001
            _log_traceback(exception)
            lowered = lower.failure(Failure(CODE, message_of(exception)))
        raise Err(lowered)

    return guarded_call


def message_of(exception: BaseException) -> str:
    """What went wrong and where, in one sentence."""
    kind = type(exception).__name__
    text = _text_of(exception)
    message = f"{_place_of(exception)}: {kind}: {text}".removesuffix(": ")
    if isinstance(exception, ImportError):
        message += "; import it at the top of the file, as modules are there "
        message += "only while the component is built"
    if len(message) > _MESSAGE_CHARACTERS:
        message = message[: _MESSAGE_CHARACTERS - 1] + "…"
    return message.encode("utf-8", "replace").decode("utf-8")


def _text_of(exception: BaseException) -> str:
    try:
        return " ".join(str(exception).split())
    # An exception whose own text cannot be had still has its kind and place.
    except Exception:  # noqa: BLE001
        return ""


def _place_of(exception: BaseException) -> str:
    """The innermost line of the author's code; of any code where there is none."""
    frames = traceback.extract_tb(exception.__traceback__)
    own = [frame for frame in frames if "shipway_sdk" not in frame.filename]
    for frame in reversed(own or frames):
        return f"{os.path.basename(frame.filename)}, line {frame.lineno}"
    return "the plugin"


def _log_traceback(exception: BaseException) -> None:
    try:
        text = "".join(traceback.format_exception(exception))
        for line in text.splitlines()[-_TRACEBACK_LINES:]:
            log.debug(line)
    # The failure itself says the most: without a traceback if it must be.
    except Exception:  # noqa: BLE001
        return
