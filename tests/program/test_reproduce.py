"""Identity: the same recipe gives the same bits anywhere, and verdicts can be judged again; gc by reachability."""

import hashlib
import json
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import unittest

from program import COEVAL, DEFINITION, Project, Server, order_json, orders, run, stamp

GATES = DEFINITION.replace('gate     = { auc = ">= 0.6" }', 'slices   = ["amount > 20"]\n'
                           'gate     = { auc = ">= 0.5", worst_slice = { auc = ">= 0.45" }, '
                           'latency = "<= 1000us", not_worse_than = "champion", margin = 0.2 }')


def tree(folder):
    """Every file with its content, so that what was left, made or changed shows."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
            for path in sorted(pathlib.Path(folder).rglob("*"))}


def ids(project):
    version = project.json("show", "risk")
    return version["recipe_id"], version["bits_id"]


class ProjectTest(unittest.TestCase):
    def project(self, definition=DEFINITION, count=2000):
        project = Project(definition, count)
        self.addCleanup(project.remove)
        return project

    def edit(self, project, old, new):
        file = project.folder / "coeval.toml"
        text = file.read_text()
        self.assertIn(old, text)
        file.write_text(text.replace(old, new))


class ExplainGate(ProjectTest):
    def test_a_verdict_is_replayed_with_its_numbers(self):
        project = self.project(GATES, 8000)
        project.build_and_promote()
        self.edit(project, "rounds = 20", "rounds = 25")
        project.run("build", check=None)
        explained = project.json("explain", "gate", "risk@v2")
        shown = project.json("show", "risk", "--version", "2")
        self.assertEqual(explained["version"], 2)
        self.assertTrue(explained["same"])
        self.assertEqual(explained["passed"], shown["gates_passed"])
        self.assertEqual([{key: gate[key] for key in ("gate", "passed", "measured")} for gate in explained["gates"]],
                         shown["gates"])
        # The numbers, against what the test part of the build's own report says.
        auc = next(gate for gate in explained["gates"] if gate["gate"] == "auc >= 0.5")
        self.assertIn(f"auc = {shown['metrics']['test']['auc']!r} on {shown['metrics']['test']['rows']} test rows",
                      auc["numbers"][0])
        comparison = next(each for each in explained["evidence"]["comparisons"] if each["metric"] == "auc")
        against = " ".join(next(gate for gate in explained["gates"] if "not_worse" in gate["gate"])["numbers"])
        self.assertEqual(explained["evidence"]["champion_version"], 1)
        for key in ("candidate", "champion", "improvement", "lower", "upper", "units", "replicates"):
            self.assertIn(repr(comparison[key]), against)
        self.assertLess(comparison["lower"], comparison["upper"])
        slices = next(gate for gate in explained["gates"] if "slice" in gate["gate"])["numbers"]
        worst = min(explained["evidence"]["slices"], key=lambda each: each["metrics"]["auc"])
        self.assertIn(f"worst: {worst['slice']} = {worst['value']}: {worst['metrics']['auc']!r} [", slices[0])
        self.assertIn(f"] on {worst['rows']} rows", slices[0])
        # As text, of the newest; and of one by its name, which had no champion.
        text = project.run("explain", "gate", "risk").stdout
        self.assertIn("risk@v2: gates", text)
        self.assertIn("byte for byte the stored one", text)
        self.assertIn("there was no champion when it was built", project.run("explain", "gate", "risk@v1").stdout)
        # Later definitions judge no earlier version.
        self.edit(project, 'auc = ">= 0.5"', 'auc = ">= 0.99"')
        self.assertTrue(project.json("explain", "gate", "risk@v2")["same"])

    def test_a_version_that_did_not_pass_is_explained_with_exit_code_0(self):
        project = self.project(DEFINITION.replace(">= 0.6", ">= 0.99"))
        project.run("build", check=3)
        explained = project.json("explain", "gate")
        self.assertEqual((explained["passed"], explained["same"]), (False, True))

    def test_a_stored_verdict_that_was_changed_is_named(self):
        project = self.project(DEFINITION.replace(">= 0.6", ">= 0.99"))
        project.run("build", check=3)
        with sqlite3.connect(project.folder / ".coeval/meta.sqlite") as meta:
            meta.execute("DROP TRIGGER model_versions_no_update")
            gates = json.loads(meta.execute("SELECT gates_json FROM model_versions").fetchone()[0])
            gates[0]["passed"] = True
            meta.execute("UPDATE model_versions SET gates_json = ?, gates_passed = 1", [json.dumps(gates)])
        meta.close()
        done = project.run("explain", "gate", "risk@v1", "--json", check=3)
        told = " ".join(json.loads(done.stdout)["differences"])
        self.assertIn("gate auc >= 0.99: passed", told)
        self.assertIn("is stored in the metadata, FAILED", told)
        self.assertIn("the version is registered as passed", told)

    def test_what_is_not_there_is_said(self):
        project = self.project()
        self.assertIn("C1004", project.run("explain", "gate", "risk", check=2).stderr)
        project.run("build", check=None)
        self.assertIn("its newest is 1", project.run("explain", "gate", "risk@v7", check=2).stderr)
        for name in ("risk@v", "risk@vx", "risk@v0", "risk@v1x"):
            self.assertIn("write MODEL@vN", project.run("explain", "gate", name, check=2).stderr)
            self.assertIn("write MODEL@vN", project.run("reproduce", name, check=2).stderr)
        self.assertIn("no model 'rusk'", project.run("reproduce", "rusk", check=2).stderr)
        self.assertIn("C1001", project.run("explain", "C0412", "risk", check=2).stderr)


class Reproduce(ProjectTest):
    def test_the_same_bits_on_one_and_two_threads_and_nothing_left_behind(self):
        project = self.project()
        project.run("build", "--threads", "2", check=None)
        before = tree(project.folder)
        for threads in ("1", "2"):
            answer = project.json("reproduce", "risk@v1", "--threads", threads)
            self.assertTrue(answer["same"])
            self.assertEqual({each["name"]: each["same"] for each in answer["ids"]},
                             dict.fromkeys(["dataset", "recipe", "bits", "golden rows", "threshold"], True))
            self.assertEqual([each["made"] for each in answer["ids"][1:3]], list(ids(project)))
            self.assertEqual(tree(project.folder), before)
        self.assertIn("risk@v1: same bits", project.run("reproduce", "risk").stdout)

    def test_the_definition_is_the_recorded_one(self):
        project = self.project()
        project.run("build", check=None)
        self.edit(project, "rounds = 20", "rounds = 21")
        self.edit(project, 'amount  = "mean(amount)"', 'amount  = "sum(amount)"')
        self.assertTrue(project.json("reproduce", "risk@v1")["same"])
        project.run("build", check=None)
        self.assertTrue(project.json("reproduce", "risk@v2")["same"])
        self.assertTrue(project.json("reproduce", "risk@v1")["same"])

    def test_what_a_search_chose_is_trained_and_not_searched_again(self):
        search = "search   = { trials = 6 }\ngate     ="
        project = self.project(DEFINITION.replace("gate     =", search).replace(">= 0.6", ">= 0.1"))
        project.run("build")
        steps = (project.folder / ".coeval/meta.sqlite").read_bytes()
        done = project.run("reproduce", "risk@v1")
        self.assertIn("risk@v1: same bits", done.stdout)
        self.assertNotIn("trial", done.stderr)
        self.assertEqual((project.folder / ".coeval/meta.sqlite").read_bytes(), steps)

    def test_a_changed_file_is_named(self):
        project = self.project()
        project.run("build", check=None)
        with open(project.folder / "orders.csv", "a", encoding="utf-8") as file:
            for moment, user, amount, bad in orders(50, seed=9):
                file.write(f"{stamp(moment)},{user},{amount},{bad}\n")
        before = tree(project.folder)
        answer = json.loads(project.run("reproduce", "risk", "--json", check=3).stdout)
        self.assertEqual(answer["changed"], ["file:orders"])
        self.assertEqual((answer["same"], answer["same_bits"]), (False, False))
        self.assertIn("other bits; changed: file:orders", project.run("reproduce", "risk", check=3).stdout)
        self.assertEqual(tree(project.folder), before)
        # A change that reaches no row of the split: other data, and yet the same bits.
        lines = (project.folder / "orders.csv").read_text().splitlines()[:2001]
        (project.folder / "orders.csv").write_text("\n".join(lines + ["2024-07-01T00:00:00Z,u1,5,0"]) + "\n")
        text = project.run("reproduce", "risk", check=3).stdout
        self.assertIn("same bits; changed: file:orders", text)
        (project.folder / "orders.csv").write_text("ts,user,amount\n")
        self.assertIn("changed: file:orders", project.run("reproduce", "risk", check=None).stderr)
        (project.folder / "orders.csv").unlink()
        self.assertIn("orders.csv", project.run("reproduce", "risk", check=1).stderr)
        self.assertEqual(list((project.folder / ".coeval/work").iterdir()), [])

    def test_another_engine_is_named(self):
        project = self.project()
        project.run("build", check=None)
        with sqlite3.connect(project.folder / ".coeval/meta.sqlite") as meta:
            meta.execute("DROP TRIGGER cached_steps_no_update")
            text = meta.execute("SELECT inputs_json FROM cached_steps WHERE step = 'dataset'").fetchone()[0]
            inputs = json.loads(text)
            inputs["engine"] = "coeval 0.0.1"
            meta.execute("UPDATE cached_steps SET inputs_json = ? WHERE step = 'dataset'", [json.dumps(inputs)])
        meta.close()
        self.assertEqual(project.json("reproduce", "risk")["changed"], ["engine"])

    def test_the_log_is_read_as_far_as_it_went(self):
        project = self.project()
        project.run("build", check=None)
        project.run("promote", "risk", check=None)
        # The log begins after version 1, and goes on after version 2.
        server = Server(project)
        rows = [order_json(*row) for row in orders(60, seed=5) if row[0].month == 4]
        status, answer = server.call("POST", f"/v1/events/orders?now={1714500000000000}", rows)
        self.assertEqual((status, answer["accepted"]), (200, len(rows)))
        self.assertEqual(server.stop(), 0)
        self.assertTrue(project.json("reproduce", "risk@v1")["same"])
        project.run("build", check=None)
        self.assertEqual(project.json("show", "risk")["version"], 2)
        self.assertTrue(project.json("reproduce", "risk@v2")["same"])
        server = Server(project)
        status, answer = server.call("POST", f"/v1/events/orders?now={1714510000000000}", rows[:3])
        self.assertEqual(status, 200)
        self.assertEqual(server.stop(), 0)
        for version in ("risk@v1", "risk@v2"):
            self.assertTrue(project.json("reproduce", version)["same"], version)


class Identity(ProjectTest):
    def test_other_folders_threads_and_a_clone_give_the_same_ids(self):
        project = self.project()
        git = ["git", "-C", project.folder, "-c", "user.name=t", "-c", "user.email=t@t.invalid"]
        (project.folder / ".gitignore").write_text(".coeval/\n")
        for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "Begin"]):
            subprocess.run([*git, *command], check=True, capture_output=True)
        project.run("build", "--threads", "2", check=None)
        expected = ids(project)
        lock = (project.folder / "coeval.lock").read_bytes()
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-qm", "Build"], check=True, capture_output=True)
        for threads in ("1", "2"):
            clone = object.__new__(Project)
            clone.folder = pathlib.Path(tempfile.mkdtemp(prefix="coeval-test-")) / "a clone with another name"
            self.addCleanup(shutil.rmtree, clone.folder.parent)
            subprocess.run(["git", "clone", "-q", project.folder, clone.folder], check=True, capture_output=True)
            self.assertFalse((clone.folder / ".coeval").exists())
            clone.run("build", "--threads", threads, check=None)
            self.assertEqual(ids(clone), expected)
            self.assertEqual((clone.folder / "coeval.lock").read_bytes(), lock)
        twin = project.copy()
        self.addCleanup(twin.remove)
        self.assertIn("unchanged", twin.run("build", check=None).stdout)  # its state came along
        shutil.rmtree(twin.folder / ".coeval")
        twin.run("build", "--threads", "1", check=None)
        self.assertEqual(ids(twin), expected)


class GarbageCollection(ProjectTest):
    def garbage(self, project, *arguments):
        return {item["path"]: item for item in project.json("gc", *arguments)["items"]}

    def versions(self, project, count):
        for rounds in range(1, count + 1):
            self.edit(project, f"rounds = {19 + rounds}" if rounds > 1 else "rounds = 20", f"rounds = {20 + rounds}")
            project.run("build", check=None)
        return {version: project.json("show", "risk", "--version", version) for version in range(1, count + 1)}

    def test_what_nothing_reaches_goes_and_all_else_stays(self):
        project = self.project()
        project.run("build", check=None)
        state = project.folder / ".coeval"
        model = next((state / "models/risk").iterdir())
        kept = ["log/000.seg", "quarantine/orders.jsonl", "snapshots/s.bin", "profiles/p.profile", "staged/x"]
        rubbish = {"datasets/risk-0123456789abcdef.parquet": 11, "datasets/risk-9.parquet.partial-Ab12Cd": 7,
                   "work/risk-train/values.f32": 400, "work/reproduce-Ab12Cd/rows.parquet": 5,
                   "models/risk/0123456789abcdef/model.ubj": 9, f"models/risk/{model.name}.damaged-1/model.ubj": 8,
                   f"models/risk/{model.name}.partial-Ab12Cd/golden.bin": 3, "models/gone/00/model.ubj": 2}
        for name in kept:
            (state / name).parent.mkdir(exist_ok=True)
            (state / name).write_text("kept")
        clean = tree(state)
        for name, size in rubbish.items():
            (state / name).parent.mkdir(parents=True, exist_ok=True)
            (state / name).write_bytes(b"x" * size)
        (state / "work/link").symlink_to(project.folder / "orders.csv")
        before = tree(state)
        told = self.garbage(project, "--dry-run")
        self.assertEqual(tree(state), before)
        self.assertEqual({path: item["bytes"] for path, item in told.items()},
                         {"datasets/risk-0123456789abcdef.parquet": 11, "datasets/risk-9.parquet.partial-Ab12Cd": 7,
                          "work/risk-train": 400, "work/reproduce-Ab12Cd": 5, "models/risk/0123456789abcdef": 9,
                          f"models/risk/{model.name}.damaged-1": 8, f"models/risk/{model.name}.partial-Ab12Cd": 3,
                          "models/gone/00": 2, "work/link": 0})
        self.assertIn("no kept version was made from it", told["datasets/risk-0123456789abcdef.parquet"]["why"])
        self.assertIn("no registered version is in it", told["models/risk/0123456789abcdef"]["why"])
        self.assertIn("set aside as damaged", told[f"models/risk/{model.name}.damaged-1"]["why"])
        text = project.run("gc", "--dry-run").stdout
        self.assertIn("work/risk-train  400 bytes  (its build did not end)", text)
        self.assertIn("9 would go, 445 bytes", text)
        self.assertEqual(self.garbage(project), told)
        after = tree(state)
        del after["models/gone"]
        self.assertEqual({name: after[name] for name in after if not name.startswith("meta.")},
                         {name: clean[name] for name in clean if not name.startswith("meta.")})
        self.assertTrue((project.folder / "orders.csv").exists())  # behind the link
        self.assertEqual(self.garbage(project), {})
        self.assertIn("unchanged", project.run("build", check=None).stdout)

    def test_old_versions_go_only_when_told_and_never_one_that_an_alias_knew(self):
        project = self.project(DEFINITION.replace(">= 0.6", ">= 0.1"))
        shown = self.versions(project, 5)
        project.run("promote", "risk", "--version", "1")
        project.run("promote", "risk", "--version", "3")
        state = project.folder / ".coeval"
        folder = {version: state / "models/risk" / each["recipe_id"][:16] for version, each in shown.items()}
        self.assertEqual(self.garbage(project), {})
        self.edit(project, "rounds = 25", "rounds = 25\neta = 0.2")
        self.assertEqual(set(self.garbage(project, "--keep", "1", "--dry-run")),
                         {str(folder[version].relative_to(state)) for version in (2, 4)})
        gone = self.garbage(project, "--keep", "1")
        self.assertEqual({item["version"] for item in gone.values()}, {2, 4})
        self.assertEqual([version for version in folder if folder[version].exists()], [1, 3, 5])
        # What is noted of a removed version is still there, and who wants its files is told.
        removed = project.json("show", "risk", "--version", "2")
        self.assertIn("removed", removed)
        self.assertEqual({**shown[2], "manifest_id": "", "removed": removed["removed"]}, removed)
        for command, code in ((["promote", "risk", "--version", "2"], 1), (["explain", "gate", "risk@v2"], 1),
                              (["reproduce", "risk@v2"], 1)):
            text = project.run(*command, check=code).stderr
            self.assertIn("C0801", text)
            self.assertIn("risk@v2 was removed at 20", text)
            self.assertIn("build it again", text)
        self.assertIn("removed by coeval gc", project.run("doctor").stdout)
        self.assertEqual(self.garbage(project, "--keep", "1"), {})
        for version in (1, 3, 5):
            self.assertTrue(project.json("reproduce", f"risk@v{version}")["same"])
        # Its definition builds it again: the same version, the same bits.
        self.edit(project, "rounds = 25\neta = 0.2", "rounds = 22")
        project.run("build")
        again = project.json("show", "risk", "--version", "2")
        self.assertEqual((again["bits_id"], again["recipe_id"]), (shown[2]["bits_id"], shown[2]["recipe_id"]))
        self.assertNotIn("removed", again)
        self.assertTrue(project.json("reproduce", "risk@v2")["same"])

    def test_the_lock_file_and_the_data_of_kept_versions_are_reached(self):
        project = self.project(DEFINITION.replace(">= 0.6", ">= 0.1"))
        project.run("build")
        lock = (project.folder / "coeval.lock").read_text()
        with open(project.folder / "orders.csv", "a", encoding="utf-8") as file:
            file.write("2024-04-20T00:00:00Z,u1,5,0\n")
        project.run("build")
        self.assertEqual(len(list((project.folder / ".coeval/datasets").glob("*.parquet"))), 2)
        newest = (project.folder / "coeval.lock").read_text()
        (project.folder / "coeval.lock").write_text(lock)
        self.assertEqual(self.garbage(project, "--keep", "1", "--dry-run"), {})
        (project.folder / "coeval.lock").write_text(newest)
        gone = self.garbage(project, "--keep", "1")
        self.assertEqual(sorted(path.split("/")[0] for path in gone), ["datasets", "datasets", "models"])
        self.assertTrue(project.json("reproduce", "risk@v2")["same"])

    def test_a_running_build_loses_nothing(self):
        project = self.project(count=8000)
        project.run("build")
        self.edit(project, "rounds = 20", "rounds = 20000")
        build = subprocess.Popen([COEVAL, "build", "-C", project.folder], stderr=subprocess.PIPE, text=True,
                                 stdout=subprocess.DEVNULL)
        try:
            for line in build.stderr:
                if "train miss" in line:
                    break
            text = project.run("gc", check=1).stderr
            self.assertIn("a build or a reproduction of this project is running", text)
            self.assertIn("C0701", project.run("gc", "--dry-run", check=1).stderr)
        finally:
            build.send_signal(signal.SIGKILL)
            build.stderr.close()
            build.wait(30)
        # It died: what it left is nobody's.
        self.assertEqual(sum(path.startswith("work/risk-train-") for path in self.garbage(project)), 1)
        self.assertEqual(self.garbage(project), {})

    def test_without_metadata_nothing_is_removed(self):
        project = self.project()
        (project.folder / ".coeval/models/risk/00").mkdir(parents=True)
        self.assertIn("there is no metadata", project.run("gc", check=1).stderr)
        self.assertTrue((project.folder / ".coeval/models/risk/00").exists())
        run("gc", "-C", project.folder, "--keep", "0", check=2)


if __name__ == "__main__":
    unittest.main()
