import json
import unittest
from pathlib import Path

from plugin import plugin

from shipway_sdk import (
    Argv,
    Check,
    Denied,
    Endpoint,
    Failure,
    Invalid,
    Outcome,
    Phase,
    Shell,
    TimedOut,
    Unavailable,
)
from shipway_sdk.http import Request, Response
from shipway_sdk.testing import FakeHost, event, run_cases

PROJECT = Path(__file__).parent.parent
COMPONENT = PROJECT / "build/python.wasm"
URL = "https://hooks.example.test/in"
WEB = Endpoint("web", "http://10.0.0.7:8000", host="shop.example.test")


class ReleaseSource(unittest.TestCase):
    def test_a_line_is_a_label_and_a_command(self) -> None:
        text = "# a comment\n\n Migrate :\t./migrate --to a:b \r\nnothing\n:x\ny:\n"
        collected = FakeHost(plugin, files={"Releasefile": text}).collect()
        [command] = collected.commands
        self.assertEqual(command.label, "Migrate")
        self.assertEqual(command.run, Shell("./migrate --to a:b"))
        self.assertEqual(command.phase, Phase.RELEASE)
        self.assertEqual(command.provenance.place, "line 3")
        skipped = [(one.what, one.provenance.place) for one in collected.skipped]
        self.assertEqual(
            skipped, [("nothing", "line 4"), (":x", "line 5"), ("y:", "line 6")]
        )

    def test_a_label_may_begin_with_a_phase(self) -> None:
        text = "gate  A: a\nafter B: b\nfailed C: c\ngate: d\naftermath: e\n"
        collected = FakeHost(plugin, files={"Releasefile": text}).collect()
        found = [(one.label, one.phase) for one in collected.commands]
        self.assertEqual(
            found,
            [
                ("A", Phase.GATE),
                ("B", Phase.AFTER),
                ("C", Phase.FAILED),
                ("gate", Phase.RELEASE),
                ("aftermath", Phase.RELEASE),
            ],
        )

    def test_exec_is_an_argv(self) -> None:
        text = "A: exec  ./a   b\nB: exec\nC: executable\n"
        collected = FakeHost(plugin, files={"Releasefile": text}).collect()
        runs = [one.run for one in collected.commands]
        self.assertEqual(runs, [Argv(["./a", "b"]), Shell("exec"), Shell("executable")])

    def test_the_folder_comes_after_the_file_in_its_order(self) -> None:
        files = {
            "Releasefile.d/2": "Third: c",
            "Releasefile.d/1": "Second: b",
            "Releasefile": "First: a",
            "Releasefile.d/x/y": "Not: this",
        }
        collected = FakeHost(plugin, files=files).collect()
        labels = [one.label for one in collected.commands]
        self.assertEqual(labels, ["First", "Second", "Third"])

    def test_no_file_is_a_warning(self) -> None:
        collected = FakeHost(plugin, files={"Releasefile.d/1": "A: a"}).collect()
        self.assertEqual(collected.warnings, ["there is no Releasefile"])
        self.assertEqual(len(collected.commands), 1)

    def test_other_failures_are_passed_on(self) -> None:
        with self.assertRaises(Denied):
            FakeHost(plugin, settings={"file": "Other"}).collect()
        with self.assertRaisesRegex(Invalid, "^Releasefile is not text$"):
            FakeHost(plugin, files={"Releasefile": b"\xff"}).collect()


def receiver(status: int, **settings: str) -> FakeHost:
    return FakeHost(
        plugin,
        settings={"url": URL, **settings},
        http=lambda request: Response(status),
    )


class Notifier(unittest.TestCase):
    def test_an_ending_is_sent(self) -> None:
        host = receiver(204, token="s3cret")
        host.deliver(event(summary="shop/live: é"))
        [request] = host.requests
        self.assertEqual((request.method, request.url), ("POST", URL))
        self.assertEqual(
            request.headers.pairs,
            (
                ("content-type", "application/json"),
                ("authorization", "Bearer secret:token"),
            ),
        )
        self.assertEqual(
            list(json.loads(request.body).items()),
            [
                ("id", "0198c0de-0000-7000-8000-000000000002"),
                ("app", "shop"),
                ("environment", "live"),
                ("text", "shop/live: é"),
            ],
        )
        self.assertEqual(host.messages, [f"sent to {URL}"])

    def test_without_a_token_there_is_no_such_header(self) -> None:
        host = receiver(200)
        host.deliver()
        self.assertNotIn("authorization", host.requests[0].headers)

    def test_other_events_are_not_sent(self) -> None:
        host = receiver(204)
        host.deliver(event("step.started"))
        self.assertEqual(host.requests, [])
        self.assertEqual(host.messages, ["step.started is not sent"])

    def test_without_a_url_nothing_can_be_sent(self) -> None:
        with self.assertRaises(Invalid) as raised:
            FakeHost(plugin).deliver()
        self.assertEqual(raised.exception, Invalid("the setting url is not set"))

    def test_an_answer_says_whether_to_try_again(self) -> None:
        for status in (429, 500, 503, 599):
            with self.assertRaises(Unavailable) as raised:
                receiver(status).deliver()
            self.assertEqual(
                raised.exception,
                Unavailable(f"the receiver answered {status}", retryable=True),
            )
        for status in (199, 302, 404, 600):
            with self.assertRaises(Failure) as refused:
                receiver(status).deliver()
            self.assertEqual(
                refused.exception,
                Failure("refused", f"the receiver answered {status}"),
            )

    def test_a_failure_of_the_host_is_passed_on(self) -> None:
        with self.assertRaises(Unavailable):
            FakeHost(plugin, settings={"url": URL}).deliver()


def checked(
    status: int | Failure, body: str = "", endpoint: Endpoint = WEB, **settings: str
) -> tuple[Check, FakeHost]:
    def answer(request: Request) -> Response:
        if isinstance(status, Failure):
            raise status
        return Response(status, body=body)

    host = FakeHost(plugin, settings=settings, endpoints=[endpoint], http=answer)
    [check] = host.test().checks
    return check, host


class SelfTest(unittest.TestCase):
    def test_pages_and_redirects_pass(self) -> None:
        for status in (200, 302, 399):
            check, host = checked(status)
            self.assertEqual(check, Check.passed("GET /", f"answered {status}"))
            self.assertEqual(host.requests[0].url, "http://10.0.0.7:8000/")
            self.assertEqual(host.requests[0].headers["host"], "shop.example.test")

    def test_errors_fail(self) -> None:
        for status in (199, 400, 500):
            check, _ = checked(status, path="/up")
            self.assertEqual(check, Check.failed("GET /up", f"answered {status}"))

    def test_the_page_must_contain_the_text(self) -> None:
        check, _ = checked(200, "hello", text="hell")
        self.assertEqual(check.outcome, Outcome.PASS)
        check, _ = checked(200, "hello", text="bye")
        self.assertEqual(check, Check.failed("GET /", "the page does not contain bye"))

    def test_no_answer_fails_with_its_code(self) -> None:
        check, _ = checked(TimedOut("it took longer than 10 s"))
        self.assertEqual(check, Check.failed("GET /", "timeout"))

    def test_without_a_domain_there_is_no_host_header(self) -> None:
        _, host = checked(200, endpoint=Endpoint("web", "http://10.0.0.7:8000"))
        self.assertNotIn("host", host.requests[0].headers)

    def test_only_web_is_asked(self) -> None:
        worker = Endpoint("worker", "http://10.0.0.8:8000")
        [check] = FakeHost(plugin, endpoints=[worker]).test().checks
        self.assertEqual(check, Check.skipped("web", "there is no web process"))


class InTheSandbox(unittest.TestCase):
    @unittest.skipUnless(COMPONENT.exists(), "it is not built")
    def test_cases(self) -> None:
        for case in run_cases(project=PROJECT, component=COMPONENT):
            with self.subTest(case.name):
                case.check()


if __name__ == "__main__":
    unittest.main()
