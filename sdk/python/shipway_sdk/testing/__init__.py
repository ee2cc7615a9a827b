"""How a plugin is tested: in memory, and through the real host.

`FakeHost` is an in-memory host, so that a whole plugin runs in a unit test:

    from shipway_sdk.testing import FakeHost

    host = FakeHost(plugin, files={"Releasefile": "Migrate: ./migrate"})
    assert host.collect().commands[0].label == "Migrate"

As the engine's host does, it grants what the manifest asks for and denies
everything else, so a request that the manifest forgets fails the test. It
answers the same failures. It keeps no time and no limits of number. What the
plugin raises comes out as it is, with its traceback.

`run_cases` runs the case files of a project through `shipway plugin test`, with
the component that was built, in the sandbox that production has:

    from shipway_sdk.testing import run_cases

    for case in run_cases():
        case.check()
"""

from shipway_sdk.testing.cases import (
    CaseFailed,
    CaseResult,
    HarnessError,
    LogLine,
    ProgramMissing,
    run_case,
    run_cases,
)
from shipway_sdk.testing.fake import (
    FakeHost,
    ImageCall,
    InstanceCall,
    Line,
    deployment,
    event,
)

__all__ = [
    "CaseFailed",
    "CaseResult",
    "FakeHost",
    "HarnessError",
    "ImageCall",
    "InstanceCall",
    "Line",
    "LogLine",
    "ProgramMissing",
    "deployment",
    "event",
    "run_case",
    "run_cases",
]
