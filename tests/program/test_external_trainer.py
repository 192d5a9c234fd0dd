"""A command of the user's as the trainer: what it is handed, which models it may return, and how each misbehaviour ends:
an error with its last words, and no registered model."""

import json
import os
import pathlib
import sys
import time
import unittest

from program import CUT, DEFINITION, Project, Server

HERE = pathlib.Path(__file__).parent
PYTHON = os.environ.get("COEVAL_TRAINERS_PYTHON") or str(HERE.parents[1] / "third_party/peers/trainers/bin/python")


def definition(command, more="", limits="", params=""):
    words = ", ".join(json.dumps(word) for word in command)
    text = DEFINITION.replace('trainer  = "xgboost"', f"trainer  = {{ command = [{words}]{more} }}\n{limits}").replace(
        "max_depth = 4\nrounds = 20", params).replace('auc = ">= 0.6"', 'auc = ">= 0.55"')
    text = text.replace('["hour", "amount", "user.*"]', '["hour", "amount", "group", "user.*"]')
    return text + '[features]\ngroup = "if(amount < 5, null, if(amount < 20, \'low\', \'high\'))"\n'


# Standard library alone: it writes a linear model by hand, and what was handed to it beside the project.
BY_HAND = '''
import json, os, struct, sys
job = json.load(open(sys.argv[1]))
columns = [{"name": one["name"], "kind": "category" if one["categorical"] else "number", "missing": 0.0, "average": 0.0}
           | ({"coefficients": [0.5] * len(one["values"])} if one["categorical"] else
              {"mean": 0.0, "coefficient": 2.0 if one["name"] == "user.bad_14d" else 0.0}) for one in job["inputs"]]
model = {"format": "coeval linear", "version": 1, "link": "logistic", "intercept": -1.0, "columns": columns,
         "fit": {"l1": 0.0, "l2": 0.0, "iterations": 1, "converged": True, "gap": 0.0}}
sys.stderr.write("said by the trainer\\n")
open(job["model"], "w").write(json.dumps(model, separators=(",", ":")))
seen = {"job": job, "environment": sorted(os.environ), "folder": os.getcwd(), "argv": sys.argv,
        "there": [os.path.getsize(job[name]) for name in ("train", "validate")]}
open(os.path.join(os.path.dirname(__file__) or ".", "seen.json"), "w").write(json.dumps(seen))
'''

NO_MODELS = {
    "exit 1": ("sys.exit('cannot go on')", ["ended with exit code 1", "its last words: cannot go on"]),
    "a crash": ("import signal; sys.stderr.write('about to crash\\n'); sys.stderr.flush(); "
                "os.kill(os.getpid(), signal.SIGKILL)", ["was killed by SIGKILL", "about to crash"]),
    "nothing written": ("sys.stderr.write('forgot\\n')", ["wrote no model", "its last words: forgot"]),
    "an empty model": ("open(job['model'], 'w')", ["wrote an empty model"]),
    "a folder for a model": ("os.mkdir(job['model'])", ["wrote no model"]),
    "a link for a model": ("os.symlink('/etc/passwd', job['model'])", ["wrote no model"]),
    "garbage": ("open(job['model'], 'wb').write(b'{garbage'); sys.stderr.write('done well\\n')",
                ["wrote a model that cannot be used", "done well"]),
    "half a model": ("open(job['model'], 'w').write('tree\\nversion=v4\\n')", ["wrote a model that cannot be used"]),
    "another width": ("open(job['model'], 'w').write(json.dumps({'format': 'coeval linear', 'version': 1, "
                      "'link': 'logistic', 'intercept': 0.0, 'columns': [], 'fit': {'l1': 0.0, 'l2': 0.0, "
                      "'iterations': 1, 'converged': True, 'gap': 0.0}}, separators=(',', ':')))",
                      ["it has 0 inputs and 1 outputs instead of"]),
    "predictions of other rows": ("open(job['model'], 'w').write('x'); open(job['predictions'], 'w').write('abcde')",
                                  ["wrote predictions of 5 bytes for"]),
}


def versions(project):
    return sum(model["versions_count"] for model in project.json("show"))


class ExternalTrainer(unittest.TestCase):
    def project(self, script, command=None, count=3000, **options):
        project = Project(definition(command or [sys.executable, "train.py"], **options), count=count)
        self.addCleanup(project.remove)
        (project.folder / "train.py").write_text(script)
        return project

    def card(self, project):
        card, = project.folder.rglob("model.json")
        return json.loads(card.read_text())

    def gate(self, project):
        return next(one for one in self.card(project)["gates"] if one["gate"] == "runtime equals trainer")

    def test_the_contract(self):
        project = self.project(BY_HAND, params='depth = 3\nrate = 0.5\nkind = "gbdt"\nexact = true')
        os.environ["COEVAL_SECRET_OF_THE_TEST"] = "not for trainers"
        self.addCleanup(os.environ.pop, "COEVAL_SECRET_OF_THE_TEST")
        project.run("build")
        seen = json.loads((project.folder / "seen.json").read_text())
        job = seen["job"]
        self.assertEqual(job["params"], {"depth": 3, "rate": 0.5, "kind": "gbdt", "exact": True})
        self.assertEqual((job["version"], job["objective"], job["seed"], job["label"], job["weight"]),
                         (1, "binary", 0, "label", None))
        self.assertEqual({one["name"]: one.get("values") for one in job["inputs"] if one["categorical"]},
                         {"group": ["high", "low"]})
        self.assertGreater(job["train_rows"], 1000)
        self.assertGreater(min(seen["there"]), 1000)
        self.assertTrue(job["train"].endswith(".parquet"))
        self.assertEqual(pathlib.Path(seen["folder"]).resolve(), project.folder.resolve())
        self.assertLessEqual(set(seen["environment"]),
                             {"PATH", "HOME", "LANG", "TZ", "TMPDIR", "OMP_NUM_THREADS", "OMP_WAIT_POLICY",
                              "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE", "LD_LIBRARY_PATH", "LC_CTYPE"})
        self.assertFalse(pathlib.Path(job["train"]).exists())  # gone with the build
        self.assertEqual(os.listdir(project.folder / ".coeval/work"), [])
        self.assertTrue(self.gate(project)["passed"])
        self.assertIn("beside linear on", self.gate(project)["measured"])
        self.assertIn("train.py sha256", self.card(project)["engine"])

    def test_a_changed_script_is_another_recipe(self):
        project = self.project(BY_HAND)
        project.run("build")
        self.assertIn("inputs unchanged", project.run("build").stderr)
        (project.folder / "train.py").write_text(BY_HAND + "# another\n")
        self.assertIn("changed: script:train.py", project.run("build").stderr)

    def test_files_beside_the_command_count_too(self):
        project = self.project(BY_HAND, more=', files = ["shared.py"]')
        self.assertIn("shared.py", project.run("build", check=None).stderr)  # not there
        (project.folder / "shared.py").write_text("a = 1\n")
        project.run("build")
        (project.folder / "shared.py").write_text("a = 2\n")
        self.assertIn("changed: script:shared.py", project.run("build").stderr)

    def test_predictions_that_differ_fail_the_gate(self):
        wrong = BY_HAND + "open(job['predictions'], 'wb').write(struct.pack('<f', 0.25) * job['validate_rows'])\n"
        project = self.project(wrong)
        project.run("build", check=3)
        gate = self.gate(project)
        self.assertFalse(gate["passed"])
        self.assertIn("the command's predictions of", gate["measured"])
        self.assertFalse(gate["measured"].startswith("0 scores"))

    def test_each_misbehaviour_is_told_and_registers_nothing(self):
        for what, (line, words) in NO_MODELS.items():
            with self.subTest(what):
                project = self.project("import json, os, sys\njob = json.load(open(sys.argv[1]))\n" + line + "\n")
                done = project.run("build", check=1)
                for word in ["C0802", *words]:
                    self.assertIn(word, done.stderr)
                self.assertEqual(versions(project), 0)
                self.assertEqual(os.listdir(project.folder / ".coeval/work"), [])

    def test_a_command_that_hangs_goes_with_all_that_it_started(self):
        # Neither ends but by a signal; the alarm is for the case that nobody sends one.
        wait = "import signal; signal.alarm(600); signal.pause()"
        hang = ("import subprocess, sys\n"
                f"child = subprocess.Popen([sys.executable, '-c', '{wait}'])\n"
                "open('child', 'w').write(str(child.pid))\nsys.stderr.write('going to sleep\\n')\n"
                f"sys.stderr.flush()\n{wait}\n")
        project = self.project(hang, limits='limits = { time_budget = "4s" }')
        began = time.monotonic()
        done = project.run("build", check=1)
        self.assertLess(time.monotonic() - began, 120)
        self.assertIn("did not finish in 4 s; its last words: going to sleep", done.stderr)
        pid = int((project.folder / "child").read_text())
        status = pathlib.Path(f"/proc/{pid}/status")
        self.assertTrue(not status.exists() or "State:\tZ" in status.read_text())
        self.assertEqual(versions(project), 0)

    def test_a_command_that_eats_memory_is_stopped(self):
        project = self.project("import sys\nblocks = []\nwhile True:\n    blocks.append(bytearray(1 << 24))\n",
                               limits='limits = { memory_limit = "300MB" }')
        done = project.run("build", check=1)
        self.assertIn("MemoryError", done.stderr)
        self.assertEqual(versions(project), 0)

    def test_a_program_that_is_not_there(self):
        for command, words in ((["no-such-program-at-all"], "'no-such-program-at-all' is not in PATH"),
                               (["./train.sh"], "the trainer's program is not there")):
            done = self.project("", command=command).run("build", check=None)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(words, done.stderr)

    def test_what_a_command_has_not_is_refused(self):
        for options, words in ((dict(more=', format = "csv"'), "unknown format 'csv'"),
                               (dict(more=', shell = true'), "unknown key 'shell'"),
                               (dict(limits="search = { trials = 3 }"), "its parameters are its own"
                                .replace("its parameters", "an external trainer's parameters")),
                               (dict(limits='monotone = { amount = "increasing" }'), "is not held to it"),
                               (dict(params="when = 2024-01-01"), "cannot be handed to a command"),
                               (dict(params='"a b" = 1'), "'a b'")):
            with self.subTest(words):
                done = self.project("", count=1, **options).run("check", check=2)
                self.assertIn(words, done.stdout + done.stderr)
        done = self.project("", command=[""], count=1).run("check", check=2)
        self.assertIn("names no program", done.stdout + done.stderr)

    def test_xgboost_in_python(self):
        project = self.project((HERE / "trainers/xgboost_trainer.py").read_text(), command=[PYTHON, "train.py"],
                               count=6000, params="eta = 0.2\nmax_depth = 3\nrounds = 20")
        project.run("build")
        self.assertTrue(list(project.folder.rglob("model.ubj")))
        gate = self.gate(project)
        self.assertTrue(gate["passed"], gate)
        self.assertIn("beside xgboost on", gate["measured"])
        self.assertIn("and the command's predictions of", gate["measured"])
        project.run("promote", "risk")
        server = Server(project)
        played = json.loads(project.run("replay", "--from", CUT, "--to", "2024-04-05", "--url", server.url,
                                        "--json").stdout)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(played["refused_count"], 0, played)
        self.assertEqual(project.json("audit")["differ_count"], 0)
        self.assertIn("same bits", project.run("reproduce", "risk").stdout)

    def test_lightgbm_in_python_by_arrow(self):
        project = self.project((HERE / "trainers/lightgbm_trainer.py").read_text(), command=[PYTHON, "train.py"],
                               count=6000, more=', format = "arrow"', params="num_leaves = 7")
        project.run("build")
        text, = project.folder.rglob("model.lightgbm.txt")
        self.assertIn("[num_leaves: 7]", text.read_text())
        gate = self.gate(project)
        self.assertTrue(gate["passed"], gate)
        self.assertIn("beside lightgbm on", gate["measured"])
        self.assertNotIn("predictions", gate["measured"])


if __name__ == "__main__":
    unittest.main()
