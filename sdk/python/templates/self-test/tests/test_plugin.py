import unittest
from pathlib import Path

from shipway_sdk import Endpoint, Outcome, Unavailable
from shipway_sdk.http import Request, Response
from shipway_sdk.testing import FakeHost, run_cases

from plugin import plugin

PROJECT = Path(__file__).parent.parent
COMPONENT = PROJECT / "build/{{name}}.wasm"
WEB = Endpoint("web", "http://10.0.0.7:8000", host="shop.example.test")


def outcome(status: int) -> Outcome:
    """How the check ends when the instance answers with this status."""
    host = FakeHost(plugin, endpoints=[WEB], http=lambda request: Response(status))
    [check] = host.test().checks
    return check.outcome


class InMemory(unittest.TestCase):
    def test_pages_and_redirects_pass_and_errors_fail(self) -> None:
        self.assertEqual(outcome(200), Outcome.PASS)
        self.assertEqual(outcome(302), Outcome.PASS)
        self.assertEqual(outcome(404), Outcome.FAIL)

    def test_the_app_is_asked_by_its_own_domain(self) -> None:
        host = FakeHost(
            plugin,
            settings={"path": "/up"},
            endpoints=[WEB],
            http=lambda request: Response(200),
        )
        host.test()
        self.assertEqual(host.requests[0].url, "http://10.0.0.7:8000/up")
        self.assertEqual(host.requests[0].headers["host"], "shop.example.test")

    def test_an_instance_that_does_not_answer_fails(self) -> None:
        def refuse(request: Request) -> Response:
            raise Unavailable("the connection was refused")

        host = FakeHost(plugin, endpoints=[WEB], http=refuse)
        [check] = host.test().checks
        self.assertEqual(check.message, "no answer: the connection was refused")


class InTheSandbox(unittest.TestCase):
    @unittest.skipUnless(COMPONENT.exists(), "it is not built")
    def test_cases(self) -> None:
        for case in run_cases(project=PROJECT, component=COMPONENT):
            with self.subTest(case.name):
                case.check()


if __name__ == "__main__":
    unittest.main()
