"""Our own logistic regression, from the definition to the audited prediction."""

import json
import math
import unittest

from program import CUT, DEFINITION, Project, Server

LINEAR = DEFINITION.replace('trainer  = "xgboost"', 'trainer  = "linear"').replace(
    "max_depth = 4\nrounds = 20", "l2 = 2").replace('["hour", "amount", "user.*"]', '["hour", "amount", "group", "user.*"]')
LINEAR += '[features]\ngroup = "if(amount < 5, null, if(amount < 20, \'low\', if(amount < 60, \'mid\', \'high\')))"\n'


def margin(parts, cells):
    total = parts["intercept"]
    for column, cell in zip(parts["columns"], cells):
        if cell is None:
            total += column["missing"]
        elif column["kind"] == "number":
            total += column["coefficient"] * (cell - column["mean"])
        else:
            code = int(cell)
            total += column["coefficients"][code] if code < len(column["coefficients"]) else 0
    return total


class Linear(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        assert LINEAR.count('"linear"') == 1 and "l2 = 2" in LINEAR
        cls.project = Project(LINEAR, count=6000)
        cls.built = cls.project.run("build")
        cls.project.run("promote", "risk")
        cls.folder, = [path.parent for path in cls.project.folder.rglob("sha256sums")]
        cls.model = json.loads((cls.folder / "model.linear.json").read_text())

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()

    def test_the_file_tells_what_was_fitted(self):
        self.assertEqual(self.model["format"], "coeval linear")
        self.assertEqual((self.model["fit"]["l2"], self.model["fit"]["converged"]), (2.0, True))
        self.assertLessEqual(self.model["fit"]["gap"], 1e-10)
        columns = {column["name"]: column for column in self.model["columns"]}
        self.assertEqual(columns["group"]["kind"], "category")
        self.assertEqual(len(columns["group"]["coefficients"]), 3)
        self.assertNotEqual(columns["group"]["missing"], 0)  # nulls were seen
        self.assertEqual(columns["hour"]["missing"], 0)  # none was
        self.assertEqual(json.loads((self.folder / "model.json").read_text())["engine"], "coeval linear 1")
        self.assertNotIn("warning", self.built.stderr)

    def test_the_gate_says_what_the_runtime_was_beside(self):
        gate, = [one for one in json.loads((self.folder / "model.json").read_text())["gates"]
                 if one["gate"] == "runtime equals trainer"]
        self.assertTrue(gate["passed"])
        self.assertEqual(gate["measured"],
                         "0 scores differ, beside a second reading of the file, which shares our exp")

    def test_two_threads_give_the_same_bits(self):
        for threads in ("1", "2"):
            again = Project(LINEAR, count=6000)
            self.addCleanup(again.remove)
            again.run("build", "--threads", threads)
            model, = again.folder.rglob("model.linear.json")
            self.assertEqual(model.read_bytes(), (self.folder / "model.linear.json").read_bytes())

    def test_live_traffic_audits_clean_and_scores_are_the_files(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        server = Server(twin)
        played = json.loads(twin.run("replay", "--from", CUT, "--to", "2024-04-08", "--url", server.url,
                                     "--json").stdout)
        status, answer = server.call("POST", "/v1/predict/risk?features=true&now=2024-04-08",
                                     {"ts": "2024-04-08T00:00:00Z", "user": "u7", "amount": 12.5})
        self.assertEqual(server.stop(), 0)
        self.assertEqual(played["refused_count"], 0, played)
        for mode in ([], ["--against-dataset"]):
            self.assertEqual(twin.json("audit", *mode)["differ_count"], 0)
        self.assertEqual(status, 200, answer)
        encoder = json.loads((self.folder / "encoder.json").read_text())
        words = [column.get("dictionary") for column in encoder["columns"]]
        features = answer["features"]
        cells = []
        for column, dictionary in zip(self.model["columns"], words):
            value = features[column["name"]]
            cells.append(dictionary.index(value) if isinstance(value, str) else value)
        expected = 1 / (1 + math.exp(-margin(self.model, cells)))
        self.assertAlmostEqual(answer["score"], expected, delta=2e-7)  # float32

    def test_importance_is_of_contributions(self):
        card = self.project.folder / "card.md"
        self.project.run("show", "risk", "--card", card)
        self.assertIn("user.bad_14d", card.read_text())

    def test_reproduced_to_the_bit(self):
        self.assertIn("same bits", self.project.run("reproduce", "risk").stdout)

    def test_a_damaged_model_is_refused_by_name(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        model, = twin.folder.rglob("model.linear.json")
        model.write_text(model.read_text().replace('"intercept":', '"intercept":9', 1))
        finding, = [one for one in twin.json("doctor", check=3) if one["subject"] == "risk@v1"]
        self.assertFalse(finding["sound"])
        self.assertIn("model.linear.json", finding["finding"])

    def test_no_convergence_is_said(self):
        early = Project(LINEAR.replace("l2 = 2", "l2 = 2\nmax_iterations = 1"), count=3000)
        self.addCleanup(early.remove)
        done = early.run("build", check=None)
        self.assertIn("warning: the linear model has not converged after 1 iterations", done.stderr + done.stdout)

    def test_search_tries_penalties(self):
        found = Project(LINEAR.replace('gate     =', 'search   = { trials = 4 }\ngate     =').replace("l2 = 2", ""),
                        count=3000)
        self.addCleanup(found.remove)
        found.run("build", check=None)
        card, = found.folder.rglob("model.json")
        trials = json.loads(card.read_text())["trials"]
        self.assertEqual(len(trials), 4)
        self.assertEqual({trial["state"] for trial in trials}, {"finished"})
        self.assertEqual({tuple(sorted(trial["params"])) for trial in trials if trial["trial"]}, {("l1", "l2")})

    def test_sparse_and_signed(self):
        sparse = Project(LINEAR.replace("l2 = 2", "l1 = 40").replace(
            'gate     =', 'monotone = { "user.bad_14d" = "decreasing" }\ngate     =').replace('">= 0.6"', '">= 0.4"'),
            count=3000)
        self.addCleanup(sparse.remove)
        sparse.run("build", check=None)
        model, = sparse.folder.rglob("model.linear.json")
        columns = {column["name"]: column for column in json.loads(model.read_text())["columns"]}
        self.assertLessEqual(columns["user.bad_14d"]["coefficient"], 0)
        self.assertIn(0.0, [column.get("coefficient") for column in columns.values()])

    def test_what_a_linear_model_has_not_is_refused(self):
        for params, words in (("rounds = 20", "a linear model has no rounds"), ("eta = 0.1", "unknown key 'eta'"),
                              ("early_stopping_rounds = 3", "a linear model has no rounds"),
                              ("l1 = -1", "'l1'"), ("tolerance = 0", "'tolerance'")):
            with self.subTest(params):
                other = Project(LINEAR.replace("l2 = 2", params), count=1)
                self.addCleanup(other.remove)
                done = other.run("check", check=2)
                self.assertIn(words, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
