"""The in-memory host: it grants what the manifest asks for, and nothing else."""

import unittest

from shipway_sdk import (
    Denied,
    Endpoint,
    Failure,
    Invalid,
    LimitReached,
    NotFound,
    Output,
    Plugin,
    Request,
    Setting,
    TooLarge,
    Unavailable,
    candidate,
    http,
    image,
    log,
    settings,
    source,
    variables,
)
from shipway_sdk.http import Response
from shipway_sdk.testing import FakeHost, ImageCall, InstanceCall
from shipway_sdk.testing.grants import glob

ALL = Plugin(
    "all",
    "1.0.0",
    "Asks for everything.",
    settings=[
        Setting("url", "Where."),
        Setting("token", "A secret.", secret_in=["header:Authorization", "query"]),
        Setting("hook", "A secret URL.", secret_in=["url"]),
    ],
    requests=[
        Request.files(["*.txt", "conf/**"], ""),
        Request.variables(["STAGE"], ""),
        Request.image(""),
        Request.http(
            ["POST,PUT setting:url", "https://api.example.test", "setting:hook"], ""
        ),
        Request.exec(""),
    ],
)
NOTHING = Plugin("nothing", "1.0.0", "Asks for nothing.")


class Files(unittest.TestCase):
    def test_granted_files_are_read_and_found(self) -> None:
        files = {"a.txt": "é", "conf/x/y": b"\xff", "b.md": "", "x/a.txt": ""}
        with FakeHost(ALL, files=files).entered():
            self.assertEqual(source.read_text("a.txt"), "é")
            self.assertEqual(source.read("conf/x/y"), b"\xff")
            self.assertEqual(source.find("**"), ["a.txt", "conf/x/y"])
            self.assertEqual(source.find("*"), ["a.txt"])
            with self.assertRaisesRegex(Invalid, "^conf/x/y is not text$"):
                source.read_text("conf/x/y")

    def test_others_are_refused(self) -> None:
        files = {"b.md": "", "conf/.env": "", "conf/.git/x": "", "big.txt": "x" * 2**21}
        with FakeHost(ALL, files=files).entered():
            for path in ("b.md", "conf/.env", "conf/.git/x", "/a.txt", "conf/../a.txt"):
                with self.assertRaises(Denied):
                    source.read(path)
            with self.assertRaises(NotFound):
                source.read("none.txt")
            with self.assertRaises(TooLarge):
                source.read("big.txt")

    def test_too_many_paths_are_a_limit(self) -> None:
        files = {f"{number}.txt": "" for number in range(1001)}
        with FakeHost(ALL, files=files).entered(), self.assertRaises(LimitReached):
            source.find("*.txt")

    def test_globs_are_read_as_the_engine_reads_them(self) -> None:
        for pattern, path, matches in (
            ("*.txt", "a.txt", True),
            ("*.txt", "x/a.txt", False),
            ("**/a", "a", True),
            ("**/a", "x/y/a", True),
            ("x/**", "x/y/z", True),
            ("a?c", "abc", True),
            ("a?c", "a/c", False),
            ("[ab]-[!x].c", "a-y.c", True),
            ("[ab]-[!x].c", "a-x.c", False),
            ("{a,b*}.c", "bcd.c", True),
            ("a.c", "abc", False),
        ):
            found = glob(pattern).fullmatch(path) is not None
            self.assertEqual(found, matches, f"{pattern} {path}")


class Settings(unittest.TestCase):
    def test_blank_is_not_set(self) -> None:
        host = FakeHost(ALL, settings={"url": " ", "pages": " 3", "json": "[1]"})
        with host.entered():
            self.assertIsNone(settings.get("url"))
            self.assertEqual(settings.get("url", "x"), "x")
            self.assertEqual(settings.parse("pages", int), 3)
            self.assertEqual(settings.json("json"), [1])
            self.assertIsNone(settings.parse("none", int))
            with self.assertRaisesRegex(Invalid, "^the setting url is not set$"):
                settings.require("url")
            with self.assertRaisesRegex(Invalid, "the setting json does not do"):
                settings.parse("json", int)

    def test_a_secret_is_a_placeholder(self) -> None:
        with FakeHost(ALL, settings={"token": "s3cret"}).entered():
            self.assertEqual(settings.get("token"), "secret:token")

    def test_variables_are_granted_by_name(self) -> None:
        with FakeHost(ALL, variables={"STAGE": "live", "KEY": "x"}).entered():
            self.assertEqual(variables.get("STAGE"), "live")
            with self.assertRaises(Denied):
                variables.get("KEY")
        with FakeHost(ALL).entered():
            self.assertEqual(variables.get("STAGE", "none"), "none")


class Http(unittest.TestCase):
    def host(self, **given: str) -> FakeHost:
        return FakeHost(ALL, settings=given, http=lambda request: Response(204))

    def test_granted_origins_and_methods_are_reached(self) -> None:
        host = self.host(url="https://hooks.example.test/in")
        with host.entered():
            http.post("https://hooks.example.test:443/other", json={"a": "é"})
            http.get("https://api.example.test/x")
        first, second = host.requests
        self.assertEqual(first.body, '{"a": "é"}'.encode())
        self.assertEqual(first.headers["content-type"], "application/json")
        self.assertEqual(second.method, "GET")

    def test_others_are_refused(self) -> None:
        with self.host(url="https://hooks.example.test/in").entered():
            for url in ("https://hooks.example.test/", "http://api.example.test/"):
                with self.assertRaises(Denied):
                    http.get(url)
            for url in ("ftp://api.example.test/", "x", "http://a:b/"):
                with self.assertRaises(Invalid):
                    http.post(url)

    def test_a_secret_goes_to_its_places_only(self) -> None:
        with self.host(token="s3cret").entered():
            token = settings.require("token")
            url = "https://api.example.test/"
            http.get(url, headers={"authorization": f"Bearer {token}"})
            http.get(f"{url}?token={token}")
            with self.assertRaisesRegex(Denied, "the secret token in header:x-token"):
                http.get(url, headers={"x-token": token})
            with self.assertRaisesRegex(Denied, "in body"):
                http.post(url, json={"token": token})
            with self.assertRaisesRegex(Denied, "in path"):
                http.get(f"{url}{token}")

    def test_a_url_may_be_secret_as_a_whole(self) -> None:
        host = self.host(hook="https://hooks.example.test/s3cret")
        with host.entered():
            http.post(settings.require("hook"), json={})
        self.assertEqual(host.requests[0].url, "secret:hook")

    def test_without_an_answer_nobody_answers(self) -> None:
        with FakeHost(ALL).entered(), self.assertRaises(Unavailable) as raised:
            http.get("https://api.example.test/")
        self.assertTrue(raised.exception.retryable)

    def test_a_request_has_one_body(self) -> None:
        with self.host().entered(), self.assertRaises(TypeError):
            http.post("https://api.example.test/", json={}, body="x")


class Commands(unittest.TestCase):
    def test_image_and_instances_answer(self) -> None:
        host = FakeHost(
            ALL,
            image=lambda call: Output(stdout=b"3.11"),
            exec=lambda call: Output(exit_code=1),
        )
        with host.entered():
            self.assertEqual(image.run(["python3", "-V"], {"A": "b"}).stdout, b"3.11")
            self.assertEqual(candidate.exec("web", ["true"]).exit_code, 1)
        self.assertEqual(host.image_calls, [ImageCall(["python3", "-V"], {"A": "b"})])
        self.assertEqual(host.exec_calls, [InstanceCall("web", ["true"])])

    def test_a_string_is_no_argv(self) -> None:
        with FakeHost(ALL).entered():
            for call in (image.run, lambda argv: candidate.exec("web", argv)):
                with self.assertRaises(TypeError):
                    call("python3 -V")

    def test_without_an_image_it_is_unavailable(self) -> None:
        with FakeHost(ALL).entered(), self.assertRaises(Unavailable):
            image.run(["true"])
        with FakeHost(ALL).entered(), self.assertRaises(NotFound):
            candidate.exec("web", ["true"])

    def test_what_is_not_asked_for_is_denied(self) -> None:
        with FakeHost(NOTHING).entered():
            for call in (
                lambda: image.run(["true"]),
                lambda: candidate.exec("web", ["true"]),
                lambda: source.read("a"),
                lambda: variables.get("A"),
                lambda: http.get("https://example.test"),
            ):
                with self.assertRaises(Denied):
                    call()


class Calls(unittest.TestCase):
    def test_only_a_self_test_sees_the_candidate(self) -> None:
        plugin = Plugin("x", "1.0.0", "")
        seen = []
        web = Endpoint("web", "http://10.0.0.7:8000")

        @plugin.self_test
        def test(deployment: object) -> list[object]:
            seen.append(candidate.endpoints("web"))
            http.get("http://10.0.0.7:8000/")
            return []

        @plugin.release_source
        def collect(deployment: object) -> list[object]:
            seen.append(candidate.endpoints())
            return []

        host = FakeHost(plugin, endpoints=[web], http=lambda request: Response(200))
        host.test()
        host.collect()
        self.assertEqual(seen, [[web], []])

    def test_what_a_plugin_raises_comes_out_as_it_is(self) -> None:
        plugin = Plugin("x", "1.0.0", "")

        @plugin.notifier
        def deliver(event: object) -> None:
            raise KeyError("x")

        with self.assertRaises(KeyError):
            FakeHost(plugin).deliver()

    def test_log_lines_are_kept(self) -> None:
        host = FakeHost(NOTHING)
        with host.entered():
            log.debug("a")
            log.error("b")
        self.assertEqual(host.messages, ["a", "b"])
        self.assertEqual(host.log[1].level, log.Level.ERROR)

    def test_without_a_host_nothing_is_there(self) -> None:
        with self.assertRaisesRegex(Failure, "FakeHost"):
            source.read("a")


if __name__ == "__main__":
    unittest.main()
