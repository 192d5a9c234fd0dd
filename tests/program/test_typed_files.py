"""Ingestion of Parquet and Arrow files as others write them: bytes that are no text, columns that are not there."""

import subprocess
import unittest

from program import DEFINITION, Project
from test_formats import python_with_pyarrow

WRITE = """
import datetime, pathlib, pyarrow as pa, pyarrow.ipc, pyarrow.parquet as pq, sys
folder = pathlib.Path(sys.argv[1])
moment = datetime.datetime(2024, 5, 10, tzinfo=datetime.timezone.utc)
def orders(amounts, users=None, **others):
    count = len(amounts)
    return pa.table({"ts": pa.array([moment] * count, pa.timestamp("us", tz="UTC")), "amount": pa.array(amounts, pa.float64()),
                     "user": users or ["u1"] * count, "bad": pa.array([0] * count, pa.int32()), **others})
users = pa.array([b"u1", b"caf\\xe9"], pa.binary())
pq.write_table(orders([1, 2], users=users), folder / "bytes.parquet")
pq.write_table(orders([1, 2], users=users.view(pa.string())), folder / "text.parquet")  # said to be UTF-8
pq.write_table(orders([1]), folder / "old.parquet")
pq.write_table(orders([1]).drop(["amount"]), folder / "less.parquet")
other = orders([1])
for column, values in (("amount", ["1"]), ("bad", [0.0]), ("user", [1])):
    other = other.set_column(other.schema.get_field_index(column), column, pa.array(values))
pq.write_table(other, folder / "other.parquet")
for name, make, amount in (("old.arrow", pa.ipc.new_file, 2), ("old.arrows", pa.ipc.new_stream, 3),
                           ("text.arrow", pa.ipc.new_file, None), ("text.arrows", pa.ipc.new_stream, None)):
    text = users.cast(pa.large_binary()).view(pa.large_string()) if name == "text.arrow" else users.view(pa.string())
    table = orders([1, 2], users=text) if amount is None else orders([amount], notes=["lost?"])
    with make(folder / name, table.schema) as out:
        out.write(table)
"""
WITH_NOTE = DEFINITION.replace("[source.orders.columns]", '[source.orders.columns]\nnote = { type = "string", nullable = true }')


class TypedFiles(unittest.TestCase):
    def setUp(self):
        python = python_with_pyarrow()
        if python is None:
            self.skipTest("no peer has pyarrow: ./dev setup pandera installs one")
        self.project = Project(count=10)
        self.addCleanup(self.project.remove)
        subprocess.run([python, "-c", WRITE, self.project.folder], check=True)

    def counts(self, project=None):
        counts = (project or self.project).json("ingest", "--status")[0]
        self.assertEqual(counts["missing_count"], 0, counts)
        return counts["read_count"], counts["accepted_count"], counts["quarantined_count"]

    def test_bytes_that_are_no_text_stay_in_quarantine_as_they_are(self):
        for name in ("bytes.parquet", "text.parquet", "text.arrow", "text.arrows"):
            with self.subTest(name):
                project = self.project.copy()
                self.addCleanup(project.remove)
                project.run("ingest", "orders", project.folder / name)
                self.assertEqual(self.counts(project), (2, 1, 1))
                (row,) = project.json("quarantine", "show", "orders")
                self.assertIn("user.utf8", row["rules"])
                self.assertIn(b'"caf\xe9"', bytes.fromhex(row["raw_hex"]))
                project.run("quarantine", "replay", "orders")  # of no rule that changed
                self.assertEqual(self.counts(project), (2, 1, 1))
                (again,) = project.json("quarantine", "show", "orders")
                self.assertEqual(again["raw_hex"], row["raw_hex"])

    def test_a_file_of_before_a_nullable_column_was_added_has_nulls_there(self):
        project = self.project
        (project.folder / "coeval.toml").write_text(WITH_NOTE)
        (project.folder / "renamed.csv").write_text("ts,user,amount,bad,notes\n2024-05-10T00:00:00Z,u1,4,0,lost?\n")
        meant = "declares no column 'notes', which the file has: did you mean 'note'?"
        for name, tells in (("old.parquet", False), ("old.arrow", True), ("old.arrows", True), ("renamed.csv", True)):
            with self.subTest(name):
                for command in (("check", "--data", f"orders={project.folder / name}"), ("ingest", "orders", project.folder / name)):
                    done = project.run(*command)
                    self.assertEqual(meant in done.stdout + done.stderr, tells, done.stdout + done.stderr)
        self.assertEqual(self.counts(), (4, 4, 0))
        refused = project.run("ingest", "orders", project.folder / "less.parquet", check=2)
        self.assertIn("has no column 'amount'", refused.stderr)

    def test_each_column_of_another_type_is_named(self):
        refused = self.project.run("ingest", "orders", self.project.folder / "other.parquet", check=2)
        for column, declared, found in (("amount", "float64", "string"), ("bad", "int32", "float64"),
                                        ("user", "string", "int64")):
            self.assertIn(f"column '{column}' is declared {declared}, found {found}", refused.stderr)
        self.assertEqual(self.counts(), (0, 0, 0))


if __name__ == "__main__":
    unittest.main()
