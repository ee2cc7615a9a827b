import unittest
from pathlib import Path

from shipway_sdk import Argv, Phase
from shipway_sdk.testing import FakeHost, run_cases

from plugin import plugin

PROJECT = Path(__file__).parent.parent
COMPONENT = PROJECT / "build/{{name}}.wasm"


class InMemory(unittest.TestCase):
    def test_scripts_run_in_the_order_of_their_names(self) -> None:
        files = {"release.d/20-seed.sh": "", "release.d/10-migrate.sh": ""}
        first, second = FakeHost(plugin, files=files).collect().commands
        self.assertEqual(first.run, Argv(["sh", "release.d/10-migrate.sh"]))
        self.assertEqual(second.label, "20-seed")

    def test_a_name_says_when_its_script_runs(self) -> None:
        host = FakeHost(plugin, files={"release.d/gate-warm-up.sh": ""})
        [command] = host.collect().commands
        self.assertEqual((command.label, command.phase), ("warm-up", Phase.GATE))


class InTheSandbox(unittest.TestCase):
    @unittest.skipUnless(COMPONENT.exists(), "it is not built")
    def test_cases(self) -> None:
        for case in run_cases(project=PROJECT, component=COMPONENT):
            with self.subTest(case.name):
                case.check()


if __name__ == "__main__":
    unittest.main()
