"""What is said of a model's test part: metrics of the business, intervals, slices beside the champion, and why an answer was given."""

import json
import math
import unittest

from program import DEFINITION, Project, Server, order_json, orders
from test_training import SPLIT, card, changed, verdicts

METRICS = """
[metric.worth]
kind   = "sum"
value  = "if(decision and label, 100, if(decision, -5, 0))"
[metric.hits]
kind   = "proportion"
value  = "decision = label"
[metric.flagged]
kind    = "ratio"
value   = "if(decision and label, 1, 0)"
divisor = "if(decision, 1, 0)"
[metric.amount_flagged]
kind   = "sum"
value  = "if(score >= 0, amount, 0)"
[metric.unfair]
kind   = "mean"
value  = "(score - if(label, 1, 0)) * (score - if(label, 1, 0))"
better = "lower"
[model.risk]
metrics = ["worth", "hits", "flagged", "amount_flagged"]
slices  = ["amount > 20", "amount > 100"]
"""
THRESHOLD = SPLIT + "\nthreshold = 0.2"
GATE = 'gate     = { auc = ">= 0.6" }'
SLICED = ('gate     = { auc = ">= 0.4", worth = ">= 0", unfair = "<= 0.2", worst_slice = { worth = ">= 0" }, '
          'better_than = "champion", no_slice_worse_than = "champion", on = "worth" }')
MEASURED = changed(DEFINITION, ("[model.risk]\n", METRICS), (SPLIT, THRESHOLD), (GATE, SLICED))


def holm(p_values):
    """By hand: p ascending, each times how many are left, never below the one before."""
    adjusted, least = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = least
    return adjusted


class Measured(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.project = Project(MEASURED)
        cls.project.build_and_promote()
        cls.model, cls.metrics = card(cls.project)

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()

    def test_metrics_of_the_business_are_what_the_decisions_make_them(self):
        for part in ("train", "validate", "test"):
            of = self.metrics[part]
            cells = of["confusion"]
            self.assertEqual(of["worth"], 100 * cells["true_positives"] - 5 * cells["false_positives"])
            self.assertEqual(of["hits"], of["accuracy"])
            self.assertEqual(of["flagged"], of["precision"])
            self.assertAlmostEqual(of["unfair"], of["brier"], delta=1e-15)

    def test_they_read_the_rows_of_the_question(self):
        amounts = [amount for moment, _, amount, _ in orders(8000) if moment.strftime("%Y-%m") == "2024-04"]
        test = self.metrics["test"]
        self.assertEqual(test["rows"], len(amounts))
        self.assertEqual(test["amount_flagged"], math.fsum(amounts))

    def test_equal_metrics_have_equal_intervals(self):
        intervals = self.metrics["test"]["intervals"]
        self.assertEqual(intervals["hits"], intervals["accuracy"])
        self.assertEqual(intervals["flagged"], intervals["precision"])
        self.assertEqual((self.metrics["test"]["interval_unit"], self.metrics["test"]["interval_units"]), ("day", 30))
        for name, ends in intervals.items():
            self.assertLess(ends["lower"], ends["upper"], name)
            if name != "calibration_error":  # whose resampled rows are further from calibrated than the rows
                self.assertTrue(ends["lower"] <= self.metrics["test"][name] <= ends["upper"], name)
        delong = self.metrics["test"]["auc_delong"]
        self.assertAlmostEqual(delong["upper"] - delong["lower"], 2 * 1.959964 * delong["standard_error"], places=6)

    def test_slices_have_them_too(self):
        slices = {(each["slice"], each["value"]): each for each in self.model["evidence"]["slices"]}
        parts = [slices["amount > 20", value]["metrics"]["worth"] for value in ("true", "false")]
        self.assertEqual(sum(parts), self.metrics["test"]["worth"])
        for each in slices.values():
            self.assertIn("auc", each["intervals"])
            self.assertIn("worth", each["intervals"])

    def test_they_are_said_wherever_a_version_is(self):
        test = self.metrics["test"]
        shown = self.project.run("show", "risk").stdout
        self.assertIn("with 95 % intervals drawn by day over 30 units", shown)
        self.assertIn("worth ", shown)
        run = self.project.json("runs", "show", self.project.json("runs")["runs"][0]["id"])
        self.assertEqual(run["metrics"]["test.worth"], test["worth"])
        self.assertEqual(run["metrics"]["test.auc.lower"], test["intervals"]["auc"]["lower"])
        self.project.run("show", "risk", "--card", str(self.project.folder / "card.md"))
        text = (self.project.folder / "card.md").read_text()
        self.assertIn("95 % interval", text)
        self.assertIn("amount_flagged", text)
        self.assertIn("DeLong's interval of the AUC", text)
        self.assertNotIn("a metric by itself has none", text)
        explained = self.project.json("explain", "gate", "risk@v1")
        self.assertTrue(explained["same"])
        gate = next(each for each in explained["gates"] if each["gate"] == "worth >= 0")
        self.assertTrue(any("95 % interval" in line for line in gate["numbers"]), gate)

    def test_one_metric_more_makes_the_model_new_but_not_its_bits(self):
        twin = self.project.copy()
        try:
            definition = twin.folder / "coeval.toml"
            definition.write_text(changed(definition.read_text(), ("-5, 0", "-6, 0")))
            built = twin.json("build", check=None)[0]
            self.assertEqual((built["version"], built["bits_id"]), (2, self.model["bits_id"]))
            cells = twin.json("show", "risk")["metrics"]["test"]
            self.assertEqual(cells["worth"], 100 * cells["confusion"]["true_positives"] -
                             6 * cells["confusion"]["false_positives"])
        finally:
            twin.remove()

    def test_an_answer_is_explained_by_what_each_input_added(self):
        twin = self.project.copy()
        try:
            server = Server(twin)
            try:
                row = list(orders(8000))[-1]
                body = {key: value for key, value in order_json(*row).items() if key != "bad"}
                status, answer = server.call("POST", "/v1/predict/risk?now=2024-05-02", body)
                self.assertEqual(status, 200, answer)
            finally:
                server.stop()
                server.close()
            why = twin.json("explain", answer["prediction_id"])["contributions"]
            self.assertTrue(why["adds_up"])
            self.assertEqual(len(why["inputs"]), 2 + 9)
            total = math.fsum([why["bias"], *(each["contribution"] for each in why["inputs"])])
            self.assertAlmostEqual(total, why["margin"], delta=1e-5)
            self.assertAlmostEqual(1 / (1 + math.exp(-total)), answer["score"], delta=1e-5)
            sizes = [abs(each["contribution"]) for each in why["inputs"]]
            self.assertEqual(sizes, sorted(sizes, reverse=True))
            self.assertGreater(sizes[0], 0.01)
            text = twin.run("explain", answer["prediction_id"]).stdout
            self.assertIn("by input (TreeSHAP)", text)
            self.assertIn("without knowing the row", text)
            self.assertNotIn("NOT add up", text)
        finally:
            twin.remove()


class SliceBySlice(unittest.TestCase):
    def test_a_candidate_that_fails_one_group_of_rows_is_not_promoted(self):
        gates = ('gate     = { auc = ">= 0.4", not_worse_than = "champion", margin = 0.9, '
                 'no_slice_worse_than = "champion" }')
        sliced = changed(DEFINITION, (SPLIT, SPLIT + '\nslices = ["amount > 20"]'), (GATE, gates))
        project = Project(sliced)
        try:
            project.build_and_promote()
            first = verdicts(card(project)[0])["auc no_slice_worse_than champion"]
            self.assertEqual((first["passed"], first["measured"]), (True, "no champion yet: absolute limits only"))
            # Of small orders it learns nothing of the user.
            blind = [f"if(amount > 20, user.{name}_{window}, null)" for name in ("orders", "amount", "bad")
                     for window in ("1h", "1d", "14d")]
            inputs = json.dumps(["hour", "amount", *blind])
            (project.folder / "coeval.toml").write_text(
                changed(sliced, ('inputs   = ["hour", "amount", "user.*"]', f"inputs   = {inputs}")))
            project.run("build", check=3)
            model, _ = card(project)
            verdict = verdicts(model)["auc no_slice_worse_than champion"]
            self.assertFalse(verdict["passed"], verdict)
            self.assertIn("1 of 2 slices worse", verdict["measured"])
            self.assertIn("where amount > 20 is false", verdict["measured"])
            evidence = model["evidence"]
            compared = evidence["slice_comparisons"]
            self.assertEqual(len(compared), 2)
            self.assertEqual([each["adjusted_p"] for each in compared],
                             holm([each["comparison"]["p_value"] for each in compared]))
            self.assertIn("delong_p", evidence["comparisons"][0])
            decisions = evidence["decisions"]
            self.assertTrue(0 <= decisions["p_value"] <= 1)
            project.run("promote", "risk", check=3)
            explained = project.run("explain", "gate", "risk").stdout
            self.assertIn("2 slices compared with champion v1", explained)
            self.assertIn("byte for byte the stored one", explained)
            project.run("show", "risk", "--card", str(project.folder / "card.md"))
            self.assertIn("Slice by slice", (project.folder / "card.md").read_text())
        finally:
            project.remove()


class Labels(unittest.TestCase):
    NAN = changed(DEFINITION, ('bad     = { type = "int32", min = 0, max = 1 }', 'bad     = { type = "float64", finite = false }'))

    def with_nan(self, definition):
        project = Project(definition)
        path = project.folder / "orders.csv"
        lines = path.read_text().splitlines()
        lines[4000] = lines[4000].rpartition(",")[0] + ",NaN"
        path.write_text("\n".join(lines) + "\n")
        return project

    def test_a_label_that_is_nan_is_an_error_and_registers_nothing(self):
        project = self.with_nan(self.NAN)
        try:
            refused = project.run("build", check=None)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("which is NaN in 1 of 8000 rows of source 'orders'", refused.stderr)
            self.assertEqual(project.json("show")[0]["versions_count"], 0)
        finally:
            project.remove()

    def test_one_that_the_definition_makes_null_is_not_trained_with(self):
        project = self.with_nan(changed(self.NAN, ('"bad = 1"\ninputs', '"if(bad < 0 or bad >= 0, bad, null) = 1"\ninputs')))
        try:
            project.run("build")
            model = card(project)[1]
            self.assertGreater(model["test"]["rows"], 0)
        finally:
            project.remove()


if __name__ == "__main__":
    unittest.main()
