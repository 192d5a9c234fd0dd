"""Regression: labels that are numbers, from the definition to the audited prediction, beside scikit-learn's metrics."""

import datetime
import json
import pathlib
import random
import subprocess
import unittest

from program import CUT, START, Project, Server, stamp

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKLEARN = ROOT / "third_party/peers/scikit-learn/bin/python"

DEFINITION = """
[project]
name = "repairs"

[source.orders]
path  = "orders.csv"
time  = "ts"
known = "ts + minutes(30)"
[source.orders.columns]
ts      = { type = "timestamp", known = "ts" }
user    = { type = "string", known = "ts", pattern = "u[0-9]+" }
region  = { type = "string", known = "ts" }
amount  = { type = "float64", known = "ts", min = 0, max = 1000 }
cost    = { type = "float64", nullable = true }

[view.user]
from    = "orders"
by      = ["user"]
windows = ["1d", "14d"]
orders  = "count()"
cost    = "mean(cost)"

[metric.underestimated]
kind   = "proportion"
value  = "label > score + 5"
better = "lower"

[model.cost]
kind     = "regression"
question = { from = "orders", at = "ts" }
label    = "cost"
inputs   = ["hour", "amount", "region", "user.*"]
trainer  = "xgboost"
params   = { max_depth = 4, rounds = 60, early_stopping_rounds = 10 }
slices   = ["region"]
metrics  = ["underestimated"]
split    = { train_until = 2024-03-01, validate_until = 2024-04-01, test_until = 2024-05-01 }
gate     = { r_squared = ">= 0.5", mae = "<= 20", better_than = "champion", worst_slice = { rmse = "<= 40" } }
"""


def repairs(count, seed=1):
    """Rows of (time, user, region, amount, cost): costs follow the amount, the region and the user."""
    rng = random.Random(seed)
    step = datetime.timedelta(days=121) / count
    for i in range(count):
        user, region = rng.randrange(40), rng.choice(["north", "south", "west"])
        amount = round(min(rng.lognormvariate(3, 1), 999.0), 2)
        cost = amount * (0.8 if region == "west" else 0.5) + user * 0.75 + rng.gauss(0, 4) - 10
        moment = START + i * step + datetime.timedelta(seconds=rng.randrange(60))
        yield moment, f"u{user}", region, amount, None if i % 97 == 0 else round(cost, 3)


class Repairs(Project):
    def __init__(self, definition=DEFINITION, count=4000, cost=None):
        super().__init__(definition, count=1)
        with open(self.folder / "orders.csv", "w", encoding="utf-8") as file:
            file.write("ts,user,region,amount,cost\n")
            for i, (moment, user, region, amount, own) in enumerate(repairs(count)):
                own = own if cost is None else cost(i, own)
                file.write(f"{stamp(moment)},{user},{region},{amount},{'' if own is None else own}\n")


def with_trainer(trainer, params, more="", gate=None):
    text = DEFINITION.replace('trainer  = "xgboost"', f'trainer  = "{trainer}"\n{more}').replace(
        "{ max_depth = 4, rounds = 60, early_stopping_rounds = 10 }", params)
    if gate is not None:
        start = text.index("gate     =")
        text = text[:start] + f"gate     = {gate}\n"
    assert f'"{trainer}"' in text and params in text
    return text


ORACLE = """
import json, sys
from sklearn import metrics as m
given = json.load(sys.stdin)
y, p = given["labels"], given["predictions"]
found = {"mae": m.mean_absolute_error(y, p), "rmse": m.root_mean_squared_error(y, p), "r_squared": m.r2_score(y, p),
         "mape": m.mean_absolute_percentage_error(y, p), "pinball": m.mean_pinball_loss(y, p, alpha=0.9),
         "wape": sum(abs(a - b) for a, b in zip(y, p)) / sum(map(abs, y))}
print(json.dumps(found))
"""


def scikit_learn(labels, predictions):
    return json.loads(subprocess.run([SKLEARN, "-c", ORACLE], input=json.dumps({"labels": labels, "predictions": predictions}),
                                     capture_output=True, text=True, check=True).stdout)


def served(project, model="cost"):
    """Plays the test month against a server; what it answered to each question."""
    server = Server(project)
    played = json.loads(project.run("replay", model, "--from", CUT, "--to", "2024-05-01", "--url", server.url,
                                    "--json").stdout)
    last = server.call("GET", "/v1/predictions/" + played["models"][model]["last_prediction_id"])[1]
    state = server.call("GET", "/v1/models")[1]
    code = server.stop()
    return played, last, state, code


class Regression(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.project = Repairs()
        cls.built = cls.project.run("build")
        cls.project.run("promote", "cost")

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()

    def metrics(self, project=None):
        return (project or self.project).json("show", "cost")["metrics"]

    def test_metrics_are_scikit_learns_of_the_bits_that_were_served(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        played, last, _, code = served(twin)
        self.assertEqual(code, 0)
        self.assertEqual(played["refused_count"], 0)
        answers, test = played["models"]["cost"], self.metrics()["test"]
        self.assertEqual((answers["rows"], answers["rmse"], answers["mae"]), (test["rows"], test["rmse"], test["mae"]))
        self.assertNotIn("auc", answers)
        self.assertIsInstance(last["score"], float)
        self.assertNotIn("decision", last)
        for mode in ([], ["--against-dataset"]):
            report = twin.json("audit", *mode)
            self.assertEqual(report["predictions_count"], answers["questions_count"])
            self.assertEqual(report["differ_count"], 0)

    def test_labels_are_what_the_events_hold_and_nulls_are_in_no_part(self):
        rows = self.project.folder / "rows.csv"
        self.project.run("dataset", "cost", "--out", rows)
        header, *lines = [line.split(",") for line in rows.read_text().splitlines()]
        label, split = header.index("label"), header.index("split")
        expected = [cost for _, _, _, _, cost in repairs(4000)]
        self.assertEqual([None if line[label] == "" else float(line[label]) for line in lines], expected)
        self.assertTrue(all((line[split] == "") == (line[label] == "") for line in lines))
        tested = [float(line[label]) for line in lines if line[split] == "test"]
        test = self.metrics()["test"]
        self.assertEqual(test["rows"], len(tested))
        self.assertAlmostEqual(test["label_mean"], sum(tested) / len(tested), places=9)

    def test_every_metric_has_an_interval_around_it_and_binary_ones_are_gone(self):
        test = self.metrics()["test"]
        for metric in ("rmse", "mae", "mape", "wape", "r_squared", "underestimated"):
            self.assertLess(test["intervals"][metric]["lower"], test[metric])
            self.assertLess(test[metric], test["intervals"][metric]["upper"])
        for metric in ("auc", "brier", "positives", "confusion", "auc_delong", "curves", "pinball"):
            self.assertNotIn(metric, test)
        self.assertEqual(sum(test["plots"]["count"]), test["rows"])

    def test_runtime_golden_rows_and_serving_are_the_trainers_bits(self):
        shown = self.project.json("show", "cost")
        self.assertTrue(shown["gates_passed"], shown["gates"])
        gates = {gate["gate"]: gate["measured"] for gate in shown["gates"]}
        self.assertEqual(gates["runtime equals trainer"], "0 scores differ")
        self.assertEqual(gates["golden rows"], "0 rows differ")
        self.assertIn("0 of the inputs of", gates["serving equals dataset"])
        self.assertIn("alone has concordance", gates["leak analysis"])
        self.assertIn("where region is", gates["rmse <= 40 on every slice"])
        self.assertEqual(shown["metrics"]["runtime_differences"], 0)

    def test_explain_gate_reproduce_runs_card_and_exports(self):
        explained = self.project.json("explain", "gate", "cost")
        self.assertTrue(explained["same"], explained["differences"])
        numbers = [line for gate in explained["gates"] for line in gate.get("numbers", [])]
        self.assertFalse([line for line in numbers if "positive" in line], numbers)
        self.assertIn("same bits", self.project.run("reproduce", "cost").stdout)
        run, = self.project.json("runs", "cost")["runs"]
        shown = self.project.json("runs", "show", run["id"])
        self.assertEqual((shown["params"]["kind"], shown["params"]["loss"]), ("regression", "squared"))
        self.assertNotIn("threshold", shown["params"])
        self.assertEqual(shown["metrics"]["test.rmse"], self.metrics()["test"]["rmse"])
        html, text = self.project.folder / "card.html", self.project.folder / "card.md"
        self.project.run("show", "cost", "--card", html)
        self.project.run("show", "cost", "--card", text)
        for plot in ("Predicted and actual", "Residuals", "Distribution of the residuals"):
            self.assertIn(f">{plot}</title>", html.read_text())
        self.assertIn("R²", text.read_text())
        for word in ("ROC", "AUC", "log odds", "probabilit", "threshold", "positive", "Brier"):
            self.assertNotIn(word, text.read_text())
        onnx = self.project.folder / "cost.onnx"
        self.project.run("export", "onnx", "cost", onnx)
        self.assertGreater(onnx.stat().st_size, 1000)

    def test_two_threads_and_another_folder_give_the_same_bits(self):
        bits = self.project.json("show", "cost")["bits_id"]
        for threads in ("1", "2"):
            again = Repairs()
            self.addCleanup(again.remove)
            again.run("build", "--threads", threads)
            self.assertEqual(again.json("show", "cost")["bits_id"], bits)

    def test_a_better_model_is_promoted_and_an_equal_one_is_not(self):
        twin = Repairs(DEFINITION.replace("rounds = 60", "rounds = 3"))
        self.addCleanup(twin.remove)
        twin.run("build", check=None)
        toml = twin.folder / "coeval.toml"
        gate = DEFINITION[DEFINITION.index("gate     ="):]
        weak = DEFINITION.replace("rounds = 60", "rounds = 3").replace(gate, 'gate = { mae = "<= 100" }\n')
        toml.write_text(weak)
        twin.run("build")
        twin.run("promote", "cost")
        toml.write_text(DEFINITION.replace(gate, 'gate = { better_than = "champion", not_worse_than = "champion", '
                                                 'no_slice_worse_than = "champion", on = "mae" }\n'))
        twin.run("build")
        better = twin.json("explain", "gate", "cost")
        self.assertTrue(better["passed"], better["gates"])
        comparisons = {one["metric"]: one for one in better["evidence"]["comparisons"]}
        self.assertEqual(set(comparisons), {"mae", "rmse"})
        for one in comparisons.values():
            self.assertAlmostEqual(one["improvement"], one["champion"] - one["candidate"], places=9)
            self.assertGreater(one["lower"], 0)
        self.assertNotIn("decisions", better["evidence"])
        self.assertIn("champion_concordance", better["evidence"])
        twin.run("promote", "cost")
        toml.write_text(toml.read_text().replace("early_stopping_rounds = 10", "early_stopping_rounds = 11"))
        twin.run("build", check=None)
        self.assertFalse(twin.json("explain", "gate", "cost")["passed"])
        # Another kind of label: nothing is compared.
        toml.write_text(toml.read_text().replace('kind     = "regression"\nquestion', "question").replace(
            'label    = "cost"', 'label    = "cost > 20"').replace(', on = "mae"', "").replace(
                'metrics  = ["underestimated"]', ""))
        twin.run("build", check=None)
        self.assertIn("another label", twin.run("explain", "gate", "cost").stdout)


class Trainers(unittest.TestCase):
    """Each trainer and loss, beside scikit-learn's metrics of what the model's folder says it predicts."""

    def check(self, definition, metric):
        project = Repairs(definition, count=3000)
        self.addCleanup(project.remove)
        project.run("build")
        project.run("promote", "cost")
        shown = project.json("show", "cost")
        self.assertTrue(shown["gates_passed"], shown["gates"])
        played, _, _, code = served(project)
        self.assertEqual(code, 0)
        self.assertEqual(project.json("audit")["differ_count"], 0)
        self.assertEqual(played["models"]["cost"]["mae"], shown["metrics"]["test"]["mae"])
        self.assertIn(metric, shown["metrics"]["test"]["intervals"])
        self.assertIn("same bits", project.run("reproduce", "cost").stdout)
        return project, shown["metrics"]["test"]

    def test_xgboost_absolute(self):
        self.check(with_trainer("xgboost", "{ rounds = 30, early_stopping_rounds = 5 }", 'loss = "absolute"',
                                '{ mae = "<= 20" }'), "mae")

    def test_xgboost_quantile(self):
        _, test = self.check(with_trainer("xgboost", "{ rounds = 30 }", "loss = { quantile = 0.9 }",
                                          '{ pinball = "<= 9" }'), "pinball")
        self.assertLess(test["pinball"], test["mae"])

    def test_lightgbm_squared(self):
        self.check(with_trainer("lightgbm", "{ rounds = 60, early_stopping_rounds = 10 }"), "rmse")

    def test_lightgbm_absolute(self):
        self.check(with_trainer("lightgbm", "{ rounds = 60, early_stopping_rounds = 10 }", 'loss = "absolute"',
                                '{ mae = "<= 20" }'), "mae")

    def test_lightgbm_quantile(self):
        self.check(with_trainer("lightgbm", "{ rounds = 40 }", "loss = { quantile = 0.9 }", '{ pinball = "<= 9" }'),
                   "pinball")

    def test_linear_is_a_ridge_regression_whose_metrics_are_scikit_learns(self):
        project, test = self.check(with_trainer("linear", "{ l2 = 1 }"), "r_squared")
        rows = project.folder / "rows.csv"
        project.run("dataset", "cost", "--out", rows)
        model = json.loads(next(project.folder.rglob("model.linear.json")).read_text())
        self.assertEqual(model["link"], "identity")
        words = json.loads(next(project.folder.rglob("encoder.json")).read_text())["columns"]
        header, *lines = [line.split(",") for line in rows.read_text().splitlines()]
        labels, predictions = [], []
        for line in lines:
            cells = dict(zip(header, line))
            if cells["split"] != "test":
                continue
            margin = model["intercept"]
            for column, spec in zip(model["columns"], words):
                cell = cells[column["name"]]
                if cell == "":
                    margin += column["missing"]
                elif column["kind"] == "number":
                    margin += column["coefficient"] * (float(cell) - column["mean"])
                elif cell in spec["dictionary"]:
                    margin += column["coefficients"][spec["dictionary"].index(cell)]
            labels.append(float(cells["label"]))
            predictions.append(margin)
        for metric, value in scikit_learn(labels, predictions).items():
            if metric != "pinball":
                self.assertLess(abs(test[metric] - value), 2e-6 * max(1, abs(value)), metric)  # scores are float32

    def test_a_search_is_by_the_metric_of_the_loss(self):
        project = Repairs(with_trainer("xgboost", "{ rounds = 20 }",
                                       'loss = "absolute"\nsearch = { trials = 6, space = { max_depth = [2, 5] } }',
                                       '{ mae = "<= 20" }'), count=3000)
        self.addCleanup(project.remove)
        built = project.run("build")
        self.assertIn(", mae ", built.stderr)
        trials = json.loads(next(project.folder.rglob("model.json")).read_text())["trials"]
        finished = [trial["loss"] for trial in trials if trial["state"] == "finished"]
        self.assertEqual(finished, sorted(finished))
        self.assertIn("same bits", project.run("reproduce", "cost").stdout)

    def test_rolling_origins_are_judged_by_errors(self):
        project = Repairs(DEFINITION.replace("test_until = 2024-05-01 }",
                                             'test_until = 2024-05-01, rolling = { folds = 2, step = "14d" } }'))
        self.addCleanup(project.remove)
        project.run("build")
        folds = project.json("show", "cost")["metrics"]["rolling"]
        self.assertEqual([set(fold) >= {"rmse", "mae", "r_squared"} for fold in folds], [True, True])


class BadLabels(unittest.TestCase):
    def failed(self, definition=DEFINITION, cost=None, count=2000):
        project = Repairs(definition, count, cost)
        self.addCleanup(project.remove)
        done = project.run("build", check=None)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertEqual(project.json("show")[0]["versions_count"], 0)
        return done.stderr

    def test_constant_training_labels_are_refused_with_the_number(self):
        said = self.failed(cost=lambda i, own: 3.25)
        self.assertRegex(said, r"the label of model 'cost' is 3\.25 in all \d+ training rows: there is nothing to learn")

    def test_nan_and_infinite_labels_are_counted(self):
        finite = DEFINITION.replace('cost    = { type = "float64", nullable = true }',
                                    'cost    = { type = "float64", nullable = true, finite = false }')
        said = self.failed(finite, cost=lambda i, own: "nan" if i == 5 else "inf" if i in (7, 9) else own)
        self.assertIn("is NaN in 1 and infinite in 2 of 2000 rows of source 'orders'", said)
        quarantined = Repairs(count=2000, cost=lambda i, own: "nan" if i == 5 else own)
        self.addCleanup(quarantined.remove)
        self.assertIn("1 quarantined", quarantined.run("build", check=None).stderr)

    def test_labels_beyond_float32_are_refused(self):
        # Without the view, whose mean of such costs would be an infinite input.
        said = self.failed(DEFINITION.replace(', "user.*"]', "]"), cost=lambda i, own: 1e300 if i == 3 else own)
        self.assertIn("is beyond 3.4e38 in 1 of", said)

    def test_no_labels_at_all(self):
        self.assertIn("the train part of the split has no rows", self.failed(cost=lambda i, own: None))

    def test_what_check_refuses_names_line_and_way_out(self):
        project = Repairs(DEFINITION.replace('mae = "<= 20"', 'auc = ">= 0.7"').replace(
            'slices   =', 'threshold = 0.5\nslices   ='), count=10)
        self.addCleanup(project.remove)
        done = project.run("check", check=None)
        self.assertNotEqual(done.returncode, 0)
        said = done.stdout + done.stderr
        self.assertIn("has no metric 'auc'", said)
        self.assertIn("a regression decides nothing", said)


if __name__ == "__main__":
    unittest.main()
