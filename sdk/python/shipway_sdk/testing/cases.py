"""Runs cases through the real host: `shipway plugin test --json`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Where the program is, when it is not on PATH.
PROGRAM_VARIABLE = "SHIPWAY_PROGRAM"
#: How much of what the program wrote is in an error, in lines.
_SHOWN_LINES = 20

#: A case: the path of its file, or its content.
Case = str | Path | Mapping[str, Any]


class CaseFailed(AssertionError):
    """A case did not give what it expects."""


class HarnessError(Exception):
    """The cases could not be run."""


class ProgramMissing(unittest.SkipTest):
    """There is no `shipway` on this machine, so the cases are not run.

    Test runners count it as skipped and show why. Where `SHIPWAY_PROGRAM` is
    set, a missing program is a `HarnessError` instead.
    """


@dataclass(frozen=True)
class LogLine:
    """One line of the plugin's log."""

    level: str
    message: str


@dataclass(frozen=True)
class CaseResult:
    """How one case went."""

    name: str
    #: The path of its file.
    case: str
    role: str
    #: Whether everything that the case expects is so.
    passed: bool
    #: What the plugin answered, with the names of the contract.
    result: Any = None
    #: `{code, message, retryable}` when the plugin answered with a failure.
    failure: Mapping[str, Any] | None = None
    #: `{kind, message}` when it did not answer: a trap, a limit.
    error: Mapping[str, Any] | None = None
    log: Sequence[LogLine] = ()
    #: Every call of the host: `{call, arguments, answer}`.
    calls: Sequence[Mapping[str, Any]] = ()
    #: Every request that left for the outside.
    requests: Sequence[Mapping[str, Any]] = ()
    #: What is not as the case expects, one sentence each.
    mismatches: Sequence[str] = field(default=())

    def check(self) -> None:
        """Raises `CaseFailed` unless everything is as the case expects."""
        if not self.passed:
            raise CaseFailed(self.explain())

    def explain(self) -> str:
        """What happened, for a person."""
        lines = [f"{self.name}: {'passed' if self.passed else 'failed'}"]
        lines += [f"  {mismatch}" for mismatch in self.mismatches]
        for title, value in (
            ("result", self.result),
            ("failure", self.failure),
            ("error", self.error),
        ):
            if value is not None:
                lines.append(f"  {title}: {json.dumps(value, ensure_ascii=False)}")
        lines += [f"  log: {line.level}: {line.message}" for line in self.log]
        return "\n".join(lines)


def run_cases(
    *cases: Case,
    project: str | Path = ".",
    component: str | Path | None = None,
    timeout: float = 600,
) -> list[CaseResult]:
    """Runs cases, or all of the project's `tests/` when none is named.

    `project` is the folder with `shipway-plugin.toml`, which is built first, or
    not when `component` names the file to run. A case that is given by its
    content has its files inline. Takes at most `timeout` seconds in all. Raises
    `ProgramMissing` or `HarnessError` when the cases could not be run; a case
    that fails is a result.
    """
    with tempfile.TemporaryDirectory(prefix="shipway-cases-") as folder:
        argv = [_program(), "plugin", "test", "--json"]
        if component is not None:
            argv.append(str(Path(project, component).resolve()))
        for number, case in enumerate(cases, start=1):
            argv.append(_file(case, Path(project), Path(folder, f"case-{number}.json")))
        return _run(argv, project, timeout)


def run_case(
    case: Case,
    *,
    project: str | Path = ".",
    component: str | Path | None = None,
    timeout: float = 600,
) -> CaseResult:
    """Runs one case; see `run_cases`."""
    results = run_cases(case, project=project, component=component, timeout=timeout)
    if len(results) != 1:
        raise HarnessError(f"one case was run, and {len(results)} results came")
    return results[0]


def _program() -> str:
    named = os.environ.get(PROGRAM_VARIABLE)
    found = shutil.which(named or "shipway")
    if found:
        return found
    if named:
        raise HarnessError(f"{PROGRAM_VARIABLE} is {named}, and that is no program")
    raise ProgramMissing(
        "the cases were not run: there is no shipway on PATH; install it, or set "
        f"{PROGRAM_VARIABLE} to where it is"
    )


def _file(case: Case, project: Path, inline: Path) -> str:
    if isinstance(case, Mapping):
        inline.write_text(json.dumps(case), encoding="utf-8")
        return str(inline)
    return str(Path(project, case).resolve())


def _run(argv: list[str], project: str | Path, timeout: float) -> list[CaseResult]:
    try:
        ended = subprocess.run(
            argv,
            cwd=project,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise HarnessError(f"the cases took longer than {timeout} seconds") from None
    try:
        return [_result(case) for case in json.loads(ended.stdout)["cases"]]
    except (ValueError, KeyError, TypeError):
        said = ended.stderr.decode("utf-8", "replace").splitlines()[-_SHOWN_LINES:]
        raise HarnessError(
            f"shipway plugin test ended with {ended.returncode} and no results:\n"
            + "\n".join(said)
        ) from None


def _result(case: Mapping[str, Any]) -> CaseResult:
    return CaseResult(
        name=case["name"],
        case=str(case.get("case", "")),
        role=case["role"],
        passed=case["passed"],
        result=case.get("result"),
        failure=case.get("failure"),
        error=case.get("error"),
        log=[LogLine(line["level"], line["message"]) for line in case.get("log", ())],
        calls=case.get("calls", ()),
        requests=case.get("requests", ()),
        mismatches=case.get("mismatches", ()),
    )
