"""What stands between the generated records and the plugin."""

import sys
import unittest
from types import SimpleNamespace
from typing import Any

from shipway_sdk import (
    Argv,
    Check,
    Collected,
    Command,
    Denied,
    Event,
    Failure,
    Plugin,
    Provenance,
    Report,
    Request,
    Setting,
    Shell,
    Skipped,
    http,
)
from shipway_sdk.testing import FakeHost
from tests import stand_in

stand_in.install()

from shipway_sdk._component import author, guard, lift, lower
from shipway_sdk._component.calls import ComponentHost

FAILURE = SimpleNamespace(
    code="denied", message="not granted", retryable=False, attributes=[("a", "b")]
)


class Lowering(unittest.TestCase):
    def test_a_manifest(self) -> None:
        plugin = Plugin(
            "x",
            "1.0.0",
            "An x.",
            settings=[Setting("token", "It.", secret_in=["path"])],
            requests=[Request.image("To look.")],
        )
        record = lower.description(plugin)
        self.assertEqual(record.name, "x")
        self.assertTrue(record.settings[0].secret)
        self.assertEqual(record.settings[0].places, ["path"])
        self.assertEqual(record.requests[0].capability, "image")
        self.assertEqual(record.requests[0].targets, [])

    def test_what_was_collected(self) -> None:
        command = Command(
            Argv(["a"]),
            label="A",
            timeout=0.5,
            undo=Shell("b"),
            provenance=Provenance("f", "line 1"),
        )
        record = lower.collected(Collected([command], [Skipped("s", "why")], ["w"]))
        [one] = record.commands
        self.assertEqual((one.run.kind, one.run.value), ("Invocation_Argv", ["a"]))
        self.assertEqual((one.undo.kind, one.undo.value), ("Invocation_Shell", "b"))
        self.assertEqual((one.phase, one.entrypoint), ("release", "bypass"))
        self.assertIs(type(one.phase), str)
        self.assertEqual((one.when, one.timeout_seconds), ("always", 1))
        self.assertEqual(one.provenance.place, "line 1")
        self.assertEqual(record.skipped[0].reason, "why")
        self.assertEqual(record.warnings, ["w"])

    def test_a_report(self) -> None:
        record = lower.report(Report([Check.passed("a", "b", 0.1)]))
        self.assertEqual(record.checks[0].outcome, "PASS")
        self.assertEqual(record.checks[0].duration_ms, 100)

    def test_a_request(self) -> None:
        record = lower.request(
            http.Request("GET", "https://x", {"a": "b"}, timeout=2.5)
        )
        self.assertEqual(record.headers, [("a", "b")])
        self.assertEqual(record.timeout_ms, 2500)
        self.assertIsNone(lower.request(http.Request("GET", "https://x")).timeout_ms)

    def test_what_does_not_fit_says_what_it_is(self) -> None:
        shell = Shell("x")
        for given, says in (
            (Command(shell, label=3), "the label of a command is a text, not int"),
            (Command(shell, timeout="1"), "the timeout of a command is a number"),
            (Command(shell, timeout=-1), "is not between 0 and"),
            (Command(shell, timeout=float("nan")), "is not between 0 and"),
            (Command(shell, timeout=2.0**32), "is not between 0 and"),
            (Command(shell, label="\udc80"), "half a character"),
            (Command(shell, provenance="x"), "a Provenance is wanted, not str"),
            ("./migrate", "a Command is wanted, not str"),
        ):
            with self.assertRaisesRegex((TypeError, ValueError), says):
                lower.collected(Collected([given]))
        with self.assertRaisesRegex(TypeError, "in a list of texts"):
            lower.collected(Collected(warnings="no list"))
        with self.assertRaises(ValueError):
            lower.report(Report([Check("a", "unheard of", "b")]))


class Lifting(unittest.TestCase):
    def test_an_event(self) -> None:
        deployment = SimpleNamespace(
            id="d",
            app="shop",
            environment="live",
            commit="c",
            reference="main",
            attributes=[],
        )
        record = SimpleNamespace(
            id="e",
            sequence=7,
            time="t",
            kind="k",
            deployment=deployment,
            summary="s",
            data="{}",
            attributes=[("a", "b")],
        )
        event: Event = lift.event(record)
        self.assertEqual((event.sequence, event.deployment.app), (7, "shop"))
        self.assertEqual(event.attributes, {"a": "b"})

    def test_a_failure_has_the_class_of_its_code(self) -> None:
        self.assertEqual(
            lift.failure(FAILURE), Denied("not granted", attributes={"a": "b"})
        )
        self.assertIsInstance(lift.failure(FAILURE), Denied)


class Guarding(unittest.TestCase):
    def failure_of(self, raised: BaseException) -> tuple[Any, FakeHost]:
        @guard.guarded
        def call() -> None:
            raise raised

        host = FakeHost(Plugin("x", "1.0.0", ""))
        with host.entered(), self.assertRaises(stand_in.Err) as err:
            call()
        return err.exception.value, host

    def test_a_failure_is_passed_on(self) -> None:
        record, host = self.failure_of(
            Failure("quota", "used up", retryable=True, attributes={"a": "b"})
        )
        self.assertEqual((record.code, record.message), ("quota", "used up"))
        self.assertTrue(record.retryable)
        self.assertEqual(record.attributes, [("a", "b")])
        self.assertEqual(host.log, [])

    def test_any_other_exception_is_a_failure_and_its_traceback_is_logged(self) -> None:
        record, host = self.failure_of(KeyError("nope"))
        self.assertEqual(record.code, "failed")
        self.assertRegex(record.message, r"^test_component.py, line \d+: KeyError:")
        self.assertFalse(record.retryable)
        self.assertEqual(host.messages[-1], "KeyError: 'nope'")

    def test_so_is_what_is_no_ordinary_exception(self) -> None:
        record, _ = self.failure_of(SystemExit(3))
        self.assertIn("SystemExit: 3", record.message)
        record, _ = self.failure_of(GeneratorExit())
        self.assertTrue(record.message.endswith("GeneratorExit"), record.message)

    def test_a_failure_that_does_not_fit_is_a_failure_too(self) -> None:
        record, _ = self.failure_of(Failure(3, "x"))
        self.assertEqual(record.code, "failed")
        self.assertIn("the code of a failure is a text", record.message)

    def test_a_message_is_one_bounded_line_of_whole_characters(self) -> None:
        record, _ = self.failure_of(ValueError("a\n\udc80" + "x" * 9999))
        self.assertEqual(len(record.message), 500)
        self.assertIn("ValueError: a ?xxx", record.message)

    def test_an_exception_without_a_text_has_its_kind(self) -> None:
        class Mute(Exception):
            def __str__(self) -> str:
                raise RuntimeError

        record, _ = self.failure_of(Mute())
        self.assertTrue(record.message.endswith("Mute"), record.message)

    def test_a_late_import_is_explained(self) -> None:
        record, _ = self.failure_of(ModuleNotFoundError("No module named 'x'"))
        self.assertIn("import it at the top of the file", record.message)

    def test_an_answer_that_does_not_fit_is_a_failure(self) -> None:
        plugin = Plugin("x", "1.0.0", "")
        plugin.release_source(lambda deployment: ["./migrate"])
        call = guard.guarded(lambda: lower.collected(plugin.collect(None)))
        with FakeHost(plugin).entered(), self.assertRaises(stand_in.Err) as err:
            call()
        self.assertIn("a Command is wanted", err.exception.value.message)


class Calling(unittest.TestCase):
    def setUp(self) -> None:
        self.imports = {
            name: sys.modules[f"wit_world.imports.{name}"] for name in stand_in.IMPORTS
        }

    def test_a_failure_of_the_host_is_raised_as_its_class(self) -> None:
        def read(path: str) -> bytes:
            raise stand_in.Err(FAILURE)

        self.imports["source"].read = read
        with self.assertRaises(Denied):
            ComponentHost().read("a")

    def test_a_response_is_lifted(self) -> None:
        def send(request: Any) -> Any:
            return SimpleNamespace(
                status=200, headers=[("A", "b")], body=b"x", attributes=[]
            )

        self.imports["http"].send = send
        response = ComponentHost().send(http.Request("GET", "https://x"))
        self.assertEqual((response.status, response.headers["a"]), (200, "b"))

    def test_a_log_line_may_hold_anything(self) -> None:
        lines = []
        self.imports["log"].write = lambda *line: lines.append(line)
        ComponentHost().log("warn", "a\udc80")
        self.assertEqual(lines, [("WARN", "a?")])


class Author(unittest.TestCase):
    def test_there_is_one_plugin(self) -> None:
        plugin = Plugin("x", "1.0.0", "")
        self.assertIs(author.only_plugin({"a": 1, "b": plugin, "c": plugin}), plugin)
        with self.assertRaisesRegex(TypeError, "plugin.py has no Plugin objects"):
            author.only_plugin({"a": 1})
        with self.assertRaisesRegex(TypeError, "plugin.py has 2 Plugin objects"):
            author.only_plugin({"a": plugin, "b": Plugin("y", "1.0.0", "")})

    def test_its_roles_are_those_of_the_project(self) -> None:
        author.check_roles({"notifier"}, {"notifier"})
        with self.assertRaisesRegex(TypeError, "has @plugin.self_test"):
            author.check_roles(set(), {"self-test"})
        with self.assertRaisesRegex(TypeError, "do not name notifier"):
            author.check_roles({"notifier"}, set())


if __name__ == "__main__":
    unittest.main()
