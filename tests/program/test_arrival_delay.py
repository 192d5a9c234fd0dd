"""The project examples/arrival-delay on the flights between six airports: built, served, audited."""

import json
import os
import pathlib
import shutil
import tempfile
import unittest

from program import Server, run, six_airports

ROOT = pathlib.Path(__file__).resolve().parents[2]


class ArrivalDelay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if os.environ.get("COEVAL_SKIP_ORACLE"):
            raise unittest.SkipTest("the flights are left to the release build")
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="coeval-test-"))
        six_airports(cls.folder / "flights.parquet")
        text = (ROOT / "examples/arrival-delay/coeval.toml").read_text()
        small = text.replace("../../data/flights-3m.parquet", "flights.parquet").replace("rounds = 300", "rounds = 60").replace(
            "rounds = 150", "rounds = 40")
        assert small.count("flights.parquet") == 1
        (cls.folder / "coeval.toml").write_text(small)
        cls.built = cls.run_("build")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    @classmethod
    def run_(cls, verb, *arguments, **options):
        return run(verb, "-C", cls.folder, *arguments, **options)

    def json(self, verb, *arguments, **options):
        return json.loads(self.run_(verb, *arguments, "--json", **options).stdout)

    def test_all_gates_pass_and_trees_beat_the_line(self):
        rmse = {}
        for model in ("delay", "delay_p90", "delay_linear"):
            shown = self.json("show", model)
            self.assertTrue(shown["gates_passed"], shown["gates"])
            self.assertEqual(shown["metrics"]["runtime_differences"], 0)
            rmse[model] = shown["metrics"]["test"]["rmse"]
        self.assertLess(rmse["delay"], rmse["delay_linear"])

    def test_a_day_served_ends_in_an_audit_without_a_difference(self):
        for model in ("delay", "delay_p90", "delay_linear"):
            self.run_("promote", model)
        server = Server(self, as_of="2001-06-01")
        played = json.loads(self.run_("replay", "delay", "delay_p90", "delay_linear", "--from", "2001-06-01", "--to",
                                      "2001-06-02", "--url", server.url, "--json").stdout)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(played["refused_count"], 0)
        questions = sum(model["questions_count"] for model in played["models"].values())
        self.assertGreater(questions, 300)
        for mode in ([], ["--against-dataset"]):
            report = self.json("audit", *mode)
            self.assertEqual((report["predictions_count"], report["differ_count"]), (questions, 0))


if __name__ == "__main__":
    unittest.main()
