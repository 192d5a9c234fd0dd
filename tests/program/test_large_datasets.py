"""Datasets in parts: --bucket, and --memory, which goes by way of the disk."""

import csv
import hashlib
import pathlib
import resource
import signal
import subprocess
import unittest

from program import COEVAL, Project, orders, stamp

BUCKETS = 5

# The same orders as Parquet, and questions about them.
LARGE = """
[project]
name = "large"
[source.orders]
path  = "orders.parquet"
time  = "ts"
known = "ts + minutes(30)"
[source.orders.columns]
ts      = { type = "timestamp", known = "ts" }
user    = { type = "string", known = "ts", pattern = "u[0-9]+" }
amount  = { type = "float64", known = "ts", min = 0, max = 1000 }
[view.user]
from    = "orders"
by      = ["user"]
windows = ["1h", "1d", "14d"]
orders  = "count()"
amount  = "mean(amount)"
most    = "max(amount)"
[view.all]
from    = "orders"
by      = []
windows = ["1d"]
orders  = "count()"
"""


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


class Parts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.texts = Project()
        cls.project = Project(LARGE, count=1)
        questions = cls.project.folder / "questions.csv"
        with open(questions, "w", encoding="utf-8") as file:
            file.write("user,at,note\n")
            for moment, user, amount, bad in orders(3000, seed=2):
                file.write(f"{user},{stamp(moment)},{amount}\n")
        # coeval itself makes the table of events: the rows of a model hold them all.
        cls.texts.run("dataset", "risk", "--out", cls.texts.folder / "rows.csv")
        with open(cls.texts.folder / "all.csv", "w", encoding="utf-8") as file:
            file.write("user,at,amount\n")
            for moment, user, amount, bad in orders(8000):
                file.write(f"{user},{stamp(moment)},{amount}\n")
        maker = Project("""
[project]
name = "maker"
[source.orders]
path  = "orders.csv"
time  = "ts"
known = "event time"
[source.orders.columns]
ts      = { type = "timestamp", known = "ts" }
user    = { type = "string", known = "ts" }
amount  = { type = "float64", known = "ts" }
bad     = { type = "int32" }
[view.user]
from    = "orders"
by      = ["user"]
windows = ["1h"]
n       = "count()"
[model.rows]
question = { from = "orders", at = "ts" }
label    = "bad = 1"
inputs   = ["user", "amount", "user.n_1h"]
split    = { train_until = 2024-03-01, validate_until = 2024-04-01, test_until = 2024-05-01 }
""")
        maker.run("dataset", "rows", "--out", cls.project.folder / "orders.parquet")
        maker.remove()

    @classmethod
    def tearDownClass(cls):
        cls.texts.remove()
        cls.project.remove()

    def dataset(self, out, *more, **options):
        out = self.project.folder / out
        self.project.run("dataset", "--features", "user.*, all.*", "--questions",
                         self.project.folder / "questions.csv", "--out", out, *more, **options)
        return out

    def test_the_buckets_of_a_models_rows_are_all_its_rows(self):
        whole = rows_of(self.texts.folder / "rows.csv")
        self.assertEqual(len(whole), 8001)
        parts = []
        for i in range(BUCKETS):
            out = self.texts.folder / f"bucket{i}.csv"
            told = self.texts.json("dataset", "risk", "--bucket", f"{i}/{BUCKETS}", "--out", out)
            rows = rows_of(out)
            self.assertEqual(told["rows_count"], len(rows) - 1)
            self.assertEqual(rows[0], whole[0])
            parts.append(rows[1:])
        users = whole[0].index("user") if "user" in whole[0] else whole[0].index("amount")
        self.assertEqual(sorted(sum(parts, [])), sorted(whole[1:]))
        for part in parts:
            wanted = {tuple(row) for row in part}
            self.assertEqual(part, [row for row in whole[1:] if tuple(row) in wanted])
        if "user" in whole[0]:
            seen = [{row[users] for row in part} for part in parts]
            self.assertEqual(sum(map(len, seen)), len(set.union(*seen)))

    def test_a_bucket_without_rows_is_a_table_of_the_same_columns(self):
        whole = rows_of(self.texts.folder / "rows.csv")[0]
        counts = []
        for i in range(40):
            out = self.texts.folder / "bucket.csv"
            self.texts.run("dataset", "risk", "--bucket", f"{i}/1000000", "--out", out)
            rows = rows_of(out)
            self.assertEqual(rows[0], whole)
            counts.append(len(rows) - 1)
        self.assertIn(0, counts)

    def test_the_file_is_the_same_with_a_limit_and_buckets_and_threads(self):
        whole = sha256(self.dataset("whole.parquet", "--threads", "1"))
        for threads in "13":
            self.assertEqual(sha256(self.dataset("part.parquet", "--memory", "200MB", "--threads", threads)), whole)
        parts = []
        for i in range(BUCKETS):
            plain = self.dataset("plain.csv", "--bucket", f"{i}/{BUCKETS}")
            limited = self.dataset("limited.csv", "--bucket", f"{i}/{BUCKETS}", "--memory", "200MB")
            self.assertEqual(sha256(limited), sha256(plain))
            parts += rows_of(plain)[1:]
        self.assertEqual(sorted(parts), sorted(rows_of(self.dataset("whole.csv"))[1:]))
        self.assertEqual(list((self.project.folder / ".coeval").glob("*")), [])

    def test_values_that_are_none_are_refused(self):
        for bucket in ("3/2", "x", "2/2", "1", "-1/2"):
            done = self.dataset_error("--bucket=" + bucket)
            self.assertIn("--bucket is 'i/P'", done)
        self.assertIn("no size in bytes", self.dataset_error("--memory", "much"))
        self.assertIn("at least --memory", self.dataset_error("--memory", "1KB"))
        self.assertIn("--memory", self.dataset_error("--spill-folder", "/tmp"))
        self.assertIn("empty", self.dataset_error("--bucket", ""))

    def dataset_error(self, *more):
        out = self.project.folder / "refused.csv"
        done = self.project.run("dataset", "--features", "user.*", "--questions",
                                self.project.folder / "questions.csv", "--out", out, *more, check=2)
        self.assertFalse(out.exists())
        self.assertEqual(list((self.project.folder / ".coeval").glob("*")), [])
        return done.stderr

    def test_what_a_limit_does_not_reach_is_said(self):
        out = self.texts.folder / "refused.csv"
        done = self.texts.run("dataset", "risk", "--memory", "1GB", "--out", out, check=2)
        self.assertIn("not supported with --memory yet", done.stderr)
        done = self.texts.run("dataset", "--features", "user.*", "--questions", self.texts.folder / "all.csv",
                              "--memory", "1GB", "--out", out, check=2)
        self.assertIn("orders.csv", done.stderr)
        self.assertIn("not supported with --memory yet", done.stderr)
        self.assertFalse(out.exists())

    def test_a_disk_without_room_is_said_and_nothing_stays(self):
        """A limit on the size of files stands for the full disk: a write fails in the same place."""
        spill, out = self.project.folder / "spill", self.project.folder / "unfinished.csv"
        spill.mkdir()

        def little_room():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

        done = subprocess.run(
            [COEVAL, "dataset", "-C", self.project.folder, "--features", "user.*", "--questions",
             self.project.folder / "questions.csv", "--memory", "200MB", "--spill-folder", spill, "--out", out],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, preexec_fn=little_room, restore_signals=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(str(spill / "spill-"), done.stderr)
        self.assertIn("cannot write", done.stderr)
        self.assertEqual(list(spill.iterdir()), [])
        self.assertEqual([p.name for p in self.project.folder.iterdir() if "unfinished" in p.name], [])
        spill.rmdir()


if __name__ == "__main__":
    unittest.main()
