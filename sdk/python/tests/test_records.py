"""What a plugin is made of: failures, commands, checks, requests, manifests."""

import unittest

from shipway_sdk import (
    Argv,
    Check,
    Collected,
    Command,
    Denied,
    Deployment,
    Event,
    Failure,
    Invalid,
    NotFound,
    Output,
    Phase,
    Plugin,
    Provenance,
    Report,
    Request,
    Setting,
    Shell,
    _json,
)
from shipway_sdk.http import Headers, Response
from shipway_sdk.http import Request as HttpRequest
from shipway_sdk.testing import deployment, event


class Failures(unittest.TestCase):
    def test_a_known_code_has_its_class(self) -> None:
        failure = Failure.of("not-found", "there is no x", retryable=True)
        self.assertIsInstance(failure, NotFound)
        self.assertEqual(failure, NotFound("there is no x", retryable=True))
        self.assertEqual(str(failure), "there is no x")

    def test_any_other_word_is_a_failure_all_the_same(self) -> None:
        failure = Failure.of("quota", "used up", attributes={"a": "b"})
        self.assertIs(type(failure), Failure)
        self.assertEqual((failure.code, failure.attributes), ("quota", {"a": "b"}))

    def test_they_are_compared_by_what_they_say(self) -> None:
        self.assertEqual(Denied("x"), Failure("denied", "x"))
        self.assertNotEqual(Denied("x"), Denied("x", retryable=True))
        self.assertEqual(len({Denied("x"), Failure("denied", "x")}), 1)
        self.assertEqual(
            repr(Denied("x", retryable=True)), "Failure('denied', 'x', retryable=True)"
        )


class Commands(unittest.TestCase):
    def test_a_command_is_labelled_by_itself_on_one_line(self) -> None:
        command = Command.shell("if true; then\n  migrate\nfi")
        self.assertEqual(command.label, "if true; then migrate fi")
        self.assertEqual(command.run, Shell("if true; then\n  migrate\nfi"))
        self.assertEqual(Command.argv(["a", "b"]).label, "a b")

    def test_a_long_label_is_shortened_and_the_command_is_not(self) -> None:
        command = Command.shell("x" * 300)
        self.assertEqual(len(command.label), 100)
        self.assertEqual(command.run, Shell("x" * 300))

    def test_a_string_is_no_argv(self) -> None:
        with self.assertRaisesRegex(TypeError, "use Shell"):
            Command.argv("./migrate --now")
        with self.assertRaisesRegex(TypeError, "1 is none"):
            Argv(["./migrate", 1])
        with self.assertRaisesRegex(TypeError, "Shell"):
            Command("./migrate")
        with self.assertRaisesRegex(TypeError, "Shell"):
            Command.shell("./migrate", undo="./back")

    def test_a_word_of_the_contract_does_for_an_enum(self) -> None:
        self.assertEqual(Command.shell("x", phase="gate").phase, Phase.GATE)

    def test_at_says_where_it_was_found(self) -> None:
        command = Command.shell("x", label="X").at("Makefile", "line 3")
        self.assertEqual(command.provenance, Provenance("Makefile", "line 3"))
        self.assertEqual(command.label, "X")


class Roles(unittest.TestCase):
    def plugin(self) -> Plugin:
        return Plugin("x", "1.0.0", "An x.")

    def test_the_roles_are_the_functions_there_are(self) -> None:
        plugin = self.plugin()
        self.assertEqual(plugin.roles, ())
        plugin.self_test(lambda deployment: [])
        plugin.release_source(lambda deployment: [])
        self.assertEqual(plugin.roles, ("release-source", "self-test"))

    def test_a_decorated_function_stays_as_it_is(self) -> None:
        plugin = self.plugin()

        @plugin.notifier
        def deliver(event: Event) -> None:
            seen.append(event)

        seen: list[Event] = []
        deliver(event("a"))
        plugin.deliver(event("b"))
        self.assertEqual([one.kind for one in seen], ["a", "b"])

    def test_a_role_has_one_function(self) -> None:
        plugin = self.plugin()
        plugin.notifier(lambda event: None)
        with self.assertRaisesRegex(TypeError, "one function with @plugin.notifier"):
            plugin.notifier(lambda event: None)

    def test_a_role_without_a_function_says_so(self) -> None:
        with self.assertRaisesRegex(TypeError, "@plugin.self_test"):
            self.plugin().test(deployment())

    def test_a_generator_is_a_release_source_and_a_self_test(self) -> None:
        plugin = self.plugin()
        plugin.release_source(lambda deployment: (Command.shell(x) for x in "ab"))
        plugin.self_test(lambda deployment: (Check.passed(x, "") for x in "ab"))
        self.assertEqual(
            plugin.collect(deployment()),
            Collected([Command.shell("a"), Command.shell("b")]),
        )
        self.assertEqual(
            plugin.test(deployment()),
            Report([Check.passed("a", ""), Check.passed("b", "")]),
        )

    def test_a_forgotten_return_is_no_empty_answer(self) -> None:
        plugin = self.plugin()
        plugin.release_source(lambda deployment: None)
        with self.assertRaisesRegex(TypeError, "not NoneType"):
            plugin.collect(deployment())


class Manifests(unittest.TestCase):
    def test_a_setting_with_places_is_a_secret(self) -> None:
        self.assertFalse(Setting("url", "Where.").secret)
        self.assertTrue(Setting("token", "What.", secret_in=["path"]).secret)

    def test_one_text_is_no_list(self) -> None:
        with self.assertRaises(TypeError):
            Setting("token", "What.", secret_in="path")
        with self.assertRaises(TypeError):
            Request.files("Makefile", "To read it.")

    def test_requests_have_the_contract_s_words(self) -> None:
        requests = [
            Request.files(["a"], ""),
            Request.variables(["A"], ""),
            Request.image(""),
            Request.http(["https://example.com"], ""),
            Request.exec(""),
        ]
        words = [request.capability for request in requests]
        self.assertEqual(words, ["files", "variables", "image", "http", "exec"])


class Http(unittest.TestCase):
    def test_headers_are_found_without_case_and_may_come_twice(self) -> None:
        headers = Headers([("Set-Cookie", "a"), ("set-cookie", "b"), ("X", "c")])
        self.assertEqual(headers["SET-COOKIE"], "a")
        self.assertEqual(headers.all("set-cookie"), ["a", "b"])
        self.assertEqual(list(headers), ["set-cookie", "x"])
        self.assertEqual(len(headers), 2)
        self.assertNotIn("y", headers)
        self.assertEqual(Headers(headers).pairs, headers.pairs)

    def test_text_is_sent_as_utf_8(self) -> None:
        self.assertEqual(HttpRequest("POST", "x", body="é").body, b"\xc3\xa9")

    def test_a_response_is_read_as_text_or_json(self) -> None:
        self.assertEqual(Response(200, body=b"a\xff").text, "a\ufffd")
        self.assertEqual(Response(200, body='{"a": 1}').json(), {"a": 1})
        with self.assertRaisesRegex(Invalid, "the answer is no JSON"):
            Response(200, body=b"\xff").json()
        self.assertTrue(Response(299).ok)
        self.assertFalse(Response(302).ok)


class Json(unittest.TestCase):
    def test_what_is_too_deep_is_refused_before_it_is_read(self) -> None:
        self.assertEqual(_json.loads("[" * 200 + "]" * 200).__class__, list)
        for text in ("[" * 201, '{"a":' * 201, '["]"' * 0 + "[" * 100_000):
            with self.assertRaisesRegex(ValueError, "deeper than 200"):
                _json.loads(text)

    def test_much_that_is_flat_and_brackets_in_strings_are_read(self) -> None:
        self.assertEqual(_json.loads("[" + "[]," * 999 + "[]]"), [[]] * 1000)
        text = '"' + "[" * 1000 + '\\"' + "[" * 1000 + '"'
        self.assertEqual(len(_json.loads(text)), 2001)

    def test_a_string_that_never_ends_takes_no_longer_than_its_length(self) -> None:
        with self.assertRaises(ValueError):
            _json.loads('"' + '\\"' * 200_000 + "[" * 300)


class Others(unittest.TestCase):
    def test_an_output_is_read_as_text(self) -> None:
        output = Output(0, b"Python 3.11\n", b"\xff")
        self.assertEqual(output.stdout_text, "Python 3.11\n")
        self.assertEqual(output.stderr_text, "\ufffd")
        self.assertTrue(output.succeeded)
        self.assertFalse(Output(1).succeeded)

    def test_an_event_has_its_details(self) -> None:
        self.assertEqual(event().details, {"ending": "succeeded"})

    def test_records_do_not_change(self) -> None:
        about: Deployment = deployment()
        with self.assertRaises(AttributeError):
            about.app = "other"


if __name__ == "__main__":
    unittest.main()
