"""Every rule that a row breaks is told, also of a row in which a value cannot be read: of files and requests alike."""

import collections
import json
import subprocess
import unittest

from program import DEFINITION, Project, Server
from test_formats import python_with_pyarrow

WARN = "user    = { type = \"string\", known = \"ts\", pattern = \"u[0-9]+\", max_length = 6, severity = { max_length = \"warn\" } }"
CHECKED = DEFINITION.replace(
    'user    = { type = "string", known = "ts", pattern = "u[0-9]+" }', WARN).replace("[view.user]", """
[source.orders.checks]
both = { row = "amount < 500 or bad = 0" }
some = { row = "amount is not null" }
[view.user]""")
HEAD = "ts,user,amount,bad\n"
LINES = (
    "2024-05-10T00:00:00Z,u1,5,0\n"
    "2024-05-10T00:00:01Z,nobody at all,much,7\n"   # amount.type, user.pattern, bad.max, user.max_length
    "2024-05-10T00:00:02Z,u2,-1,x\n"                # bad.type, amount.min; `both` reads bad
    "soon,,700,1\n"                                 # ts.type, user.null, checks.both
    "2024-05-10T00:00:04Z,u3,1,0,extra\n"           # no row
    "2024-05-10T00:00:05Z,u4,nan,\"no\nint\"\n"    # on two lines: bad.type, amount.finite
    "2024-05-10T00:00:06Z,u5,2,1\n")
BROKEN = {
    3: {"amount.type", "user.pattern", "bad.max", "user.max_length"}, 4: {"bad.type", "amount.min"},
    5: {"ts.type", "user.null", "checks.both"}, 6: {"format"}, 7: {"bad.type", "amount.finite"}}
PARQUET = """
import pyarrow as pa, pyarrow.parquet as pq, sys
ts = pa.array([1715299200 + i for i in range(3)], pa.int64()).cast(pa.timestamp("s", tz="UTC")).cast(pa.timestamp("us", tz="UTC"))
pq.write_table(pa.table({"ts": ts, "user": ["u1", "nobody at all", "u2"], "amount": [1.0, 2.0, -1.0],
                         "bad": pa.array([0, 1 << 40, -(1 << 31) - 1], pa.int64())}), sys.argv[1])
"""


class EveryRule(unittest.TestCase):
    def setUp(self):
        self.project = Project(count=10)
        self.addCleanup(self.project.remove)
        (self.project.folder / "coeval.toml").write_text(CHECKED)

    def quarantined(self):
        rows = self.project.json("quarantine", "show", "orders", "--limit", "100")
        counts = self.project.json("ingest", "--status")[0]
        self.assertEqual(counts["missing_count"], 0)
        self.assertEqual(counts["quarantined_count"], len(rows))
        return rows

    def ingested(self, name):
        """Ingests a file; `check --data` counts the same rules over it."""
        checked = self.project.json("check", "--data", f"orders={self.project.folder / name}", check=3)
        self.project.run("ingest", "orders", self.project.folder / name)
        rows = self.quarantined()
        by_rule = collections.Counter(rule for row in rows for rule in row["rules"])
        told = {rule["rule"]: rule["rows_count"] for rule in checked[0]["rules"] if rule["rows_count"]}
        self.assertEqual(told, by_rule)
        return rows

    def test_of_csv(self):
        (self.project.folder / "a.csv").write_text(HEAD + LINES)
        rows = self.ingested("a.csv")
        self.assertEqual({row["row"]: set(row["rules"]) for row in rows}, BROKEN)
        lines = (HEAD + LINES).encode()
        for row in rows:
            self.assertTrue(lines[row["offset"]:].startswith(row["raw"].encode()), row)
        first = rows[0]
        self.assertEqual(first["observed"], {"amount.type": "much", "user.pattern": "nobody at all", "bad.max": 7,
                                             "user.max_length": "nobody at all"})
        self.assertIn("amount: not float64: 'much' (byte ", first["reason"])
        self.assertIn("bad must be at most 1, found 7", first["reason"])

    def test_the_build_says_the_same_of_the_file_that_it_reads(self):
        (self.project.folder / "orders.csv").write_text(HEAD + LINES)
        self.project.run("build", check=None)  # of two rows no model is made
        path = self.project.folder / ".coeval/quarantine/orders.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        self.assertEqual({row["row"]: set(row["rules"]) for row in rows}, BROKEN)

    def test_a_mended_rule_does_not_let_a_row_in_whose_value_cannot_be_read(self):
        (self.project.folder / "a.csv").write_text(HEAD + LINES)
        self.project.run("ingest", "orders", self.project.folder / "a.csv")
        wide = CHECKED.replace("min = 0, max = 1000", "min = -10, max = 1000").replace("u[0-9]+", ".*").replace(
            "min = 0, max = 1 }", "min = 0, max = 10 }")
        (self.project.folder / "coeval.toml").write_text(wide)
        self.assertEqual(self.project.json("quarantine", "replay", "orders")[0]["state"], "nothing")
        self.assertEqual(len(self.quarantined()), 5)

    def test_of_json_lines_and_of_requests(self):
        lines = ['{"ts":"2024-05-10T00:00:00Z","user":"u1","amount":5,"bad":0}',
                 '{"ts":"2024-05-10T00:00:01Z","user":"nobody at all","amount":[1],"bad":7}',
                 '{"ts":"2024-05-10T00:00:02Z","user":"u2","amount":-1,"bad":"x"}',
                 '{"user":"u2","amount":700,"bad":1}',
                 '[1]',
                 '{"ts":"2024-05-10T00:00:05Z","user":"u2","amount":null,"bad":1}',
                 '{"ts":"2024-05-10T00:00:06Z","user":"u5","amount":2,"bad":1}']
        expected = {2: {"amount.type", "user.pattern", "bad.max", "user.max_length"}, 3: {"bad.type", "amount.min"},
                    4: {"ts.null", "checks.both"}, 6: {"amount.null", "checks.some"}}
        (self.project.folder / "a.jsonl").write_text("\n".join(lines) + "\n")
        rows = self.ingested("a.jsonl")
        self.assertEqual({row["row"]: set(row["rules"]) for row in rows}, {**expected, 5: {"format"}})
        self.assertEqual(rows[1]["observed"], {"bad.type": "x", "amount.min": -1.0})
        self.assertIsNone(rows[0]["observed"]["amount.type"])  # a list is no value
        server = Server(self.project, as_of=None)
        self.addCleanup(server.close)
        status, answer = server.call("POST", "/v1/events/orders", "\n".join(lines) + "\n")
        self.assertEqual(status, 200)
        self.assertEqual((answer["accepted"], answer["quarantined"]), (2, 5))
        self.assertEqual({error["row"] + 1: set(error["rules"]) for error in answer["errors"]},
                         {**expected, 5: {"row.type"}})

    def test_of_parquet(self):
        python = python_with_pyarrow()
        if python is None:
            self.skipTest("no peer has pyarrow: ./dev setup pandera installs one")
        subprocess.run([python, "-c", PARQUET, self.project.folder / "a.parquet"], check=True)
        rows = self.ingested("a.parquet")
        self.assertEqual({row["row"]: set(row["rules"]) for row in rows},
                         {1: {"bad.type", "user.pattern", "user.max_length"}, 2: {"bad.type", "amount.min"}})
        self.assertEqual(rows[0]["observed"]["bad.type"], 1 << 40)
        self.assertIn(str(1 << 40), rows[0]["raw"])  # as the file has it


if __name__ == "__main__":
    unittest.main()
