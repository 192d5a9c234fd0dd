"""The project examples/search-ranking on 6,000 generated lists: built, judged, served, ranked, audited."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from program import Server, run

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = ROOT / "third_party/peers/trainers/bin/python"
SKLEARN = ROOT / "third_party/peers/scikit-learn/bin/python"
SPLIT = "train_until = 2018-04-03, validate_until = 2018-04-04, test_until = 2018-04-06"
HOURS = "train_until = 2018-04-01T09:00:00Z, validate_until = 2018-04-01T11:00:00Z, test_until = 2018-04-01T14:00:00Z"
# The library's own prediction of the test rows of a dataset, with their queries and grades.
PREDICT = """
import sys
import numpy as np, pyarrow.parquet as pq, xgboost
rows = pq.read_table(sys.argv[1])
rows = rows.filter([each == "test" for each in rows["split"].to_pylist()])
matrix = np.column_stack([rows[f"f{i}"].to_numpy().astype("float32") for i in range(8)])
np.savez(sys.argv[3], scores=xgboost.Booster(model_file=sys.argv[2]).inplace_predict(matrix, validate_features=False),
         queries=rows["row:unit"].to_numpy(), grades=rows["label"].to_numpy())
"""
# NDCG@10 by query, of lists that have a relevant document. Lists with equal scores are scikit-learn's average, too.
SCORE = """
import json, sys
import numpy as np
from sklearn.metrics import ndcg_score
with np.load(sys.argv[1]) as found:
    scores, queries, grades = found["scores"], found["queries"], found["grades"]
figures = []
for query in np.unique(queries):
    mine = queries == query
    if grades[mine].max() > 0:
        figures.append(ndcg_score([2.0 ** grades[mine] - 1], [scores[mine]], k=10))
print(json.dumps({"ndcg": float(np.mean(figures)), "queries": len(figures)}))
"""


class SearchRanking(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if os.environ.get("COEVAL_SKIP_ORACLE"):
            raise unittest.SkipTest("training with the libraries is left to the release build")
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="coeval-test-"))
        run("gen", "clicks", "--rows", "60000", "--queries", "300", "--out", cls.folder / "clicks.parquet")
        text = (ROOT / "examples/search-ranking/coeval.toml").read_text()
        cls.small = text.replace(SPLIT, HOURS).replace("rounds = 300", "rounds = 60").replace("rounds = 100", "rounds = 20")
        assert cls.small.count(HOURS) == 2
        (cls.folder / "coeval.toml").write_text(cls.small)
        cls.run_("build")
        cls.run_("dataset", "relevance", "--out", cls.folder / "rows.parquet")  # before there is a log

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    @classmethod
    def run_(cls, verb, *arguments, **options):
        return run(verb, "-C", cls.folder, *arguments, **options)

    def json(self, verb, *arguments, **options):
        return json.loads(self.run_(verb, *arguments, "--json", **options).stdout)

    def other(self, change, to, check):
        """What `build relevance` says of a changed definition."""
        folder = self.folder / "other"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        changed = self.small.replace('"clicks.parquet"', '"../clicks.parquet"').replace(change, to)
        self.assertNotEqual(changed, self.small)
        (folder / "coeval.toml").write_text(changed)
        return run("build", "relevance", "-C", folder, check=check)

    def test_gates_pass_with_intervals_by_query(self):
        for model in ("relevance", "clicks"):
            shown = self.json("show", model)
            self.assertTrue(shown["gates_passed"], shown["gates"])
            self.assertEqual(shown["metrics"]["runtime_differences"], 0)
            test = shown["metrics"]["test"]
            self.assertEqual(test["interval_unit"], "session")
            lines = self.run_("show", model).stdout.splitlines()
            at = next(i for i, line in enumerate(lines) if line.startswith("part "))
            self.assertEqual(lines[at].split(), "part rows queries queries_without_relevant ndcg map mrr hit_rate".split())
            line = next(line.split() for line in lines[at:] if line.startswith("test "))
            self.assertEqual(line[1:4], [str(test[each]) for each in ("rows", "queries", "queries_without_relevant")])
            self.assertAlmostEqual(float(line[4]), test["ndcg"], delta=1e-5)
            self.assertEqual(test["rows"], 10 * (test["queries"] + test["queries_without_relevant"]))
            for metric in ("ndcg", "map", "mrr", "hit_rate"):
                interval = test["intervals"][metric]
                self.assertLessEqual(interval["lower"], test[metric] + 1e-12)
                self.assertGreaterEqual(interval["upper"], test[metric] - 1e-12)

    def test_the_ndcg_is_scikit_learns_of_the_librarys_own_prediction(self):
        model = next(pathlib.Path(self.folder, ".coeval/models/relevance").iterdir()) / "model.ubj"
        subprocess.run([PYTHON, "-c", PREDICT, self.folder / "rows.parquet", model, self.folder / "scored.npz"], check=True)
        done = subprocess.run([SKLEARN, "-c", SCORE, self.folder / "scored.npz"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        wanted = json.loads(done.stdout)
        test = self.json("show", "relevance")["metrics"]["test"]
        self.assertEqual(test["queries"], wanted["queries"])
        self.assertAlmostEqual(test["ndcg"], wanted["ndcg"], delta=1e-12)

    def test_lists_are_ranked_and_audited(self):
        for model in ("relevance", "clicks"):
            self.run_("promote", model)
        server = Server(self, as_of="2018-04-01T11:00:00Z")
        played = json.loads(self.run_("replay", "relevance", "clicks", "--from", "2018-04-01T11:00:00Z", "--to",
                                      "2018-04-01T11:10:00Z", "--url", server.url, "--json").stdout)
        self.assertEqual(played["refused_count"], 0)
        questions = sum(model["questions_count"] for model in played["models"].values())
        self.assertGreater(questions, 500)

        def candidate(**features):
            return {**{f"f{i}": 0.5 for i in range(6)}, **features}

        candidates = [candidate(f0=0.1), candidate(f0=0.9, f1=0.9), {"f0": 0.5}, candidate(f0=7.0), candidate(f0=0.9, f1=0.9),
                      candidate(f0=0.4)]
        context = {"f6": 0.5, "f7": 0.5, "at": "2018-04-01T11:30:00Z"}
        body = {"context": context, "candidates": candidates, "k": 3}
        status, answer = server.call("POST", "/v1/rank/relevance", body)
        self.assertEqual(status, 200, answer)
        scores = [each["score"] for each in answer["ranking"]]
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertEqual(len(scores), 3)
        self.assertEqual([each["candidate"] for each in answer["refused"]], [2, 3])
        self.assertEqual(answer["refused"][1]["broken_rules"][0]["column"], "f0")
        # Equal rows have equal scores: the earlier one comes first.
        places = [each["candidate"] for each in answer["ranking"]]
        self.assertEqual(places.index(1) + 1, places.index(4))
        alone = {**body["context"], **candidates[1]}
        self.assertEqual(server.call("POST", "/v1/predict/relevance", alone)[1]["score"], scores[places.index(1)])
        self.assertNotIn("decision", answer["ranking"][0])

        for bad, code, words in (
                ([], 400, "must be an object"), ({"context": {}}, 400, "'candidates' must be an array"),
                ({"candidates": []}, 400, "at least one"), ({"candidates": [{}], "k": 0}, 400, "'k' must be 1 or more"),
                ({"candidates": [{}], "top": 3}, 400, "unknown key 'top'"),
                ({"context": {"f0": 1}, "candidates": [{"f0": 1}]}, 400, "stands in the context and in a candidate"),
                ({"candidates": [7]}, 400, "expected a question as an object"), ({"candidates": [candidate(at="2018-04-01T11:30:00Z")]}, 400, "belongs in the context"),
                ({"context": {"f6": 1, "f9": 2}, "candidates": [candidate()]}, 400, "has no question column 'f9'"), ({"candidates": [candidate()] * 10_001}, 413, "at most 10000 are ranked")):
            status, answer = server.call("POST", "/v1/rank/relevance", bad)
            self.assertEqual(status, code, answer)
            self.assertIn(words, answer["error"])
        self.assertEqual(server.call("POST", "/v1/rank/nothing", body)[0], 404)
        self.assertEqual(server.stop(), 0)
        # Four candidates could be asked, three of which were answered; and one question by itself.
        for mode in ([], ["--against-dataset"]):
            report = self.json("audit", *mode)
            self.assertEqual((report["predictions_count"], report["differ_count"]), (questions + 5, 0))

    def test_bad_grades_and_queries_that_teach_nothing_are_refused(self):
        self.assertIn("is no grade in", self.other('label    = "grade"', 'label    = "grade * 20"', 1).stderr)
        alone = self.other('query    = "session"', 'query    = "session * 100 + position"', 1).stderr
        self.assertIn("has rows of one grade only: there is no order to learn", alone)
        self.assertIn("is `query` what rows share?", alone)
        self.assertIn("must be a whole number in a ranking, not bool",
                      self.other('label    = "grade"', 'label    = "clicked"', 2).stderr)
        self.assertIn("has no 'query'", self.other('query    = "session"\nk', "k", 2).stderr)

    def test_a_champion_with_other_inputs_is_asked_the_same_queries(self):
        folder = self.folder / "champion"
        folder.mkdir()
        self.addCleanup(shutil.rmtree, folder)
        small = self.small.replace('"clicks.parquet"', '"../clicks.parquet"').replace("rounds = 60", "rounds = 5").replace(
            '">= 0.95"', '">= 0.3"')
        every = '["f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7"]\ntrainer  = "xgboost"'
        self.assertIn(every, small)
        (folder / "coeval.toml").write_text(small.replace(every, '["f6", "f7"]\ntrainer  = "xgboost"'))
        run("build", "relevance", "-C", folder)
        run("promote", "relevance", "-C", folder)
        (folder / "coeval.toml").write_text(small)
        said = run("build", "relevance", "-C", folder)
        self.assertRegex(said.stderr + said.stdout, r"passed +ndcg better_than champion +\(\+0\.[0-9]+")

    def test_a_slice_has_whole_queries(self):
        # Each list has ten positions, so no list lies in the slice of the first three; each lies in that of its session.
        self.other('gate     = { ndcg = ">= 0.95"', 'slices   = ["position <= 3", "session % 2 = 0"]\ngate     = { ndcg = ">= 0.1"', 0)
        card = self.folder / "card.md"
        run("show", "relevance", "-C", self.folder / "other", "--card", card)
        self.assertNotIn("position <= 3", card.read_text().split("## Slices")[1].split("## ")[0])
        self.assertIn("session % 2 = 0", card.read_text().split("## Slices")[1].split("## ")[0])

    def test_early_stopping_needs_a_relevant_row(self):
        said = self.other('label    = "grade"', 'label    = "if(hour(ts) >= 9, 0, grade)"', 1).stderr
        self.assertIn("is relevant, so early stopping has no NDCG to go by", said)

    def test_a_query_in_two_parts_is_in_none(self):
        # 100 consecutive lists of the same hour are one query: those around the ends of parts are left out whole.
        said = self.other('query    = "session"', 'query    = "cast(floor(session / 100) as int64)"', 0)
        shown = json.loads(run("show", "relevance", "-C", self.folder / "other", "--json").stdout)
        test = shown["metrics"]["test"]
        self.assertEqual(test["rows"] % 1000, 0, said.stdout)
        self.assertEqual(test["rows"], 1000 * (test["queries"] + test["queries_without_relevant"]))


if __name__ == "__main__":
    unittest.main()
