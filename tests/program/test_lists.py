"""Lists on every way through the program: vectors in rows and questions, last_k and top_k, datasets, audit."""

import datetime
import fractions
import json
import math
import pathlib
import random
import re
import struct
import sys
import unittest

from program import CUT, START, Project, Server, stamp

ORACLES = pathlib.Path(__file__).resolve().parents[2] / "third_party/oracles/duckdb"
DEFINITION = """
[project]
name = "tastes"

[source.visits]
path  = "visits.jsonl"
time  = "ts"
known = "ts + minutes(30)"
[source.visits.columns]
ts     = { type = "timestamp", known = "ts" }
user   = { type = "string", known = "ts" }
page   = { type = "string", known = "ts" }
amount = { type = "float64", nullable = true }
taste  = { type = "list<float32>(4)", known = "ts" }
liked  = { type = "int32", min = 0, max = 1 }

[view.user]
from    = "visits"
by      = ["user"]
windows = ["1d", "14d"]
pages   = "last_k(page, 3)"
top     = "top_k(page, 2)"
amounts = "last_k(amount, 2)"
days    = "last_k(ts, 2)"
taste   = "last(taste)"

[features]
likeness = "cosine(taste, user.taste_14d)"
distance = "l2(taste, user.taste_14d)"

[model.risk]
question = { from = "visits", at = "ts" }
label    = "liked = 1"
inputs   = ["likeness", "distance", "dot(taste, [1.0, 0.5, 0, -1])", "element(user.pages_14d, 0)",
            "element(user.top_14d, 0)", "element(user.amounts_1d, 1)", "length(user.amounts_1d)"]
split    = { train_until = 2024-03-01, validate_until = 2024-04-01, test_until = 2024-05-01 }
gate     = { auc = ">= 0.6" }
[model.risk.params]
max_depth = 3
rounds = 10
"""


def narrow(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def visits(count):
    rng = random.Random(4)
    step = datetime.timedelta(days=121) / count
    for i in range(count):
        user = rng.randrange(40)
        taste = [narrow(rng.gauss(0, 1) + (user % 5 == k)) for k in range(4)]
        moment = START + i * step
        yield {"ts": stamp(moment), "user": f"u{user}", "page": rng.choice("abcde"),
               "amount": None if rng.random() < 0.2 else round(rng.random(), 3), "taste": taste,
               "liked": int(sum(taste) + rng.gauss(0, 0.5) > 1)}


class Visits(Project):
    def __init__(self, count=3000):
        super().__init__(DEFINITION, 1)
        self.rows = list(visits(count))
        self.write(self.rows)

    def write(self, rows):
        with open(self.folder / "visits.jsonl", "w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row) + "\n")

    def answers(self, features):
        """The features of all visits, as `coeval dataset` writes them in JSON lines."""
        out = self.folder / "answers.jsonl"
        self.run("dataset", "--features", features, "--questions", self.folder / "visits.jsonl", "--at", "ts",
                 "--out", out)
        return [json.loads(line) for line in out.read_text().splitlines()]


def parsed(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def by_hand(rows, question, days):
    """The user's visits of the window that were known, oldest first."""
    at = parsed(question["ts"])
    half_hour, length = datetime.timedelta(minutes=30), datetime.timedelta(days=days)
    return [row for row in rows if row["user"] == question["user"] and parsed(row["ts"]) + half_hour < at
            and at - length <= parsed(row["ts"])]


class Datasets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.project = Visits()
        cls.answers = cls.project.answers("user")

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()

    def expected(self, question, days):
        found = by_hand(self.project.rows, question, days)
        newest = found[::-1]
        counts = {}
        for row in found:
            counts[row["page"]] = counts.get(row["page"], 0) + 1
        return {
            f"user.pages_{days}d": [row["page"] for row in newest][:3] or None,
            f"user.top_{days}d": sorted(counts, key=lambda page: (-counts[page], page))[:2] or None,
            f"user.amounts_{days}d": [row["amount"] for row in newest if row["amount"] is not None][:2] or None,
            f"user.taste_{days}d": newest[0]["taste"] if newest else None,
        }

    def test_every_list_is_that_of_a_plain_scan(self):
        seen = 0
        for question, answer in list(zip(self.project.rows, self.answers))[::7]:
            for days in (1, 14):
                for name, expected in self.expected(question, days).items():
                    self.assertEqual(answer[name], expected, (question, name))
                    seen += expected is not None
        self.assertGreater(seen, 1000)

    @unittest.skipUnless(ORACLES.exists(), "./dev setup oracles brings DuckDB")
    def test_parquet_has_the_same_lists_as_duckdb_reads_them(self):
        sys.path.insert(0, str(ORACLES))
        import duckdb
        out = self.project.folder / "answers.parquet"
        self.project.run("dataset", "--features", "user", "--questions", self.project.folder / "visits.jsonl", "--at",
                         "ts", "--out", out)
        columns = ["user.pages_14d", "user.top_14d", "user.amounts_14d", "user.taste_14d"]
        query = ", ".join(f'"{name}"' for name in columns)
        types = duckdb.sql(f"select {query} from '{out}'").types
        self.assertEqual([str(t) for t in types], ["VARCHAR[]", "VARCHAR[]", "DOUBLE[]", "FLOAT[]"])
        found = duckdb.sql(f"select {query} from '{out}'").fetchall()
        self.assertEqual(len(found), len(self.answers))
        for row, answer in zip(found, self.answers):
            self.assertEqual(list(row), [answer[name] for name in columns])

    @unittest.skipUnless(ORACLES.exists(), "./dev setup oracles brings DuckDB")
    def test_vectors_of_doubles_are_read_from_parquet_and_rounded_once(self):
        sys.path.insert(0, str(ORACLES))
        import duckdb
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        source = twin.folder / "visits.jsonl"
        for cast in ("double[]", "float[]", "double[4]"):
            duckdb.sql(f"""copy (select ts::timestamptz as ts, "user", page, amount::double as amount,
                           taste::double[]::{cast} as taste, liked::integer as liked
                           from read_json('{source}')) to '{twin.folder}/visits.parquet'""")
            text = DEFINITION.replace("visits.jsonl", "visits.parquet")
            (twin.folder / "coeval.toml").write_text(text)
            out = twin.folder / "again.jsonl"
            twin.run("dataset", "--features", "user.taste_14d, l2(taste, user.taste_14d)", "--questions",
                     twin.folder / "visits.parquet", "--at", "ts", "--out", out)
            again = [json.loads(line) for line in out.read_text().splitlines()]
            self.assertEqual([row["user.taste_14d"] for row in again],
                             [answer["user.taste_14d"] for answer in self.answers])

    @unittest.skipUnless(ORACLES.exists(), "./dev setup oracles brings DuckDB")
    def test_rows_with_wrong_lengths_and_null_elements_go_to_quarantine(self):
        sys.path.insert(0, str(ORACLES))
        import duckdb
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        duckdb.sql(f"""copy (select ts::timestamptz as ts, "user", page, amount::double as amount,
                       case row_number() over () when 5 then [1, 2, 3] when 9 then [1, null, 3, 4]
                         else taste::double[] end::double[] as taste, liked::integer as liked
                       from read_json('{twin.folder}/visits.jsonl')) to '{twin.folder}/visits.parquet'""")
        (twin.folder / "coeval.toml").write_text(DEFINITION.replace("visits.jsonl", "visits.parquet"))
        twin.run("build")
        lines = [json.loads(line) for line in
                 (twin.folder / ".coeval/quarantine/visits.jsonl").read_text().splitlines()]
        self.assertEqual([(line["row"], line["rules"], line["reason"]) for line in lines], [
            (4, ["taste.length"], "taste must have 4 elements, found [1, 2, 3]"),
            (8, ["taste.finite"], "taste must have finite numbers as elements, and no nulls, found [1, null, 3, 4]")])

    def test_features_of_lists_are_those_of_exact_fractions(self):
        answers = self.project.answers("dot(taste, user.taste_14d), likeness, distance")
        checked = 0
        for question, answer in list(zip(self.project.rows, answers))[::11]:
            found = by_hand(self.project.rows, question, 14)
            if not found:
                self.assertIsNone(answer["likeness"])
                continue
            a, b = question["taste"], found[-1]["taste"]
            exact = lambda x, y: float(sum(fractions.Fraction(p) * fractions.Fraction(q) for p, q in zip(x, y)))
            self.assertEqual(answer["dot(taste, user.taste_14d)"], exact(a, b))
            cosine = exact(a, b) / math.sqrt(exact(a, a) * exact(b, b))
            self.assertEqual(answer["likeness"], max(-1.0, min(1.0, cosine)))
            squares = sum((fractions.Fraction(p) - fractions.Fraction(q)) ** 2 for p, q in zip(a, b))
            self.assertAlmostEqual(answer["distance"], math.sqrt(squares), delta=1e-15)
            checked += 1
        self.assertGreater(checked, 200)

    def test_lines_with_wrong_lists_are_set_aside(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        rows = list(self.project.rows)
        rows[3], rows[5] = dict(rows[3], taste=[1, 2]), dict(rows[5], taste=[1, None, 3, 4])
        with open(twin.folder / "visits.jsonl", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        twin.run("build")
        lines = [json.loads(line) for line in
                 (twin.folder / ".coeval/quarantine/visits.jsonl").read_text().splitlines()]
        self.assertEqual([(line["row"], line["rules"], line["reason"]) for line in lines], [
            (4, ["taste.type"], "taste: expected list<float32>(4), found an array of 2 elements"),
            (6, ["taste.type"], "taste: element 1 of the list is null")])

    def test_csv_is_refused_both_ways(self):
        project = self.project
        refused = project.run("dataset", "--features", "user", "--questions", project.folder / "visits.jsonl", "--at",
                              "ts", "--out", project.folder / "answers.csv", check=None)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("column 'user.amounts_14d' is list<float64>, which CSV cannot hold",
                      refused.stderr.replace("user.amounts_1d", "user.amounts_14d"))
        twin = project.copy()
        self.addCleanup(twin.remove)
        (twin.folder / "coeval.toml").write_text(DEFINITION.replace("visits.jsonl", "visits.csv"))
        (twin.folder / "visits.csv").write_text("ts,user,page,amount,taste,liked\n")
        refused = twin.run("build", check=None)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("column 'taste' is list<float32>(4), which CSV cannot hold", refused.stderr)


class Serving(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.project = Visits()
        cls.project.build_and_promote()

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()

    def served(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        server = Server(twin)
        self.addCleanup(server.close)
        return twin, server

    def test_live_traffic_with_vectors_audits_clean_across_a_restart(self):
        twin, server = self.served()
        played = json.loads(twin.run("replay", "--from", CUT, "--to", "2024-04-15", "--url", server.url,
                                     "--json").stdout)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(played["refused_count"], 0)
        again = Server(twin)
        self.assertIn("state: snapshot", again.errors())
        played = json.loads(twin.run("replay", "--from", "2024-04-15", "--to", "2024-05-01", "--url", again.url,
                                     "--json").stdout)
        self.assertEqual(again.stop(), 0)
        self.assertEqual(played["refused_count"], 0)
        for mode in ([], ["--against-dataset"]):
            report = twin.json("audit", *mode)
            self.assertGreater(report["predictions_count"], 500)
            self.assertEqual(report["differ_count"], 0)
        last = played["models"]["risk"]["last_prediction_id"]
        names = {feature["feature"] for feature in twin.json("explain", last)["features"]}
        self.assertIn("user.pages_14d", names)

    def test_rows_and_questions_with_wrong_lists_are_refused_with_the_reason(self):
        _, server = self.served()
        self.addCleanup(server.kill)
        event = dict(self.project.rows[-1], ts="2024-04-02T00:00:00Z")
        question = {"user": event["user"], "taste": [1, 2, 3, 4]}
        self.assertEqual(server.call("POST", "/v1/predict/risk?now=2024-04-02T00:00:00Z", question)[0], 200)
        for wrong, reason in (([1, 2, 3], "expected list<float32>(4), found an array of 3 elements"),
                              ([1, None, 3, 4], "element 1 of the list is null"),
                              ([1, 2, 3, "x"], "element 3 of the list (from 0): expected float32, found a string"),
                              ("x", "expected list<float32>(4), found a string")):
            status, answer = server.call("POST", "/v1/events/visits", dict(event, taste=wrong))
            self.assertEqual(status, 422, answer)
            self.assertIn(reason, json.dumps(answer))
            status, answer = server.call("POST", "/v1/predict/risk?now=2024-04-02T00:00:00Z",
                                         dict(question, taste=wrong))
            self.assertEqual(status, 400, answer)
            self.assertIn(reason, json.dumps(answer))
        status, answer = server.call("POST", "/v1/events/visits", dict(event, taste=[1, 2, 3, "NaN"]))
        self.assertEqual(status, 422, answer)
        self.assertIn("taste must have finite numbers as elements", json.dumps(answer))
        self.assertEqual(server.call("POST", "/v1/events/visits", event)[0], 200)

    def test_show_feature_works_a_list_out(self):
        project, question = self.project, self.project.rows[-1]
        for feature in ("user.pages_14d", "user.top_14d", "user.amounts_1d", "user.taste_14d"):
            shown = project.json("show", "feature", feature, "--key", question["user"], "--at", question["ts"])
            self.assertTrue(shown["agrees"], shown)
            self.assertEqual(shown["value"], shown["kernel_value"])
        pages = [row["page"] for row in by_hand(project.rows, question, 14)][::-1][:3]
        shown = project.json("show", "feature", "user.pages_14d", "--key", question["user"], "--at", question["ts"])
        self.assertEqual(shown["value"], pages)

    def test_a_plan_counts_the_vectors_into_the_state(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        sizes = []
        for length in (5, 65):
            text = DEFINITION.replace("list<float32>(4)", f"list<float32>({length})")
            text = text.replace("[1.0, 0.5, 0, -1]", str([0.5] * length))
            (twin.folder / "coeval.toml").write_text(text)
            sizes.append(int(re.search(r"state of view user is built anew: .* events of (\d+)",
                                       twin.run("plan").stdout)[1]))
        self.assertEqual(sizes[1] - sizes[0], 60 * 4)


if __name__ == "__main__":
    unittest.main()
