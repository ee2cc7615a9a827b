import json
import unittest
from pathlib import Path

from shipway_sdk import Failure
from shipway_sdk.http import Response
from shipway_sdk.testing import FakeHost, event, run_cases

from plugin import plugin

PROJECT = Path(__file__).parent.parent
COMPONENT = PROJECT / "build/{{name}}.wasm"
SETTINGS = {"url": "https://hooks.example.test/in", "token": "s3cret"}


def receiver(status: int) -> FakeHost:
    """A host whose receiver answers with this status."""
    return FakeHost(plugin, settings=SETTINGS, http=lambda request: Response(status))


class InMemory(unittest.TestCase):
    def test_an_ending_is_sent_with_the_token(self) -> None:
        host = receiver(204)
        host.deliver(event(summary="shop/live: succeeded"))
        [request] = host.requests
        # Not the token: the host puts it in on the way out.
        self.assertEqual(request.headers["authorization"], "Bearer secret:token")
        self.assertEqual(json.loads(request.body)["text"], "shop/live: succeeded")

    def test_other_events_are_not_sent(self) -> None:
        host = receiver(204)
        host.deliver(event("deployment.queued"))
        self.assertEqual(host.requests, [])

    def test_a_receiver_in_trouble_is_asked_again_later(self) -> None:
        for status, retryable in ((503, True), (429, True), (404, False)):
            with self.assertRaises(Failure) as raised:
                receiver(status).deliver()
            self.assertEqual(raised.exception.retryable, retryable)


class InTheSandbox(unittest.TestCase):
    @unittest.skipUnless(COMPONENT.exists(), "it is not built")
    def test_cases(self) -> None:
        for case in run_cases(project=PROJECT, component=COMPONENT):
            with self.subTest(case.name):
                case.check()


if __name__ == "__main__":
    unittest.main()
