"""The project examples/delay-class on the flights between six airports: built, served, explained, audited."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from program import Server, run, six_airports

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = ROOT / "third_party/peers/trainers/bin/python"
SKLEARN = ROOT / "third_party/peers/scikit-learn/bin/python"
# The library's own prediction of the test rows: probabilities, and places of labels among the classes.
PREDICT = """
import json, sys
import numpy as np, pyarrow.parquet as pq, xgboost
encoder, classes = json.load(open(sys.argv[3])), json.loads(sys.argv[4])
rows = pq.read_table(sys.argv[1])
rows = rows.filter([each == "test" for each in rows["split"].to_pylist()])
columns = []
for column in encoder["columns"]:
    values = rows[column["name"]].to_pylist()
    if column["type"] == "string":
        place = {text: i for i, text in enumerate(column["dictionary"])}
        values = [place.get(value) for value in values]
    columns.append(np.array([np.nan if value is None else value for value in values], "float32"))
p = xgboost.Booster(model_file=sys.argv[2]).inplace_predict(np.column_stack(columns), validate_features=False)
np.savez(sys.argv[5], p=p.astype("float64"), labels=[classes.index(label) for label in rows["label"].to_pylist()])
"""
SCORE = """
import json, sys
import numpy as np
from sklearn import metrics
with np.load(sys.argv[1]) as found:
    p, labels = found["p"], found["labels"]
decided = p.argmax(axis=1)
print(json.dumps({
    "rows": len(p),
    "log_loss": float(-np.log(np.clip(p[np.arange(len(p)), labels], 1e-15, 1 - 1e-15)).mean()),
    "accuracy": metrics.accuracy_score(labels, decided),
    "macro_f1": metrics.f1_score(labels, decided, average="macro"),
    "weighted_f1": metrics.f1_score(labels, decided, average="weighted"),
    "macro_auc": float(np.mean([metrics.roc_auc_score(labels == k, p[:, k]) for k in range(p.shape[1])])),
}))
"""


class DelayClass(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if os.environ.get("COEVAL_SKIP_ORACLE"):
            raise unittest.SkipTest("the flights are left to the release build")
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="coeval-test-"))
        six_airports(cls.folder / "flights.parquet")
        text = (ROOT / "examples/delay-class/coeval.toml").read_text()
        cls.small = text.replace("../../data/flights-3m.parquet", "flights.parquet").replace("rounds = 150", "rounds = 30").replace(
            "rounds = 100", "rounds = 20")
        assert cls.small.count("flights.parquet") == 1
        (cls.folder / "coeval.toml").write_text(cls.small)
        cls.run_("build")
        cls.run_("dataset", "delay_class", "--out", cls.folder / "rows.parquet")  # before there is a log

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    @classmethod
    def run_(cls, verb, *arguments, **options):
        return run(verb, "-C", cls.folder, *arguments, **options)

    def json(self, verb, *arguments, **options):
        return json.loads(self.run_(verb, *arguments, "--json", **options).stdout)

    def test_gates_pass_and_metrics_have_intervals(self):
        for model in ("delay_class", "delay_class_lightgbm"):
            shown = self.json("show", model)
            self.assertTrue(shown["gates_passed"], shown["gates"])
            self.assertEqual(shown["metrics"]["runtime_differences"], 0)
            test = shown["metrics"]["test"]
            self.assertEqual([each["class"] for each in test["classes"]], ["on time", "late", "very late"])
            for each in test["classes"]:
                self.assertEqual(sum(each["decided"]), each["rows"])
            for metric in ("log_loss", "accuracy", "macro_f1", "weighted_f1", "macro_auc"):
                interval = test["intervals"][metric]
                self.assertLessEqual(interval["lower"], test[metric])
                self.assertGreaterEqual(interval["upper"], test[metric])

    def test_metrics_are_scikit_learns_of_the_librarys_own_prediction(self):
        folder = next(pathlib.Path(self.folder, ".coeval/models/delay_class").iterdir())
        subprocess.run([PYTHON, "-c", PREDICT, self.folder / "rows.parquet", folder / "model.ubj", folder / "encoder.json",
                        json.dumps(["on time", "late", "very late"]), self.folder / "scored.npz"], check=True)
        done = subprocess.run([SKLEARN, "-c", SCORE, self.folder / "scored.npz"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        wanted = json.loads(done.stdout)
        test = self.json("show", "delay_class")["metrics"]["test"]
        for name, value in wanted.items():
            self.assertAlmostEqual(test[name], value, delta=1e-12, msg=name)

    def test_a_day_served_ends_in_an_audit_without_a_difference(self):
        for model in ("delay_class", "delay_class_lightgbm"):
            self.run_("promote", model)
        server = Server(self, as_of="2001-06-01")
        played = json.loads(self.run_("replay", "delay_class", "delay_class_lightgbm", "--from", "2001-06-01", "--to",
                                      "2001-06-02", "--url", server.url, "--json").stdout)
        last = played["models"]["delay_class"]["last_prediction_id"]
        self.assertGreater(played["models"]["delay_class"]["rows"], 150)
        self.assertLess(played["models"]["delay_class"]["log_loss"], 1)
        answer = server.call("GET", f"/v1/predictions/{last}")[1]
        rows = [{"date": f"2001-06-01T{hour:02}:30:00Z", "origin": "ATL", "destination": "ORD", "distance": distance}
                for hour in range(24) for distance in (300, 600, 2000)]
        server_answers = server.call("POST", "/v1/predict/delay_class_lightgbm", rows)[1]["predictions"]
        self.assertEqual(server.stop(), 0)
        self.assertEqual(list(answer["scores"]), ["on time", "late", "very late"])
        self.assertAlmostEqual(sum(answer["scores"].values()), 1, delta=1e-6)
        self.assertEqual(answer["decision"], max(answer["scores"], key=answer["scores"].get))
        self.assertEqual(answer["score"], max(answer["scores"].values()))
        self.assertEqual(played["refused_count"], 0)
        self.assert_decisions_cost_least(server_answers)
        questions = sum(model["questions_count"] for model in played["models"].values()) + len(rows)
        self.assertGreater(questions, 300)
        for mode in ([], ["--against-dataset"]):
            report = self.json("audit", *mode)
            self.assertEqual((report["predictions_count"], report["differ_count"]), (questions, 0))
        why = self.json("explain", last)["contributions"]
        total = why["bias"] + sum(each["contribution"] for each in why["inputs"])
        self.assertAlmostEqual(total, answer["raw_score"], delta=1e-5)
        self.assertIn(f"the margin of '{answer['decision']}', by input", self.run_("explain", last).stdout)

    def assert_decisions_cost_least(self, answers):
        classes, costs = ["on time", "late", "very late"], [[0, 1, 2], [1, 0, 1], [10, 3, 0]]
        decided = set()
        for answer in answers:
            p = [answer["scores"][each] for each in classes]
            expected = [sum(p[label] * costs[label][decision] for label in range(3)) for decision in range(3)]
            self.assertEqual(answer["decision"], classes[expected.index(min(expected))])
            decided.add(answer["decision"] == classes[p.index(max(p))])
        self.assertIn(False, decided)  # costs decide otherwise than the likeliest class does

    def test_a_change_of_costs_changes_decisions_of_what_was_served(self):
        folder = self.folder / "costs"
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("costs", "other"))
        self.addCleanup(shutil.rmtree, folder)
        definition = folder / "coeval.toml"
        run("promote", "delay_class_lightgbm", "-C", folder)

        class Copy:
            pass

        Copy.folder = folder
        server = Server(Copy, as_of="2001-06-01")
        run("replay", "delay_class_lightgbm", "-C", folder, "--from", "2001-06-01", "--to", "2001-06-01T06:00:00Z", "--url", server.url)
        self.assertEqual(server.stop(), 0)
        definition.write_text(self.small.replace("[[0, 1, 2], [1, 0, 1], [10, 3, 0]]", "[[0, 9, 9], [1, 0, 1], [1, 1, 0]]"))
        said = json.loads(run("plan", "delay_class_lightgbm", "-C", folder, "--replay", "--json").stdout)
        found = json.dumps(said)
        self.assertRegex(found, r'"decisions_differ_count":\s*[1-9]')
        self.assertRegex(found, r'"scores_differ_count":\s*0')

    def test_an_mlflow_model_of_classes_is_refused(self):
        refused = self.run_("export", "mlflow-model", "delay_class", self.folder / "mlflow", check=2)
        self.assertIn("has several classes, whose export as an MLflow model is not in this version", refused.stderr)
        self.assertFalse((self.folder / "mlflow").exists())

    def test_show_has_the_metrics_of_classes(self):
        shown = self.run_("show", "delay_class").stdout
        self.assertRegex(shown, r"part +rows +log_loss +accuracy +macro_f1 +weighted_f1 +macro_auc")
        self.assertNotIn("positives", shown)

    def test_the_card_tells_of_each_class(self):
        self.run_("show", "delay_class", "--card", self.folder / "card.md")
        card = (self.folder / "card.md").read_text()
        for words in ("Each class against the others", "Rows of each class by what was decided", "macro F1", "very late"):
            self.assertIn(words, card)

    def test_labels_that_are_no_class_and_classes_without_rows_are_refused(self):
        other = self.folder / "other"
        other.mkdir()
        for change, message in (("'very late' end", "'very  late' end"), "is none of its classes in"), (
                ('"very late"]', '"very late", "diverted"]'), "class 'diverted' of model 'delay_class' has none of the"):
            changed = self.small.replace('"flights.parquet"', '"../flights.parquet"').replace(*change, 1)
            self.assertNotEqual(changed, self.small)
            (other / "coeval.toml").write_text(changed)
            refused = run("build", "delay_class", "-C", other, check=1)
            self.assertIn(message, refused.stderr)
            self.assertFalse((other / ".coeval/models").exists())


if __name__ == "__main__":
    unittest.main()
