"""Every training run is tracked: listed, filtered, sorted, shown, compared."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import time
import unittest

from program import COEVAL, DEFINITION, Project
from test_command_line import state_of

ID = re.compile(r"\d{8}-\d{6}-\d{6}$")


class Runs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.project = Project()
        cls.file = cls.project.folder / "coeval.toml"
        cls.built = cls.project.json("build", "--tag", "nightly", "--tag", "first")[0]
        cls.deeper = DEFINITION.replace("max_depth = 4", "max_depth = 6")
        cls.file.write_text(cls.deeper)
        cls.project.run("build")
        # One class only in the test part: the build fails after training.
        cls.file.write_text(cls.deeper.replace('label    = "bad = 1"', 'label    = "bad = 1 and amount > 2000"'))
        cls.failed = cls.project.run("build", check=None)
        cls.file.write_text(cls.deeper)
        cls.listed = cls.project.json("runs")
        cls.newest, cls.second, cls.first = cls.listed["runs"]

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()

    def ids(self, *arguments):
        return [run["id"] for run in self.project.json("runs", *arguments)["runs"]]

    def test_each_training_is_a_run_newest_first(self):
        self.assertEqual(self.listed["matched_count"], 3)
        self.assertEqual([run["version"] for run in self.listed["runs"]], [0, 2, 1])
        self.assertEqual([run["state"] for run in self.listed["runs"]], ["failed", "finished", "finished"])
        for run in self.listed["runs"]:
            self.assertRegex(run["id"], ID)
            self.assertEqual((run["model"], run["experiment"], run["kind"]), ("risk", "shop", "build"))
        ids = [run["id"] for run in self.listed["runs"]]
        self.assertEqual(ids, sorted(ids, reverse=True))

    def test_what_is_found_again_is_no_run(self):
        before = self.ids()
        self.assertFalse(self.project.json("build")[0]["fresh"])
        self.assertEqual(self.ids(), before)

    def test_a_run_has_what_its_version_has(self):
        run = self.project.json("runs", "show", self.first["id"])
        shown = self.project.json("show", "risk", "--version", 1)
        for name in ("dataset_id", "recipe_id", "bits_id", "ir_hash"):
            self.assertEqual(run["ids"][name], shown[name])
        for part in ("train", "validate", "test"):
            for metric in ("rows", "positives", "auc", "average_precision", "log_loss", "brier", "calibration_error"):
                self.assertEqual(run["metrics"][f"{part}.{metric}"], shown["metrics"][part][metric])
        self.assertEqual(run["metrics"]["runtime_differences"], 0)
        self.assertEqual(run["metrics"]["gates_passed"], 1)
        self.assertGreater(run["metrics"]["latency_us"], 0)
        self.assertEqual(run["metrics"]["size_bytes"],
                         max(file.stat().st_size for file in self.project.folder.glob(".coeval/models/risk/*/model.*")
                             if run["ids"]["recipe_id"].startswith(file.parent.name)))
        self.assertEqual(len(run["curves"]["validation"]), 20)
        self.assertEqual({key: run["params"][key] for key in ("max_depth", "rounds", "trainer", "seed", "threshold")},
                         {"max_depth": "4", "rounds": "20", "trainer": "xgboost", "seed": "0", "threshold": "0.5"})
        self.assertEqual(run["params"]["split.test_until"], "2024-05-01T00:00:00Z")
        self.assertEqual(run["tags"], ["first", "nightly"])
        self.assertRegex(run["environment"]["trainer"], r"^xgboost \d")
        self.assertRegex(run["environment"]["coeval"], r"^coeval \d")
        self.assertEqual(run["environment"]["kernel"], f"{os.uname().sysname} {os.uname().release}")
        self.assertNotIn(os.uname().nodename, json.dumps(run["environment"]))
        self.assertEqual(run["dataset_s"], self.built["dataset_seconds"])
        self.assertEqual(run["train_s"], self.built["train_seconds"])
        self.assertLess(run["started"], run["ended"])

    def test_a_run_that_failed_says_why(self):
        self.assertNotEqual(self.failed.returncode, 0)
        run = self.project.json("runs", "show", self.newest["id"])
        self.assertEqual(run["state"], "failed")
        self.assertIn("C0804", run["error"])
        self.assertNotIn("bits_id", run["ids"])
        self.assertEqual(run["params"]["max_depth"], "6")
        self.assertIn(run["error"].split(";")[0], self.project.run("runs", "show", self.newest["id"]).stdout)

    def test_filters_and_orders(self):
        one, two, bad = self.first["id"], self.second["id"], self.newest["id"]
        self.assertEqual(self.ids("--filter", "state = 'failed'"), [bad])
        self.assertEqual(self.ids("--filter", "params.max_depth = 6 and state = 'finished'"), [two])
        self.assertEqual(self.ids("--filter", "tag = 'nightly'"), [one])
        self.assertEqual(self.ids("--filter", "version >= 1", "--sort", "version"), [two, one])
        self.assertEqual(self.ids("--filter", "version >= 1", "--sort", "-version"), [one, two])
        by_auc = sorted([self.first, self.second], key=lambda run: run["values"]["test.auc"], reverse=True)
        self.assertEqual(self.ids("--sort", "test.auc"), [run["id"] for run in by_auc] + [bad])
        self.assertEqual(self.ids("--sort", "-test.auc"), [run["id"] for run in reversed(by_auc)] + [bad])
        best = by_auc[0]["values"]["test.auc"]
        self.assertEqual(self.ids("--filter", f"test.auc >= {best!r}"), [by_auc[0]["id"]])
        self.assertEqual(self.ids("--limit", "1"), [bad])
        self.assertEqual(self.ids("risk", "--experiment", "shop"), [bad, two, one])
        self.assertEqual(self.ids("--experiment", "other"), [])

    def test_the_table(self):
        done = self.project.run("runs", "--metrics", "test.auc, params.max_depth,train_s", "--limit", "2")
        lines = done.stdout.splitlines()
        self.assertEqual(lines[0].split(), ["run", "model", "version", "state", "started", "test.auc",
                                            "params.max_depth", "train_s"])
        self.assertEqual(len(lines), 3)
        self.assertEqual(lines[1].split()[:4] + lines[1].split()[5:7], [self.newest["id"], "risk", "-", "failed",
                                                                        "-", "6"])
        self.assertEqual(lines[2].split()[2], "v2")
        self.assertIn("2 of 3 runs", done.stderr)
        self.assertIn("test.log_loss", self.project.run("runs").stdout.splitlines()[0])

    def test_two_runs_differ_in_what_was_changed(self):
        answer = self.project.json("runs", "compare", "risk@v1", self.second["id"])
        self.assertEqual((answer["a"], answer["b"]), (self.first["id"], self.second["id"]))
        self.assertEqual(answer["differences"]["params.max_depth"], {"a": "4", "b": "6"})
        self.assertEqual(set(answer["differences"]) - {"params.max_depth", "tags", "version", "ir_hash"},
                         {"recipe_id", "bits_id"})
        auc = answer["metrics"]["test.auc"]
        self.assertEqual(auc["a"], self.first["values"]["test.auc"])
        self.assertEqual(auc["difference"], auc["b"] - auc["a"])
        self.assertEqual(set(answer["metrics"]) >= {"train.auc", "validate.brier", "size_bytes", "train_s"}, True)
        text = self.project.run("runs", "compare", "risk@v1", "risk@v2").stdout
        self.assertRegex(text, r"(?m)^params\.max_depth +4 +6$")
        self.assertRegex(text, r"(?m)^test\.rows +\d+ +\d+ +0$")
        same = self.project.run("runs", "compare", "risk@v1", "risk@v1").stdout
        self.assertIn("nothing", same)

    def test_a_prefix_names_one_run_or_says_which(self):
        self.assertEqual(self.project.json("runs", "show", self.first["id"][:-1])["id"], self.first["id"])
        answer = json.loads(self.project.run("runs", "show", "2", "--json", check=2).stdout)
        self.assertIn(self.first["id"], answer["error"])
        for wrong in ("9", "risk@v9", "risk@vx", "no@v1", ""):
            self.project.run("runs", "show", wrong, check=2)

    def test_what_is_asked_wrongly_is_told_with_its_place(self):
        done = self.project.run("runs", "--filter", "state = 'finished' and tset.auc > 0.5", check=2)
        self.assertIn("did you mean 'test.auc'?", done.stderr)
        self.assertIn("--filter:1:24", done.stderr)
        self.assertRegex(done.stderr, r"(?m)^[ |]*\^{8}$")
        for wrong in ("test.auc >", "test.auc > good", "(test.auc > 1", "test.auc = 'x'", "started > 5", "a ~ 1"):
            self.assertIn("--filter:1:", self.project.run("runs", "--filter", wrong, check=2).stderr)
        self.assertIn("did you mean 'test.brier'?", self.project.run("runs", "--sort", "test.brie", check=2).stderr)
        self.project.run("runs", "--metrics", "nothing", check=2)
        self.project.run("runs", "riks", check=2)
        self.project.run("runs", "show", check=2)
        self.project.run("runs", "compare", self.first["id"], check=2)
        self.project.run("runs", "--limit", "0", check=2)
        self.project.run("build", "--tag", "", check=2)

    def test_asking_changes_no_file(self):
        before = state_of(self.project.folder)
        self.project.run("runs")
        self.project.run("runs", "show", "risk@v1")
        self.project.run("runs", "compare", "risk@v1", "risk@v2")
        self.assertEqual(state_of(self.project.folder), before)


class Beside(unittest.TestCase):
    def test_without_runs_the_list_is_empty_and_nothing_is_made(self):
        project = Project(count=10)
        self.addCleanup(project.remove)
        self.assertEqual(project.json("runs"), {"runs": [], "matched_count": 0})
        self.assertIn("no such run", project.run("runs", "--filter", "test.auc > 0.5").stderr)
        project.run("runs", "show", "2", check=2)
        self.assertFalse((project.folder / ".coeval").exists())

    def test_a_build_that_is_killed_was_interrupted(self):
        project = Project(DEFINITION.replace("rounds = 20", "rounds = 20000"))
        self.addCleanup(project.remove)
        build = subprocess.Popen([COEVAL, "build", "-C", str(project.folder)], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + 120
        states = []
        while not states and time.monotonic() < deadline and build.poll() is None:
            states = [run["state"] for run in project.json("runs")["runs"]]
        self.assertEqual(states, ["running"])
        os.killpg(build.pid, signal.SIGKILL)
        build.wait()
        run, = project.json("runs")["runs"]
        self.assertEqual(run["state"], "interrupted")
        shown = project.json("runs", "show", run["id"])
        self.assertEqual((shown["state"], shown["params"]["rounds"]), ("interrupted", "20000"))

    def test_the_commit_of_the_project_is_noted_and_a_newer_file_refused(self):
        project = Project(count=2000)
        self.addCleanup(project.remove)
        git = ["git", "-C", str(project.folder), "-c", "user.name=t", "-c", "user.email=t@t"]
        subprocess.run([*git, "init", "-q"], check=True)
        subprocess.run([*git, "add", "coeval.toml"], check=True)
        subprocess.run([*git, "commit", "-q", "-m", "first"], check=True)
        commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
        project.run("build", check=None)
        run, = project.json("runs")["runs"]
        self.assertEqual(project.json("runs", "show", run["id"])["environment"]["git_commit"], commit)
        with sqlite3.connect(project.folder / ".coeval/runs.sqlite") as database:
            database.execute("PRAGMA user_version = 99")
        database.close()
        self.assertIn("newer", project.run("runs", check=2).stderr)
        project.file = project.folder / "coeval.toml"
        project.file.write_text(DEFINITION.replace("max_depth = 4", "max_depth = 5"))
        self.assertIn("newer", project.run("build", check=2).stderr)


if __name__ == "__main__":
    unittest.main()
