"""Keys that are found and features that refuse, from the definition to the audit, by the built program."""

import csv
import datetime
import json
import unittest

from program import CUT, Project, Server, order_json, orders, run, stamp

DEFINITION = """
[project]
name = "shop"

[keys]
city = "person.city"

[source.orders]
path  = "orders.csv"
time  = "ts"
known = "ts + minutes(30)"
[source.orders.columns]
ts      = { type = "timestamp", known = "ts" }
user    = { type = "string", known = "ts" }
amount  = { type = "float64", known = "ts", min = 0, max = 1000 }
bad     = { type = "int32", min = 0, max = 1 }

[source.people]
path  = "people.csv"
time  = "since"
known = "since + 1h"
[source.people.columns]
since   = { type = "timestamp" }
user    = { type = "string" }
city    = { type = "string", nullable = true }
kind    = { type = "string" }

[lookup.person]
from    = "people"
by      = ["user"]
columns = ["city", "kind"]

[view.city]
from    = "people"
by      = ["city"]
windows = ["60d", "all"]
people  = "count()"

[view.kind]
from    = "orders"
by      = ["person.kind"]
windows = ["1d", "14d"]
orders  = "count()"
bad     = "mean(bad = 1)"
amount  = { value = "mean(amount) where person.city <> 'X'", max_age = "2d", on_stale = "refuse" }

[view.user]
from    = "orders"
by      = ["user"]
windows = ["14d"]
bad     = "mean(bad = 1)"

[model.risk]
question = { from = "orders", at = "ts" }
label    = "bad = 1"
inputs   = ["hour", "amount", "city.*", "kind.*", "user.*", "person.kind"]
trainer  = "xgboost"
split    = { train_until = 2024-03-01, validate_until = 2024-04-01, test_until = 2024-05-01 }
gate     = { auc = ">= 0.5" }
[model.risk.params]
max_depth = 3
rounds = 10
"""

BEGIN = datetime.datetime(2023, 12, 1, tzinfo=datetime.timezone.utc)


def people():
    """Each user's city and kind, and a later change of some; kind r is rare, so it is stale at times."""
    for n in range(300):
        city = None if n % 31 == 0 else "XYZ"[n % 3]
        yield BEGIN, f"u{n}", city, "r" if n < 2 else "ab"[n % 2]
    for n in range(0, 300, 5):
        yield BEGIN + datetime.timedelta(days=40 + n / 5), f"u{n}", "Z", "ab"[n % 3 % 2]


class Chains(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.project = Project(DEFINITION, count=4000)
        with open(cls.project.folder / "people.csv", "w", encoding="utf-8") as file:
            file.write("since,user,city,kind\n")
            for since, user, city, kind in people():
                file.write(f"{stamp(since)},{user},{city or ''},{kind}\n")
        cls.build = cls.project.run("build").stderr
        cls.project.run("promote", "risk")
        cls.rows = cls.project.folder / "rows.csv"
        cls.said = cls.project.run("dataset", "risk", "--out", cls.rows).stdout

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()

    @staticmethod
    def person(user, event_time, known):
        """The newest row valid before and known before, by looking at all."""
        rows = [row for row in people() if row[1] == user and row[0] < event_time
                and row[0] + datetime.timedelta(hours=1) < known]
        return max(rows, key=lambda row: row[0], default=(None, None, None, None))

    def test_the_dataset_is_what_python_finds(self):
        with open(self.rows, encoding="utf-8") as file:
            table = list(csv.DictReader(file))
        half_hour, day = datetime.timedelta(minutes=30), datetime.timedelta(days=1)
        events = [(moment, moment + half_hour, bad, self.person(user, moment, moment + half_hour))
                  for moment, user, amount, bad in orders(4000)]
        stale = 0
        for row in table[500:4000:97]:
            at = datetime.datetime.fromisoformat(row["ts"].replace("Z", "+00:00"))
            mine = self.person(row["user"], at, at)
            self.assertEqual(row["person.kind"], mine[3] or "")
            seen = [event for event in events if event[1] < at and event[3][3] == mine[3]]
            inside = [event for event in seen if at - day <= event[0]]
            self.assertEqual(int(row["kind.orders_1d"]), len(inside))
            lived = [one for one in people() if one[2] is not None and one[2] == mine[2] and one[0] < at
                     and one[0] + datetime.timedelta(hours=1) < at]
            self.assertEqual(int(row["city.people_all"]), len(lived))
            fresh = any(at - event[0] <= 2 * day for event in seen if event[3][2] not in (None, "X"))
            self.assertEqual(row["split"] == "stale", not fresh)
            stale += not fresh
        self.assertGreater(sum(row["split"] == "stale" for row in table), 0)
        refused = sum(row["split"] == "stale" for row in table)
        self.assertIn(f"{refused} of them are refused", self.said)
        self.assertIn(f", {refused} stale", self.build)

    def test_live_traffic_with_restarts_audits_clean(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        server = Server(twin)
        answered = refused = 0
        moved = [("u7", "Y", "b"), ("u8", "Q", "a"), ("u12", None, "a")]
        sent = [order for order in orders(4000) if order[0] >= datetime.datetime.fromisoformat(CUT + "T00:00:00+00:00")]
        for i, (moment, user, amount, bad) in enumerate(sent[:240]):
            now = f"?now={stamp(moment)}"
            status, answer = server.call("POST", "/v1/predict/risk" + now,
                                         {"user": user, "amount": amount, "at": stamp(moment)})
            if status == 422:
                self.assertEqual((answer["code"], answer["stale"]["feature"].split("_")[0]), ("C0911", "kind.amount"))
                self.assertEqual(answer["stale"]["max_age_seconds"], 2 * 86400)
                refused += 1
            else:
                self.assertEqual(status, 200, answer)
                answered += 1
            self.assertEqual(server.call("POST", "/v1/events/orders" + now, order_json(moment, user, amount, bad))[0], 200)
            if i % 80 == 40:
                who, city, kind = moved[i // 80]
                row = {"since": stamp(moment - datetime.timedelta(days=2)), "user": who, "city": city, "kind": kind}
                self.assertEqual(server.call("POST", "/v1/events/people" + now, row)[0], 200)
            if i % 80 == 60:  # once from the log alone, once from a snapshot
                server.kill() if i < 80 else server.stop()
                server = Server(twin)
        status, asked = server.call("POST", f"/v1/predict/risk?now={stamp(moment)}",
                                    [{"user": "u7", "amount": 1.0}, {"user": "nobody", "amount": 1.0}])
        self.assertEqual(status, 200)
        self.assertEqual(asked["predictions"][1]["code"], "C0911")
        self.assertEqual(asked["predictions"][1]["row"], 1)
        self.assertIn("coeval_predictions_refused_total", server.call("GET", "/metrics")[1])
        server.stop()
        self.assertGreater(answered, 100)
        report = twin.json("audit")
        self.assertEqual((report["predictions_count"], report["differ_count"]), (answered + 1, 0))
        explained = twin.json("explain", asked["predictions"][0]["prediction_id"])
        by_name = {feature["feature"]: feature for feature in explained["features"]}
        self.assertEqual(by_name["city.people_all"]["key"], "city=Y ← person.city [user=u7]")
        self.assertEqual(by_name["kind.orders_1d"]["key"], "person.kind=b ← person.kind [user=u7]")
        self.assertEqual(str(len(by_name["kind.orders_1d"]["events"])), by_name["kind.orders_1d"]["served"])
        replayed = twin.json("plan", "--replay")["versions"][0]
        self.assertEqual((replayed["features_differ_count"], replayed["scores_differ_count"]), (0, 0))
        text = (twin.folder / "coeval.toml").read_text()
        (twin.folder / "coeval.toml").write_text(text.replace('"person.city"', '"coalesce(person.city, \'X\')"'))
        plan = twin.json("plan")[0]
        self.assertEqual([one["name"] for one in plan["changes"]["expressions"]], ["city"])
        self.assertGreater(twin.json("plan", "--replay")["versions"][0]["features_differ_count"], 0)
        # A dimension row that was changed under what was served is found.
        (twin.folder / "coeval.toml").write_text(text)
        rows = twin.folder / "people.csv"
        rows.write_text(rows.read_text().replace(",u7,", ",u7777,"))
        self.assertGreater(twin.json("audit", check=3)["differ_count"], 0)

    def test_show_feature_follows_the_chain(self):
        shown = self.project.json("show", "feature", "city.people_all", "--key", "user=u5", "--at", "2024-01-20")
        self.assertEqual(shown["key"], "city=Z ← person.city [user=u5]")
        self.assertTrue(shown["agrees"])
        direct = self.project.json("show", "feature", "city.people_all", "--key", "Z", "--at", "2024-01-20")
        self.assertEqual((direct["key"], direct["value"]), ("city=Z", shown["value"]))
        kind = self.project.json("show", "feature", "kind.amount_1d", "--key", "a", "--at", "2024-02-01")
        self.assertTrue(kind["agrees"])
        self.assertGreater(kind["inside_count"], 10)
        wrong = self.project.run("show", "feature", "city.people_all", "--key", "usr=u5", "--at", "2024-01-20",
                                 "--json", check=2)
        self.assertEqual(json.loads(wrong.stdout)["code"], "C1001")

    def test_my_own_questions_may_bring_the_key(self):
        folder = self.project.folder
        for ending in ("csv", "jsonl"):
            asked = folder / f"questions.{ending}"
            rows = [("2024-03-10T12:00:00Z", "u5", "Y"), ("2024-03-10T13:00:00Z", "nobody", "Z")]
            answers = {}
            for columns in (("at", "user"), ("at", "city")):
                picked = [{"at": row[0], "user": row[1], "city": row[2]} for row in rows]
                with open(asked, "w", encoding="utf-8") as file:
                    if ending == "csv":
                        file.write(",".join(columns) + "\n")
                    for row in picked:
                        file.write((",".join(row[c] for c in columns) if ending == "csv" else
                                    json.dumps({c: row[c] for c in columns})) + "\n")
                out = folder / "answers.csv"
                run("dataset", "-C", folder, "--features", "city", "--questions", asked, "--out", out)
                with open(out, encoding="utf-8") as file:
                    answers[columns[1]] = [int(row["city.people_all"]) for row in csv.DictReader(file)]
            count = {c: sum(one[2] == c and one[0] < datetime.datetime(2024, 3, 10, tzinfo=datetime.timezone.utc)
                            for one in people()) for c in "YZ"}
            self.assertEqual(answers["user"], [count["Z"], 0])
            self.assertEqual(answers["city"], [count["Y"], count["Z"]])
        out = folder / "answers.csv"
        asked = folder / "questions.csv"
        asked.write_text("at,user\n2024-03-10T12:00:00Z,u5\n2024-03-10T12:00:00Z,nobody\n")
        said = run("dataset", "-C", folder, "--features", "kind.amount_1d,kind.orders_1d", "--questions", asked,
                   "--out", out).stdout
        with open(out, encoding="utf-8") as file:
            first, second = csv.DictReader(file)
        self.assertEqual(first["refused"], "")
        self.assertEqual((second["refused"], second["kind.orders_1d"]), ("kind.amount_1d", ""))
        self.assertIn("1 of them are refused", said)


if __name__ == "__main__":
    unittest.main()
