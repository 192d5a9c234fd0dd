"""Datasets of the command line: as of a date, of questions that break rules, and what is approximate in them."""

import csv
import datetime
import unittest

from program import CUT, DEFINITION, Project, Server, stamp

T0 = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)


def day(count, hours=0):
    return T0 + datetime.timedelta(days=count, hours=hours)


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


PAYMENTS = """
[project]
name = "payments"
[source.orders]
path  = "orders.csv"
time  = "ts"
known = "event time"
[source.orders.columns]
ts     = { type = "timestamp" }
card   = { type = "string", known = "ts" }
amount = { type = "float64", known = "ts" }
[source.chargebacks]
path  = "chargebacks.csv"
time  = "ts"
known = "ts + days(wait)"
[source.chargebacks.columns]
ts   = { type = "timestamp" }
card = { type = "string" }
wait = { type = "int32", min = 0 }
[view.card]
from    = "orders"
by      = ["card"]
windows = ["all"]
n       = "count()"
[model.risk]
question = { from = "orders", at = "ts" }
label    = { value = "true", from = "chargebacks", by = ["card"], within = "10d" }
inputs   = ["amount", "card.*"]
split    = { train_until = 2024-03-01, validate_until = 2024-04-01, test_until = 2024-05-01 }
"""


class AsOf(unittest.TestCase):
    """An order of card c1 on day 0 is charged back on day 5, which becomes known on day 20 only: on day 10 its label is
    negative, and restated on day 20. One of c2 is charged back on day 3, known at once. One of c3 never is."""

    @classmethod
    def setUpClass(cls):
        cls.project = Project(PAYMENTS, count=1)
        (cls.project.folder / "orders.csv").write_text("ts,card,amount\n" + "".join(
            f"{stamp(day(0, hours))},{card},{hours}\n" for hours, card in ((1, "c1"), (2, "c2"), (3, "c3"))))
        (cls.project.folder / "chargebacks.csv").write_text("ts,card,wait\n" + "".join(
            f"{stamp(day(at))},{card},{wait}\n"
            for at, card, wait in ((3, "c2", 0), (5, "c1", 15), (12, "other", 0), (40, "other", 0))))

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()

    def labels(self, *arguments):
        out = self.project.folder / "dataset.csv"
        self.project.run("dataset", "risk", "--out", out, *arguments)
        return {row["card"]: row["label"] for row in rows_of(out)}

    def test_a_restated_label_has_the_value_that_was_known_then(self):
        self.assertEqual(self.labels(), {"c1": "true", "c2": "true", "c3": "false"})
        self.assertEqual(self.labels("--as-of", stamp(day(15))), {"c1": "false", "c2": "true", "c3": "false"})
        self.assertEqual(self.labels("--as-of", stamp(day(20))), {"c1": "false", "c2": "true", "c3": "false"})
        just_after = stamp(day(20) + datetime.timedelta(microseconds=1))
        self.assertEqual(self.labels("--as-of", just_after), {"c1": "true", "c2": "true", "c3": "false"})

    def test_a_label_that_was_not_decided_then_is_none(self):
        self.assertEqual(self.labels("--as-of", stamp(day(4))), {"c1": "", "c2": "true", "c3": ""})

    def test_rows_that_were_not_known_then_are_not_there(self):
        self.assertEqual(list(self.labels("--as-of", stamp(day(0, 3)))), ["c1", "c2"])


class QuestionRules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.project = Project(count=300)

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()

    def ask(self, features, text, check):
        questions = self.project.folder / "questions.csv"
        questions.write_text(text)
        return self.project.run("dataset", "--features", features, "--questions", questions,
                                "--out", self.project.folder / "x.csv", check=check)

    def test_questions_obey_the_rules_that_the_server_holds_them_to(self):
        good = "at,user\n2024-03-10T12:00:00Z,u7\n2024-02-10T12:00:00Z,u999\n"
        self.ask("user", good, check=0)
        said = self.ask("user", good + "2024-02-11T12:00:00Z,somebody\n", check=3).stderr
        self.assertIn("C0601", said)
        self.assertIn('row 2: user must match u[0-9]+, found "somebody"', said)
        self.assertIn("questions.csv", said)

    def test_those_of_a_model_obey_the_rules_of_its_source(self):
        said = self.ask("risk", "at,ts,user,amount\n2024-03-10,2024-03-10,u1,5\n2024-03-10,2024-03-10,u2,1000.5\n"
                                "2024-03-10,2024-03-10,u3,-1\n", check=3).stderr
        self.assertIn("2 questions break the declared rules", said)
        self.assertIn("row 1: amount must be at most 1000, found 1000.5", said)
        self.assertIn("row 2: amount must be at least 0, found -1", said)

    def test_nothing_is_written_of_refused_questions(self):
        out = self.project.folder / "x.csv"
        out.unlink(missing_ok=True)
        self.ask("user", "at,user\n2024-03-10T12:00:00Z,nobody\n", check=3)
        self.assertFalse(out.exists())


def moment_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


# Every order has a time of its own, so that there are more than 1,024 distinct ones after a while.
SHOP = DEFINITION.replace('["hour", "amount", "user.*"]', '["hour", "amount", "user.*", "shop.*"]') + """
[view.shop]
from    = "orders"
by      = []
windows = ["2h", "all"]
times   = "distinct(ts)"
typical = "mode(if(amount < 5, 0, (ts - timestamp '2024-01-01') / 1s))"
"""


class Approximate(unittest.TestCase):
    """semantics: A4. What a sketch answered is named, and nothing else is."""

    NAMES = "shop.times_all,shop.typical_all"

    @classmethod
    def setUpClass(cls):
        cls.project = Project(SHOP)
        cls.project.build_and_promote()

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()

    def test_a_dataset_names_them_row_by_row(self):
        out = self.project.folder / "dataset.csv"
        self.project.run("dataset", "risk", "--out", out)
        rows = sorted(rows_of(out), key=lambda row: moment_of(row["ts"]))
        self.assertEqual({row["approximate"] for row in rows[:900]}, {""})
        self.assertEqual({row["approximate"] for row in rows[1200:]}, {self.NAMES})
        times = [moment_of(row["ts"]) for row in rows[:900]]
        self.assertEqual([int(row["shop.times_all"] or 0) for row in rows[:900]],
                         [sum(other < time - datetime.timedelta(minutes=30) for other in times) for time in times])

    def test_and_so_does_one_of_features(self):
        questions = self.project.folder / "questions.csv"
        questions.write_text("at\n2024-01-02T00:00:00Z\n2024-04-01T00:00:00Z\n")
        out = self.project.folder / "features.csv"
        self.project.run("dataset", "--features", "shop", "--questions", questions, "--out", out)
        self.assertEqual([row["approximate"] for row in rows_of(out)], ["", self.NAMES])
        self.project.run("dataset", "--features", "user.orders_1d", "--questions", self.with_users(), "--out", out)
        self.assertNotIn("approximate", rows_of(out)[0])

    def with_users(self):
        questions = self.project.folder / "users.csv"
        questions.write_text("at,user\n2024-04-01T00:00:00Z,u7\n")
        return questions

    def test_predictions_name_them_and_audit_clean(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        server = Server(twin)
        status, answer = server.call("POST", "/v1/predict/risk?now=2024-04-02T00:00:00Z",
                                     {"user": "u7", "amount": 5.0})
        self.assertEqual(status, 200, answer)
        self.assertEqual(answer["approximate"], self.NAMES.split(","))
        status, logged = server.call("GET", "/v1/predictions/" + answer["prediction_id"])
        self.assertEqual(status, 200, logged)
        self.assertEqual(logged["approximate"], self.NAMES.split(","))
        self.assertEqual(server.stop(), 0)
        self.assertEqual(twin.json("audit")["differ_count"], 0)

    def test_predictions_of_exact_features_have_no_word_about_it(self):
        early = self.project.copy()
        self.addCleanup(early.remove)
        server = Server(early, as_of="2024-01-05")
        status, answer = server.call("POST", "/v1/predict/risk?now=2024-01-05T01:00:00Z", {"user": "u7", "amount": 5.0})
        self.assertEqual(status, 200, answer)
        self.assertNotIn("approximate", answer)
        self.assertNotIn("approximate", server.call("GET", "/v1/predictions/" + answer["prediction_id"])[1])
        self.assertEqual(server.stop(), 0)

    def test_show_feature_agrees_above_the_cap_and_says_so(self):
        for feature in ("shop.times_all", "shop.typical_all"):
            answer = self.project.json("show", "feature", feature, "--at", "2024-04-01")
            self.assertTrue(answer["agrees"], answer["arithmetic"])
            self.assertIn("approximate", " ".join(answer["arithmetic"]))
        answer = self.project.json("show", "feature", "shop.times_2h", "--at", "2024-04-01")
        self.assertTrue(answer["agrees"])
        self.assertNotIn("approximate", " ".join(answer["arithmetic"]))


class Arrival(unittest.TestCase):
    def test_an_expression_of_arrival_knows_the_definitions_constants(self):
        project = Project(DEFINITION + "\n[constants]\ngrace = 5\n", count=20)
        self.addCleanup(project.remove)
        said = project.run("replay", "--from", CUT, "--to", "2024-05-01", "--url", "http://127.0.0.1:9", "--arrival",
                           "ts + minutes(grace)", check=None).stderr
        self.assertNotIn("grace", said)
        self.assertNotIn("C04", said)
        said = project.run("replay", "--from", CUT, "--to", "2024-05-01", "--url", "http://127.0.0.1:9", "--arrival",
                           "ts + minutes(graze)", check=None).stderr
        self.assertIn("graze", said)


if __name__ == "__main__":
    unittest.main()
