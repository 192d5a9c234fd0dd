"""Only the columns of a dataset that changed are computed, each build says which and why, and the result is a clean one's."""

import os
import random
import re
import shutil
import subprocess
import time
import unittest

from program import COEVAL, DEFINITION, Project

KILLS = int(os.environ.get("COEVAL_KILLS", "10"))
LOOSE = DEFINITION.replace(">= 0.6", ">= 0.1")
CHANGED = LOOSE.replace('amount  = "mean(amount)"', 'amount  = "sum(amount)"')


def ids(project, model="risk"):
    version = project.json("show", model)
    return version["recipe_id"], version["bits_id"], version["dataset_id"]


def computed(done):
    """Columns that a build said to have computed one by one, with the reasons."""
    return dict(re.findall(r"^.*: column (.+): computed \((.+)\)$", done.stderr, re.MULTILINE))


class StoredColumns(unittest.TestCase):
    def project(self, definition, count=2000):
        project = Project(definition, count)
        self.addCleanup(project.remove)
        return project

    def build(self, project, definition):
        (project.folder / "coeval.toml").write_text(definition)
        return project.run("build")

    def clean_ids(self, definition):
        clean = self.project(definition)
        clean.run("build")
        return ids(clean)

    def test_a_changed_feature_is_computed_alone(self):
        project = self.project(LOOSE)
        self.assertIn("15 columns computed (none is stored)", project.run("build").stderr)
        changed = self.build(project, CHANGED)
        windows = [f"user.amount_{window}" for window in ("1h", "1d", "14d")]
        self.assertEqual(computed(changed), dict.fromkeys(windows, "definition changed"))
        self.assertIn("risk: 12 columns kept", changed.stderr)
        self.assertEqual(ids(project), self.clean_ids(CHANGED))
        self.assertTrue(project.json("reproduce", "risk@v2")["same"])
        self.assertTrue(project.json("reproduce", "risk@v1")["same"])
        # One more, then one less.
        more = CHANGED.replace('inputs   = ["hour"', 'inputs   = ["hour", "amount * 2"')
        self.assertEqual(list(computed(self.build(project, more)).values()), ["new"])
        self.assertEqual(ids(project), self.clean_ids(more))
        less = CHANGED.replace('inputs   = ["hour", ', "inputs   = [")
        self.assertEqual(computed(self.build(project, less)), {})
        self.assertEqual(ids(project), self.clean_ids(less))

    def test_what_only_training_reads_computes_no_column(self):
        project = self.project(LOOSE)
        project.run("build")
        other = LOOSE.replace("rounds = 20", "rounds = 21").replace(">= 0.1", ">= 0.2")
        self.assertIn("dataset hit (inputs unchanged)", self.build(project, other).stderr)
        split = other.replace("train_until = 2024-03-01", "train_until = 2024-02-20")
        self.assertEqual(computed(self.build(project, split)), {"split": "definition changed"})
        self.assertEqual(ids(project), self.clean_ids(split))
        # All test rows are checked by the server's way, also where no column was computed.
        explained = project.json("explain", "gate", "risk")
        gates = {gate["gate"]: gate for gate in explained["gates"]}
        self.assertTrue(gates["serving equals dataset"]["passed"])
        rows = project.json("show", "risk")["metrics"]["test"]["rows"]
        self.assertEqual((explained["evidence"]["skew_rows"], explained["evidence"]["skew_differences"]),
                         (min(512, rows), 0))

    def test_other_data_computes_every_column(self):
        project = self.project(LOOSE)
        project.run("build")
        with open(project.folder / "orders.csv", "a", encoding="utf-8") as file:
            file.write("2024-04-20T00:00:00Z,u1,5,0\n")
        done = project.run("build")
        self.assertIn("dataset miss (changed: file:orders)", done.stderr)
        self.assertIn("15 columns computed (its data changed)", done.stderr)
        self.assertNotIn("kept", done.stderr)

    def test_models_share_columns(self):
        second = LOOSE[LOOSE.index("[model.risk]"):].replace("model.risk", "model.small").replace(
            '"user.*"', '"user.orders_1d"')
        project = self.project(LOOSE + second)
        done = project.run("build")
        self.assertIn("risk: 15 columns computed", done.stderr)
        self.assertIn("small: 7 columns kept", done.stderr)
        self.assertTrue(project.json("reproduce", "small")["same"])

    def test_gc_keeps_the_files_of_columns_that_kept_versions_read(self):
        project = self.project(LOOSE)
        project.run("build")
        self.build(project, CHANGED)
        self.assertEqual(project.json("gc", "--dry-run")["items"], [])
        gone = [item["path"] for item in project.json("gc", "--keep", "1")["items"]]
        self.assertEqual(sorted(path.split("/")[0] for path in gone), ["datasets", "models"])
        self.assertEqual(len(list((project.folder / ".coeval/datasets").glob("*.parquet"))), 2)
        self.assertIn("unchanged", project.run("build").stdout)
        self.assertTrue(project.json("reproduce", "risk@v2")["same"])

    def test_a_file_that_is_gone_is_made_again(self):
        project = self.project(LOOSE)
        project.run("build")
        self.build(project, CHANGED)
        expected = ids(project)
        datasets = project.folder / ".coeval/datasets"
        oldest = min(datasets.glob("*.parquet"), key=lambda path: path.stat().st_mtime_ns)
        oldest.unlink()
        done = project.run("build")
        self.assertIn("dataset miss (its output cannot be used: ", done.stderr)
        self.assertIn("12 columns computed (its file is gone)", done.stderr)
        self.assertEqual(ids(project), expected)
        newest = next(iter(datasets.glob("*.parquet")))
        newest.write_bytes(newest.read_bytes()[:-100])
        broken = LOOSE.replace("rounds = 20", "rounds = 30").replace('"mean(amount)"', '"sum(amount)"')
        (project.folder / "coeval.toml").write_text(broken)
        refused = project.run("build", check=None)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn(newest.name, refused.stderr)

    def test_a_change_that_is_killed_at_any_moment(self):
        expected = self.clean_ids(CHANGED)
        project = self.project(LOOSE)
        state = project.folder / ".coeval"
        rng = random.Random(7)
        killed = 0
        for kill in range(KILLS):
            shutil.rmtree(state, ignore_errors=True)
            begin = time.monotonic()
            self.build(project, LOOSE)
            duration = time.monotonic() - begin
            (project.folder / "coeval.toml").write_text(CHANGED)
            build = subprocess.Popen([COEVAL, "build", "-C", project.folder], stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                build.wait(rng.uniform(0, duration))
            except subprocess.TimeoutExpired:
                build.kill()
            killed += build.wait(30) != 0
            if rng.random() < 0.3:
                rng.choice(sorted((state / "datasets").iterdir())).unlink()
            with self.subTest(kill):
                project.run("build")
                self.assertEqual(ids(project), expected)
                self.assertTrue(project.json("reproduce", "risk")["same"])
                project.run("doctor")
                project.run("gc")
                self.assertEqual({path.suffix for path in (state / "datasets").iterdir()}, {".json", ".parquet"})
                self.assertIn("unchanged", project.run("build").stdout)
        self.assertGreater(killed, KILLS // 5)


if __name__ == "__main__":
    unittest.main()
