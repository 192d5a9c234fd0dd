"""A model that LightGBM trains, from the definition to the audited prediction."""

import json
import unittest

from program import CUT, DEFINITION, Project, Server

CHANGED = DEFINITION.replace('trainer  = "xgboost"', 'trainer  = "lightgbm"').replace(
    "max_depth = 4\nrounds = 20", "num_leaves = 7\nrounds = 20\nmin_child_samples = 10")


class Lightgbm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        assert CHANGED.count("lightgbm") == 1 and "num_leaves" in CHANGED
        cls.project = Project(CHANGED, count=6000)
        cls.built = cls.project.run("build")
        cls.project.run("promote", "risk")

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()

    def folder(self):
        found = [path.parent for path in self.project.folder.rglob("sha256sums")]
        self.assertEqual(len(found), 1)
        return found[0]

    def test_the_model_is_the_text_of_lightgbm(self):
        text = (self.folder() / "model.lightgbm.txt").read_text()
        self.assertTrue(text.startswith("tree\nversion=v4\n"))
        self.assertIn("[num_leaves: 7]", text)
        self.assertIn("[min_data_in_leaf: 10]", text)
        self.assertFalse((self.folder() / "model.ubj").exists())
        card = json.loads((self.folder() / "model.json").read_text())
        self.assertEqual(card["engine"], "lightgbm 4.7.0")

    def test_the_runtime_gave_the_librarys_bits(self):
        self.assertIn(": 0 differ", self.built.stdout + self.built.stderr)
        metrics = json.loads((self.folder() / "metrics.json").read_text())
        self.assertEqual(metrics["runtime_differences"], 0)
        self.assertGreater(metrics["runtime_rows_compared"], 100)

    def test_live_traffic_audits_clean_in_both_modes(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        server = Server(twin)
        played = json.loads(twin.run("replay", "--from", CUT, "--to", "2024-04-08", "--url", server.url,
                                     "--json").stdout)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(played["refused_count"], 0, played)
        self.assertGreater(played["models"]["risk"]["questions_count"], 100)
        for mode in ([], ["--against-dataset"]):
            self.assertEqual(twin.json("audit", *mode)["differ_count"], 0)

    def test_a_damaged_model_is_refused_by_name(self):
        twin = self.project.copy()
        try:
            model, = twin.folder.rglob("model.lightgbm.txt")
            model.write_text(model.read_text().replace("leaf_value=", "leaf_value=9", 1))
            finding, = [one for one in twin.json("doctor", check=3) if one["subject"] == "risk@v1"]
            self.assertFalse(finding["sound"])
            self.assertIn("model.lightgbm.txt", finding["finding"])
        finally:
            twin.remove()

    def test_parameters_of_the_other_trainer_are_refused(self):
        other = Project(CHANGED.replace("num_leaves = 7", "gamma = 1"), count=1)
        try:
            done = other.run("check", check=2)
            self.assertIn("unknown key 'gamma' in params of model 'risk'", done.stdout + done.stderr)
        finally:
            other.remove()


if __name__ == "__main__":
    unittest.main()
