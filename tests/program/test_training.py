"""How a model is trained and judged: weights, calibration, thresholds, slices, search, and who beats the champion."""

import json
import shutil
import signal
import subprocess
import unittest

from program import COEVAL, DEFINITION, SANITIZED, Project, Server, order_json, orders, run

SPLIT = "split    = { train_until = 2024-03-01, validate_until = 2024-04-01, test_until = 2024-05-01 }"
PARTS = ("split    = { train_until = 2024-02-20, validate_until = 2024-03-05, calibrate_until = 2024-03-20, "
         "threshold_until = 2024-04-01, test_until = 2024-05-01, gap = \"1h\" }")
# A sanitizer's shadow is terabytes of address space, which is what the limit counts.
MEMORY_LIMIT = "" if SANITIZED else 'memory_limit = "8GB", '
OPTIONS = """
experiment = "spring"
weights = "if(amount > 100, 2, 1)"
class_weights = "balanced"
monotone = { "user.bad_14d" = "increasing" }
threshold = { cost = { false_positive = 1, false_negative = 4 } }
slices = ["amount > 20", "user"]
resample = "user"
""" + f'limits = {{ time_budget = "5min", {MEMORY_LIMIT}threads = 1 }}\n'


def changed(text, *pairs):
    for old, new in pairs:
        if old not in text:
            raise AssertionError(f"not there: {old}")
        text = text.replace(old, new, 1)
    return text


def card(project):
    """Of the newest version."""
    shown = project.json("show", "risk")
    folder = next(path for path in (project.folder / ".coeval/models/risk").iterdir()
                  if json.loads((path / "model.json").read_text())["bits_id"] == shown["bits_id"])
    return json.loads((folder / "model.json").read_text()), json.loads((folder / "metrics.json").read_text())


def verdicts(model):
    return {each["gate"]: each for each in model["gates"]}


class Options(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.project = Project(changed(DEFINITION, (SPLIT, PARTS + OPTIONS)))
        cls.project.build_and_promote()
        cls.model, cls.metrics = card(cls.project)

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()

    def test_each_part_has_its_metrics(self):
        for part in ("train", "validate", "calibrate", "threshold", "test"):
            self.assertGreater(self.metrics[part]["rows"], 0)
        self.assertEqual(len(self.metrics["test"]["curves"]["histogram_positives"]), 50)

    def test_class_weights_are_put_right_by_a_calibration(self):
        # Scores of a balanced model have a mean near one half; 11 % of the orders are bad.
        self.assertIn(self.model["calibration"]["kind"], ("platt", "isotonic"))
        self.assertLess(self.metrics["test"]["calibration_error"], 0.06)

    def test_the_threshold_is_the_cheapest_of_its_part(self):
        threshold = self.model["threshold"]
        self.assertNotEqual(threshold, 0.5)
        # A missed one costs four times a false alarm, so the best threshold of true probabilities is 1/5.
        self.assertTrue(0.05 < threshold < 0.5, threshold)

    def test_slices_and_costs_are_evidence(self):
        evidence = self.model["evidence"]
        values = {(each["slice"], each["value"]) for each in evidence["slices"]}
        self.assertIn(("amount > 20", "true"), values)
        self.assertGreater(evidence["small_slices"], 100)  # 300 users have few rows each
        self.assertGreater(evidence["latency_us"], 0)
        self.assertEqual(evidence["skew_differences"], 0)
        self.assertEqual(evidence["skew_rows"], 512)
        self.assertTrue(verdicts(self.model)["serving equals dataset"]["passed"])

    def test_what_is_served_is_calibrated_and_audits_clean(self):
        twin = self.project.copy()
        try:
            with_server = Server(twin)
            try:
                for row in list(orders(8000))[-40:]:
                    body = {key: value for key, value in order_json(*row).items() if key != "bad"}
                    status, answer = with_server.call("POST", "/v1/predict/risk?now=2024-05-02", body)
                    self.assertEqual(status, 200, answer)
                    decision = answer["score"] >= self.model["threshold"]
                    self.assertEqual(answer["decision"], decision, answer)
            finally:
                with_server.stop()
                with_server.close()
            self.assertEqual(twin.json("audit")["differ_count"], 0)
        finally:
            twin.remove()

    def test_the_same_bits_again_elsewhere_on_two_threads(self):
        twin = self.project.copy()
        try:
            definition = twin.folder / "coeval.toml"
            definition.write_text(changed(definition.read_text(), ("threads = 1", "threads = 2")))
            first = self.project.json("build")[0]
            shutil.rmtree(twin.folder / ".coeval")
            again = twin.json("build")[0]
            self.assertEqual((again["recipe_id"], again["bits_id"]), (first["recipe_id"], first["bits_id"]))
        finally:
            twin.remove()


class Champion(unittest.TestCase):
    GATE = ('gate     = { auc = ">= 0.6" }', 'gate     = { auc = ">= 0.6", better_than = "champion" }')

    def built(self, project, definition):
        (project.folder / "coeval.toml").write_text(definition)
        project.run("build", check=None)
        return card(project)[0]

    def test_a_better_model_is_promoted_an_equal_one_is_not(self):
        poor = changed(DEFINITION, self.GATE, ('inputs   = ["hour", "amount", "user.*"]',
                                               'inputs   = ["hour", "amount"]'), ('">= 0.6"', '">= 0.4"'))
        better = changed(DEFINITION, self.GATE, ('">= 0.6"', '">= 0.4"'))
        project = Project(poor)
        try:
            project.build_and_promote()
            first = verdicts(card(project)[0])["auc better_than champion"]
            self.assertEqual(first["measured"], "no champion yet: absolute limits only")
            # The champion reads less than the challenger: it is asked by its own definition.
            second = self.built(project, better)
            verdict = verdicts(second)["auc better_than champion"]
            self.assertTrue(verdict["passed"], verdict)
            comparison = second["evidence"]["comparisons"][0]
            self.assertEqual((comparison["metric"], comparison["unit"]), ("auc", "day"))
            self.assertGreater(comparison["lower"], 0)
            project.run("promote", "risk")
            # Another seed changes nothing that matters.
            same = self.built(project, changed(better, ("trainer  = \"xgboost\"",
                                                        "trainer  = \"xgboost\"\nseed = 7"),
                                               ("rounds = 20", "rounds = 20\nsubsample = 0.9")))
            verdict = verdicts(same)["auc better_than champion"]
            self.assertFalse(verdict["passed"], verdict)
            self.assertIn("not shown better", verdict["measured"])
            refused = project.run("promote", "risk", check=3)
            self.assertIn("did not pass its gates", refused.stderr)
        finally:
            project.remove()


class Rolling(unittest.TestCase):
    def test_a_model_is_judged_from_earlier_origins_too(self):
        split = SPLIT.replace(" }", ', rolling = { folds = 3, step = "10d" } }')
        project = Project(changed(DEFINITION, (SPLIT, split)))
        try:
            project.run("build")
            folds = card(project)[1]["rolling"]
            self.assertEqual([fold["origin"][:10] for fold in folds], ["2024-02-20", "2024-02-10", "2024-01-31"])
            per_day = 8000 / 121
            for fold, days in zip(folds, (50, 40, 30)):
                # 30 minutes of the rows before an origin have labels that are known only after it.
                self.assertAlmostEqual(fold["train_rows"], days * per_day, delta=per_day / 10)
                self.assertAlmostEqual(fold["test_rows"], 10 * per_day, delta=2)
                self.assertGreater(fold["auc"], 0.5)
        finally:
            project.remove()


class AtOnce(unittest.TestCase):
    def test_builds_in_one_folder_do_not_take_each_others_files(self):
        project = Project(DEFINITION)
        definition = project.folder / "coeval.toml"
        etas = ["0.11", "0.115", "0.12", "0.11"]
        try:
            alone = {}
            for eta in set(etas):
                twin = project.copy()
                (twin.folder / "coeval.toml").write_text(DEFINITION + f"eta = {eta}\n")
                alone[eta] = {key: twin.json("build")[0][key] for key in ("recipe_id", "bits_id")}
                twin.remove()
            running = []
            for number, eta in enumerate(etas):
                # Each has a definition of its own and the state in common.
                place = project.folder / f"build-{number}"
                place.mkdir()
                (place / "coeval.toml").write_text(DEFINITION.replace('"orders.csv"', '"../orders.csv"') + f"eta = {eta}\n")
                (project.folder / ".coeval").mkdir(exist_ok=True)
                (place / ".coeval").symlink_to(project.folder / ".coeval")
                running.append(subprocess.Popen([COEVAL, "build", "-C", str(place), "--json"], stdout=subprocess.PIPE,
                                                stderr=subprocess.PIPE, text=True))
            for eta, process in zip(etas, running):
                out, err = process.communicate(timeout=120)
                self.assertEqual(process.returncode, 0, err)
                self.assertEqual(json.loads(out)[0]["bits_id"], alone[eta]["bits_id"])
            versions = {}
            for number in range(1, 4):
                shown = project.json("show", "risk", "--version", str(number))
                versions[shown["recipe_id"]] = shown["bits_id"]
            self.assertEqual(len(versions), 3)
            self.assertEqual(set(versions.values()), {each["bits_id"] for each in alone.values()})
            definition.write_text(DEFINITION + "eta = 0.11\n")
            self.assertIn("ok", project.run("doctor").stdout + project.run("doctor").stderr)
        finally:
            project.remove()

    def test_a_build_that_stands_still_while_another_trains_keeps_its_files(self):
        slow = changed(DEFINITION, ("rounds = 20", "rounds = 2000"), ('gate     = { auc = ">= 0.6" }\n', ""))
        project = Project(slow)
        twin = project.copy()
        work = project.folder / ".coeval/work"
        process = subprocess.Popen([COEVAL, "build", "-C", str(project.folder), "--json"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        try:
            while process.poll() is None and not (work.is_dir() and list(work.glob("risk-train*"))):
                pass
            process.send_signal(signal.SIGSTOP)
            self.assertTrue(list(work.glob("risk-train*")), "it was not caught while it trained")
            place = project.folder / "another"
            place.mkdir()
            (place / "coeval.toml").write_text(changed(slow, ('"orders.csv"', '"../orders.csv"'), ("2000", "30")))
            (place / ".coeval").symlink_to(project.folder / ".coeval")
            another = json.loads(run("build", "-C", place, "--json").stdout)[0]
            process.send_signal(signal.SIGCONT)
            out, err = process.communicate(timeout=120)
            self.assertEqual(process.returncode, 0, err)
            mine = json.loads(out)[0]
            self.assertEqual(mine["bits_id"], twin.json("build")[0]["bits_id"])
            self.assertNotEqual(mine["bits_id"], another["bits_id"])
        finally:
            process.kill()
            process.communicate()
            project.remove()
            twin.remove()


class OtherLabel(unittest.TestCase):
    def test_a_champion_of_another_label_is_not_beaten_by_comparison(self):
        gated = changed(DEFINITION, Champion.GATE)
        project = Project(gated)
        try:
            project.build_and_promote()
            (project.folder / "coeval.toml").write_text(changed(gated, ('"bad = 1"\ninputs', '"bad = 1 or amount > 100 and bad >= 0"\ninputs')))
            project.run("build", check=3)
            verdict = verdicts(card(project)[0])["auc better_than champion"]
            self.assertFalse(verdict["passed"])
            self.assertIn("was trained for another label", verdict["measured"])
        finally:
            project.remove()


class Search(unittest.TestCase):
    def test_a_search_names_its_trials_and_goes_on_where_it_was(self):
        lines = 'search = { trials = 6, metric = "auc", space = { max_depth = [2, 5], eta = [0.05, 0.3] } }'
        project = Project(changed(DEFINITION, (SPLIT, SPLIT + "\n" + lines)), count=4000)
        try:
            first = project.run("build", check=None)
            self.assertIn("chosen", first.stderr)
            model, _ = card(project)
            trials = model["trials"]
            self.assertEqual(sorted(each["trial"] for each in trials), list(range(6)))
            finished = [each["loss"] for each in trials if each["state"] == "finished"]
            self.assertEqual(finished, sorted(finished))
            runs = project.json("runs", "--filter", "kind = 'trial'")
            self.assertEqual(len(runs["runs"]), 6, runs)
            build = project.json("runs", "--filter", "kind = 'build'")["runs"][0]
            shown = project.json("runs", "show", runs["runs"][0]["id"])
            self.assertEqual(shown["parent"], build["id"])
            # Without its model the search is asked again, and knows all of its trials.
            shutil.rmtree(project.folder / ".coeval/models")
            again = project.run("build", check=None)
            self.assertEqual(again.stderr.count("(known from before)"), 6, again.stderr)
            other = project.copy()
            try:
                shutil.rmtree(other.folder / ".coeval")
                self.assertEqual(other.json("build", check=None)[0]["bits_id"], model["bits_id"])
            finally:
                other.remove()
        finally:
            project.remove()


class Lightgbm(unittest.TestCase):
    def test_the_other_trainer_takes_the_same_way(self):
        definition = changed(DEFINITION, (SPLIT, PARTS + OPTIONS), ('"xgboost"', '"lightgbm"'))
        project = Project(definition)
        try:
            project.build_and_promote()
            model, metrics = card(project)
            self.assertTrue(model["engine"].startswith("lightgbm "), model["engine"])
            self.assertEqual(metrics["runtime_differences"], 0)
        finally:
            project.remove()


class Refused(unittest.TestCase):
    def refused(self, *pairs):
        project = Project(changed(DEFINITION, *pairs), count=2000)
        try:
            failed = project.run("build", check=None)
            self.assertNotEqual(failed.returncode, 0)
            self.assertFalse((project.folder / ".coeval/models/risk").exists())
            self.assertNotEqual(project.run("show", "risk", check=None).returncode, 0)
            return failed.stderr
        finally:
            project.remove()

    def test_weights_that_are_none(self):
        text = self.refused((SPLIT, SPLIT + '\nweights = "if(amount > 20, 1, null)"'))
        self.assertIn("have a weight that is null, negative or not finite", text)

    def test_weights_that_are_all_0(self):
        self.assertIn("all training rows have the weight 0", self.refused((SPLIT, SPLIT + '\nweights = "0"')))

    def test_a_floor_that_no_threshold_reaches(self):
        text = self.refused((SPLIT, PARTS + "\nthreshold = { precision = 1 }"))
        self.assertIn("choosing the threshold of model 'risk'", text)

    def test_a_time_budget_that_is_too_short(self):
        text = self.refused((SPLIT, SPLIT + '\nlimits = { time_budget = "10ms" }'), ("rounds = 20", "rounds = 20000"))
        self.assertIn("did not finish in", text)

    def test_a_calibration_part_without_rows(self):
        text = self.refused((SPLIT, PARTS.replace("2024-03-20", "2024-03-05T00:00:01Z") + '\ncalibration = "auto"'))
        self.assertIn("the calibrate part of the split has no rows", text)


if __name__ == "__main__":
    unittest.main()
