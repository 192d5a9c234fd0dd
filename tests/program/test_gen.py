"""`coeval gen`: the same rows however they are made, projects that build and audit clean, and what is refused."""

import csv
import io
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from program import COEVAL, Project, Server, run

KINDS = {
    "fraud": ["--cards", "200", "--terminals", "400", "--days", "20"],
    "clicks": ["--rows", "3000", "--queries", "30"],
    "recsys": ["--rows", "3000", "--users", "100", "--items", "50"],
    "churn": ["--customers", "500"],
    "series": ["--series", "10", "--days", "100"],
}
PROJECTS = {
    "clicks": ["--days", "3", "--queries", "100"],
    "recsys": ["--days", "2", "--users", "300", "--items", "100"],
    "churn": ["--customers", "3000"],
    "series": ["--series", "50", "--days", "400"],
}


class Rows(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="coeval-test-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def bytes_of(self, kind, name, *arguments):
        run("gen", kind, "--out", self.folder / name, *arguments)
        return (self.folder / name).read_bytes()

    def test_files_have_the_same_bytes_on_any_number_of_threads(self):
        for kind, size in KINDS.items():
            for ending in ("parquet", "csv", "jsonl"):
                one = self.bytes_of(kind, f"one.{ending}", *size, "--threads", "1")
                self.assertEqual(one, self.bytes_of(kind, f"three.{ending}", *size, "--threads", "3"), (kind, ending))
                other = self.bytes_of(kind, f"other.{ending}", *size, "--seed", "2")
                self.assertNotEqual(one, other, (kind, ending))

    def test_shards_are_the_whole_cut_and_standard_output_is_the_file(self):
        for kind, size in KINDS.items():
            whole = self.bytes_of(kind, "whole.csv", *size)
            header, _, rows = whole.partition(b"\n")
            parts = [self.bytes_of(kind, f"part{i}.csv", *size, "--shard", f"{i}/3") for i in range(3)]
            self.assertEqual(b"".join(part.partition(b"\n")[2] for part in parts), rows, kind)
            self.assertTrue(all(part.partition(b"\n")[0] == header for part in parts), kind)
            self.assertEqual(run("gen", kind, "--out", "-", *size).stdout.encode(), whole, kind)
            lines = run("gen", kind, "--out", "-", "--format", "jsonl", *size).stdout.splitlines()
            self.assertEqual(len(lines), rows.count(b"\n"), kind)
            self.assertEqual(list(json.loads(lines[0])), header.decode().split(","), kind)

    def test_the_summary_counts_what_the_file_has(self):
        for kind, size in KINDS.items():
            told = json.loads(run("gen", kind, "--out", self.folder / "a.csv", "--json", *size).stdout)
            rows = list(csv.DictReader(io.StringIO((self.folder / "a.csv").read_text())))
            self.assertEqual(told["rows_count"], len(rows), kind)
            self.assertEqual(told["positives_count"], sum(row[told["label"]] == "true" for row in rows), kind)
            self.assertGreater(told["positives_count"], 0, kind)
            nowhere = json.loads(run("gen", kind, "--out", "/dev/null", "--json", *size).stdout)
            self.assertEqual((nowhere["rows_count"], nowhere["positives_count"]),
                             (told["rows_count"], told["positives_count"]), kind)

    def test_what_makes_no_sense_is_refused_and_leaves_no_file(self):
        out = ["--out", str(self.folder / "a.csv")]
        for arguments, part in [
                (["fraud"], "neither --out nor --project"),
                (["fraud", *out, "--shard", "3/3"], "'3/3'"),
                (["fraud", *out, "--shard", "x"], "--shard is no part"),
                (["fraud", *out, "--rows", "10", "--shard", "0/2"], "--rows in shards"),
                (["fraud", *out, "--users", "3"], "--users is an option of recsys, not of fraud"),
                (["clicks", *out, "--cards", "3"], "--cards is an option of fraud, not of clicks"),
                (["fraud", *out, "--drift", "10:rain"], "amounts, volume, attack, disguise"),
                (["fraud", *out, "--label-delay", "soon"], "--label-delay is no delay: 'soon'"),
                (["fraud", *out, "--cards", "1"], "--cards must be from 3"),
                (["fraud", *out, "--late", "2"], "--late"),
                (["clicks", *out, "--documents", "5"], "--documents"),
                (["series", *out, "--days", "0"], "--days must be from 1"),
                (["rain", *out], "rain"),
                (["fraud", "--out", str(self.folder / "a.xlsx")], "the endings are .parquet, .csv and .jsonl"),
                (["fraud", "--out", str(self.folder / "a.csv.gz")], "the endings are"),
                (["fraud", "--out", str(self.folder)], "--out is a folder"),
                (["fraud", *out, "--format", "csv"], "--format is of standard output"),
                (["fraud", "--out", "-", "--json"], "both write to standard output"),
                (["fraud", "--out", "-", "--project", str(self.folder / "p")], "--project needs its data in a file"),
                (["fraud", "--project", str(self.folder / "p"), "--shard", "0/2"], "--project is of all data"),
                (["churn", "--customers", "0", "--project", str(self.folder / "q")], "no rows to make a project of")]:
            done = run("gen", *arguments, check=None)
            self.assertIn(done.returncode, (2, 3), (arguments, done.stderr))
            self.assertIn(part, done.stderr + done.stdout, arguments)
        self.assertFalse((self.folder / "a.csv").exists())
        self.assertNotEqual(run("gen", "fraud", "--out", self.folder / "none" / "a.csv", check=None).returncode, 0)

    def test_a_reader_that_goes_away_ends_it(self):
        with subprocess.Popen([COEVAL, "gen", "recsys", "--out", "-"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            process.stdout.read(100)
            process.stdout.close()
            self.assertNotEqual(process.wait(60), 0)
            process.stderr.close()

    def test_a_project_that_is_there_is_not_touched(self):
        (self.folder / "coeval.toml").write_text("mine")
        done = run("gen", "churn", "--project", self.folder, "--customers", "5", check=2)
        self.assertIn("is there already", done.stderr)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["coeval.toml"])


class Projects(unittest.TestCase):
    def setUp(self):
        self.project = object.__new__(Project)
        self.project.folder = pathlib.Path(tempfile.mkdtemp(prefix="coeval-test-")) / "made"
        self.addCleanup(shutil.rmtree, self.project.folder.parent)

    def test_fraud_builds_passes_its_gates_serves_and_audits_clean(self):
        run("gen", "fraud", "--project", self.project.folder, "--cards", "500", "--terminals", "300", "--days", "120",
            "--late", "0.02", "--duplicates", "0.01", "--out-of-order", "0.05", "--unreported", "0.02",
            "--schema-change", "40", "--label-delay", "lognormal:6d")
        self.project.run("check")
        self.project.run("check", "--data")
        built = self.project.json("build")[0]
        self.assertTrue(built["gates_passed"], built)
        self.project.run("promote", "fraud")
        server = Server(self.project, as_of="2018-07-20")
        played = self.project.json("replay", "--from", "2018-07-20", "--to", "2018-07-22", "--url", server.url)
        self.assertGreater(played["models"]["fraud"]["questions_count"], 500)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(self.project.json("audit")["differ_count"], 0)

    def test_the_other_kinds_build_and_pass_their_gates(self):
        for kind, size in PROJECTS.items():
            self.project.folder = self.project.folder.parent / kind
            run("gen", kind, "--project", self.project.folder, *size)
            self.project.run("check", "--data")
            built = self.project.json("build")[0]
            self.assertTrue(built["gates_passed"], (kind, built))

    def test_the_data_may_lie_elsewhere(self):
        out = self.project.folder.parent / "elsewhere.csv"
        run("gen", "churn", "--project", self.project.folder, "--customers", "300", "--out", out)
        self.assertIn('path  = "../elsewhere.csv"', (self.project.folder / "coeval.toml").read_text())
        self.project.run("check", "--data")


if __name__ == "__main__":
    unittest.main()
