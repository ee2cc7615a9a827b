"""The harness, with a program that answers as `shipway plugin test` does."""

import json
import os
import stat
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from shipway_sdk.testing import (
    CaseFailed,
    HarnessError,
    LogLine,
    ProgramMissing,
    run_case,
    run_cases,
)

PASSED = {
    "name": "An ending is sent",
    "case": "tests/ended.toml",
    "role": "notifier",
    "passed": True,
    "result": None,
    "failure": None,
    "error": None,
    "log": [{"level": "info", "message": "sent"}],
    "calls": [{"call": "settings.get", "arguments": ["url"], "answer": "x"}],
    "requests": [{"method": "POST"}],
    "mismatches": [],
}
FAILED = PASSED | {
    "name": "A page",
    "passed": False,
    "result": {"checks": []},
    "mismatches": ["result.checks: 1 element is expected, and there are 0"],
}


class Harness(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def program(self, script: str) -> None:
        """Makes this shell script the program."""
        path = self.folder / "shipway"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        patch = mock.patch.dict(os.environ, {"SHIPWAY_PROGRAM": str(path)})
        patch.start()
        self.addCleanup(patch.stop)

    def answering(self, cases: list[object], code: int = 0) -> None:
        """Makes a program that writes down how it was called, and answers."""
        answer = self.folder / "answer.json"
        answer.write_text(json.dumps({"plugin": {}, "cases": cases}))
        self.program(
            f'printf "%s\\n" "$PWD" "$@" > {self.folder}/called\n'
            f'for last; do :; done; cp "$last" {self.folder}/last 2>/dev/null\n'
            f"cat {answer}; exit {code}"
        )

    def called(self) -> list[str]:
        return (self.folder / "called").read_text().splitlines()

    def test_all_cases_of_a_project_are_run(self) -> None:
        self.answering([PASSED])
        [case] = run_cases(project=self.folder)
        self.assertEqual(
            self.called(), [str(self.folder.resolve()), "plugin", "test", "--json"]
        )
        case.check()
        self.assertEqual(case.log, [LogLine("info", "sent")])
        self.assertEqual(case.requests, [{"method": "POST"}])

    def test_a_component_and_cases_may_be_named(self) -> None:
        self.answering([PASSED, FAILED], code=1)
        results = run_cases(
            "tests/a.toml",
            self.folder / "b.toml",
            project=self.folder,
            component="build/x.wasm",
        )
        root = self.folder.resolve()
        self.assertEqual(
            self.called()[4:],
            [
                str(root / "build/x.wasm"),
                str(root / "tests/a.toml"),
                str(root / "b.toml"),
            ],
        )
        self.assertEqual([case.passed for case in results], [True, False])

    def test_a_case_may_be_given_by_its_content(self) -> None:
        self.answering([PASSED])
        case = run_case({"event": {"kind": "deployment.ended"}}, project=self.folder)
        self.assertTrue(case.passed)
        given = json.loads((self.folder / "last").read_text())
        self.assertEqual(given, {"event": {"kind": "deployment.ended"}})

    def test_a_case_that_fails_says_how(self) -> None:
        self.answering([FAILED], code=1)
        case = run_case("tests/page.toml", project=self.folder)
        with self.assertRaises(CaseFailed) as raised:
            case.check()
        self.assertEqual(
            str(raised.exception),
            "A page: failed\n"
            "  result.checks: 1 element is expected, and there are 0\n"
            '  result: {"checks": []}\n'
            "  log: info: sent",
        )

    def test_a_program_that_could_not_run_them_is_an_error(self) -> None:
        self.program("echo 'build/x.wasm is not there' >&2; exit 2")
        with self.assertRaisesRegex(HarnessError, "ended with 2 .*\nbuild/x.wasm is"):
            run_cases(project=self.folder)

    def test_a_program_that_never_ends_is_ended(self) -> None:
        self.program("exec sleep 60")
        with self.assertRaisesRegex(HarnessError, "longer than 0.1 seconds"):
            run_cases(project=self.folder, timeout=0.1)

    def test_without_a_program_the_test_is_skipped(self) -> None:
        with mock.patch.dict(os.environ, {"PATH": str(self.folder)}):
            os.environ.pop("SHIPWAY_PROGRAM", None)
            with self.assertRaisesRegex(ProgramMissing, "no shipway on PATH"):
                run_cases(project=self.folder)

    def test_a_program_that_is_named_must_be_there(self) -> None:
        named = {"SHIPWAY_PROGRAM": str(self.folder / "none")}
        patched = mock.patch.dict(os.environ, named)
        with patched, self.assertRaisesRegex(HarnessError, "is no program"):
            run_cases(project=self.folder)


if __name__ == "__main__":
    unittest.main()
