"""The verbs that look: show feature, plan with what a change means, plan --replay, explain of a code."""

import datetime
import fractions
import json
import statistics
import unittest

from program import DEFINITION, Project, Server, order_json, run, stamp

T0 = datetime.datetime(2024, 1, 10, 12, tzinfo=datetime.timezone.utc)

SHOP = """
[project]
name = "shop"
[source.orders]
path  = "orders.csv"
time  = "ts"
known = "ts + minutes(wait)"
[source.orders.columns]
ts     = { type = "timestamp", known = "ts" }
user   = { type = "string", known = "ts" }
city   = { type = "string", known = "ts" }
wait   = { type = "int32", known = "ts" }
amount = { type = "float64", nullable = true }
[view.user]
from     = "orders"
by       = ["user", "city"]
windows  = ["3h", "1d"]
lateness = "1d"
n        = "count()"
sum      = "sum(amount)"
mean     = "mean(amount)"
big      = "count(amount) where amount > 10"
var      = "var(amount)"
median   = "quantile(amount, 0.5)"
"""


def minutes(count):
    return datetime.timedelta(minutes=count)


class ShowFeature(unittest.TestCase):
    # (minutes before T0, user, city, wait, amount); line 2 of the file is the first.
    ROWS = [(180, "u1", "X", 0, 1.5),      # at the window's begin
            (181, "u1", "X", 0, 100.0),    # a minute too early
            (60, "u1", "X", 30, 20.0),
            (50, "u1", "X", 49, 0.1),
            (50, "u1", "X", 50, 7.0),      # known at T0
            (0, "u1", "X", 0, 8.0),        # at T0
            (10, "u1", "X", 0, ""),        # null
            (10, "u1", "Y", 0, 9.0),       # another key
            (10, "u2", "X", 0, 9.0),       # another key
            (5000, "u1", "X", 4000, 3.0)]  # 4,000 minutes late, of 2,880 allowed

    @classmethod
    def setUpClass(cls):
        cls.project = Project(SHOP, count=1)
        with open(cls.project.folder / "orders.csv", "w", encoding="utf-8") as file:
            file.write("ts,user,city,wait,amount\n")
            for before, user, city, wait, amount in cls.ROWS:
                file.write(f"{stamp(T0 - minutes(before))},{user},{city},{wait},{amount}\n")

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()

    def show(self, feature, *arguments, key="u1,X"):
        return self.project.json("show", "feature", feature, "--key", key, "--at", stamp(T0), *arguments)

    def lines(self, events):
        return [int(event["place"].rsplit(" ", 1)[1]) for event in events]

    def test_each_event_is_inside_or_excluded_for_a_reason(self):
        answer = self.show("user.mean_3h")
        self.assertEqual((answer["from"], answer["to"]), ("2024-01-10T09:00:00Z", "2024-01-10T12:00:00Z"))
        self.assertEqual(answer["key"], "user=u1, city=X")
        self.assertEqual(self.lines(answer["inside"]), [2, 4, 5])
        self.assertEqual([event["value"] for event in answer["inside"]], ["1.5", "20", "0.1"])
        reasons = {one["reason"]: (one["count"], self.lines(one["events"])) for one in answer["excluded"]}
        self.assertEqual(reasons, {
            "event time is before the window's begin": (1, [3]),
            "not yet known at T": (1, [6]),
            "event time is at or after the window's end": (1, [7]),
            "argument is null": (1, [8]),
            "late beyond retention: dropped": (1, [11])})
        self.assertEqual(answer["value"], float(sum(map(fractions.Fraction, (1.5, 20.0, 0.1))) / 3))
        self.assertEqual(answer["value"], answer["kernel_value"])
        self.assertTrue(answer["agrees"])

    def test_values_are_those_of_other_peoples_arithmetic(self):
        inside = [1.5, 20.0, 0.1]
        self.assertEqual(self.show("user.n_3h")["value"], 4)  # count() takes the row with the null too
        self.assertEqual(self.show("user.big_3h")["value"], 1)
        self.assertEqual(self.show("user.median_3h")["value"], statistics.median(inside))
        self.assertAlmostEqual(self.show("user.var_3h")["value"], statistics.variance(inside), places=12)
        self.assertEqual(self.show("user.sum_1d")["value"], float(sum(map(fractions.Fraction, inside + [100.0]))))
        self.assertEqual(self.show("user.n_3h", key="nobody,X")["value"], 0)
        self.assertIsNone(self.show("user.mean_3h", key="nobody,X")["value"])

    def test_where_is_a_reason_too(self):
        answer = self.show("user.big_3h")
        reasons = {one["reason"]: one["count"] for one in answer["excluded"]}
        self.assertEqual(reasons["where is not true"], 3)  # 1.5, 0.1 and the null

    def test_text_ends_with_the_comparison(self):
        text = self.project.run("show", "feature", "user.mean_3h", "--key", "user=u1", "--key", "city=X", "--at",
                                stamp(T0)).stdout
        self.assertIn("window [2024-01-10T09:00:00Z, 2024-01-10T12:00:00Z)", text)
        self.assertIn("excluded, not yet known at T: 1", text)
        self.assertIn("/ 3, rounded once = 7.2", text)
        self.assertTrue(text.endswith("both agree bit for bit\n"), text)

    def test_long_lists_are_cut_unless_all_is_asked_for(self):
        many = Project(SHOP, count=1)
        self.addCleanup(many.remove)
        with open(many.folder / "orders.csv", "w", encoding="utf-8") as file:
            file.write("ts,user,city,wait,amount\n")
            for i in range(60):
                file.write(f"{stamp(T0 - minutes(300 + i))},u1,X,0,1\n")
                file.write(f"{stamp(T0 - minutes(1 + i))},u1,X,0,\n")
        ask = ("show", "feature", "user.sum_3h", "--key", "u1,X", "--at", stamp(T0))
        for extra, before, null in (((), 5, 20), (("--all",), 60, 60)):
            listed = {one["reason"]: (one["count"], len(one["events"])) for one in many.json(*ask, *extra)["excluded"]}
            self.assertEqual(listed["event time is before the window's begin"], (60, before))
            self.assertEqual(listed["argument is null"], (60, null))
        self.assertIn("of which 5 (--all lists every one)", many.run(*ask).stdout)

    def test_questions_that_cannot_be_put_are_refused(self):
        def code(*arguments):
            return json.loads(self.project.run("show", *arguments, "--json", check=2).stdout)["code"]
        self.assertEqual(code("feature", "user.meen_3h", "--key", "u1,X", "--at", "2024-01-10"), "C0411")
        self.assertEqual(code("feature", "user.mean_3h", "--key", "u1", "--at", "2024-01-10"), "C1001")
        self.assertEqual(code("feature", "user.mean_3h", "--key", "u1,X"), "C1001")
        self.assertEqual(code("feature", "user.mean_3h", "--key", "u1,X", "--at", "noon"), "C0203")
        self.assertEqual(code("risk", "user.mean_3h"), "C1001")


class Plan(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.project = Project()
        cls.project.build_and_promote()
        cls.built = cls.project.copy()
        server = Server(cls.project)
        for i in range(40):
            moment = datetime.datetime(2024, 4, 2, tzinfo=datetime.timezone.utc) + minutes(i)
            at = stamp(moment)
            status, answer = server.call("POST", f"/v1/predict/risk?now={at}",
                                         {"ts": at, "user": f"u{i}", "amount": 3.5 + i})
            assert status == 200, answer
            event = order_json(moment - minutes(45), f"u{i + 1}", 500.0, 1)
            status, answer = server.call("POST", f"/v1/events/orders?now={stamp(moment + minutes(0.5))}", event)
            assert status == 200, answer
        assert server.stop() == 0

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()
        cls.built.remove()

    def changed(self, *edits, served=False):
        """A copy with another definition: as built, or with the log of a server too."""
        twin = (self.project if served else self.built).copy()
        self.addCleanup(twin.remove)
        text = DEFINITION
        for old, new in edits:
            self.assertIn(old, text)
            text = text.replace(old, new)
        (twin.folder / "coeval.toml").write_text(text)
        return twin

    def test_without_a_change_nothing_is_pending(self):
        twin = self.changed(("max_depth = 4", "max_depth  =  4   # as before"))
        plan, = twin.json("plan", "--exit-code")
        self.assertFalse(plan["pending"])
        self.assertNotIn("changes", plan)
        self.assertTrue(plan["champion"]["can_be_served"])
        self.assertEqual(twin.run("plan").stdout.count("\n"), 2)

    def test_a_changed_aggregate_with_what_follows_from_it(self):
        twin = self.changed(('"mean(amount)"', '"mean(amount) where amount > 20"'), ('"1d", "14d"', '"1d", "14d", "30d"'),
                            ('"hour", ', ""))
        plan, = twin.json("plan", "--exit-code", check=4)
        self.assertTrue(plan["pending"])
        self.assertEqual(plan["compared_with"], 1)
        changes = plan["changes"]
        features = {one["name"]: one["change"] for one in changes["features"]}
        self.assertEqual(features["user.amount_1h"], "changed")
        self.assertEqual(features["user.orders_30d"], "added")
        self.assertNotIn("user.orders_1h", features)
        amount = next(one for one in changes["features"] if one["name"] == "user.amount_1h")
        self.assertIn("where", amount["after"])
        self.assertNotIn("where", amount["before"])
        inputs = {one["name"]: one["change"] for one in changes["inputs"]}
        self.assertEqual(inputs["hour"], "removed")
        self.assertEqual(inputs["user.amount_30d"], "added")
        self.assertIn("user.amount_14d", changes["columns_recomputed"])
        self.assertNotIn("amount", changes["columns_recomputed"])
        state, = plan["state"]
        self.assertEqual(state["view"], "user")
        self.assertEqual(state["entities_count"], 300)
        self.assertGreater(state["events_count"], 500)
        self.assertGreater(state["state_bytes"], 24 * state["events_count"])
        self.assertFalse(plan["champion"]["can_be_served"])
        text = twin.run("plan").stdout
        self.assertIn("feature user.amount_1h changed\n    - mean(amount) float64 over 1h\n", text)
        self.assertIn("view user.longest_window changed\n    - 14d\n    + 30d\n", text)
        self.assertIn("input hour removed", text)
        self.assertIn("state of view user is built anew: about", text)
        self.assertIn("champion risk@v1 cannot be served under this definition", text)

    def test_training_alone_leaves_the_champion_and_the_state(self):
        twin = self.changed(("max_depth = 4", "max_depth = 3"), ('auc = ">= 0.6"', 'auc = ">= 0.55"'))
        plan, = twin.json("plan", "--exit-code", check=4)
        self.assertEqual({one["name"] for one in plan["changes"]["settings"]}, {"param max_depth", "gate auc"})
        self.assertEqual(plan["changes"]["columns_recomputed"], [])
        self.assertEqual(plan["state"], [])
        self.assertTrue(plan["champion"]["can_be_served"])
        self.assertIn("can go on being served", twin.run("plan").stdout)

    def test_state_of_a_source_without_its_file_is_of_unknown_size(self):
        twin = self.changed(('"mean(amount)"', '"sum(amount)"'), ('path  = "orders.csv"', ""))
        done = twin.run("plan", "--json", check=None)
        if done.returncode == 0:
            state, = json.loads(done.stdout)[0]["state"]
            self.assertIsNone(state["state_bytes"])
            self.assertIn("no file", state["unknown"])

    def test_new_data_is_pending_but_no_change_of_the_definition(self):
        plan, = self.project.json("plan", "--exit-code", check=4)
        self.assertEqual(plan["dataset"]["why"], "changed: cut, log")
        self.assertEqual([plan["changes"][part] for part in ("features", "inputs", "settings")], [[], [], []])
        self.assertTrue(plan["champion"]["can_be_served"])

    def test_a_build_settles_what_was_pending(self):
        twin = self.changed(("max_depth = 4", "max_depth = 3"))
        twin.run("build")
        plan, = twin.json("plan", "--exit-code")
        self.assertFalse(plan["pending"])

    def test_replaying_the_same_definition_gives_the_same_predictions(self):
        report = self.project.json("plan", "--replay")
        version, = report["versions"]
        self.assertEqual(version["predictions_count"], 40)
        self.assertEqual((version["features_differ_count"], version["scores_differ_count"],
                          version["decisions_differ_count"], version["examples"]), (0, 0, 0, []))
        later = self.project.json("plan", "--replay", "--since", "2024-04-02T00:30:00")
        self.assertEqual(later["predictions_count"], 10)

    def test_replaying_a_change_counts_and_shows_what_differs(self):
        twin = self.changed(('"mean(amount)"', '"mean(amount) where amount > 20"'), served=True)
        version, = twin.json("plan", "--replay")["versions"]
        self.assertTrue(version["comparable"])
        self.assertGreater(version["features_differ_count"], 20)
        self.assertGreater(version["scores_differ_count"], 0)
        self.assertEqual(len(version["examples"]), 5)
        for example in version["examples"]:
            self.assertNotEqual(example["score_before"], example["score_after"])
            # The same value as the plain scan finds under the new definition, at that time.
            user = twin.json("explain", example["prediction_id"])["features"][0]["key"].removeprefix("user=")
            shown = twin.json("show", "feature", example["feature"], "--key", user, "--at", example["at"])
            self.assertTrue(shown["agrees"])
            if shown["value"] is None:
                self.assertEqual(example["after"], "null")
            else:
                self.assertEqual(float(example["after"]), shown["value"])
        text = twin.run("plan", "--replay").stdout
        self.assertIn("risk@v1: 40 logged predictions", text)

    def test_another_threshold_changes_decisions_and_no_score(self):
        twin = self.changed(('trainer  = "xgboost"', 'trainer  = "xgboost"\nthreshold = 0.000001'), served=True)
        version, = twin.json("plan", "--replay")["versions"]
        self.assertEqual(version["scores_differ_count"], 0)
        self.assertGreater(version["decisions_differ_count"], 0)
        self.assertFalse(version["examples"][0]["decision_before"])
        self.assertTrue(version["examples"][0]["decision_after"])

    def test_inputs_that_are_gone_are_said_to_be(self):
        twin = self.changed(('"hour", ', ""), served=True)
        version, = twin.json("plan", "--replay")["versions"]
        self.assertFalse(version["comparable"])
        self.assertEqual(version["why_not"], ["input 'hour' is gone"])
        self.assertIn("cannot be computed under this definition", twin.run("plan", "--replay").stdout)

    def test_an_empty_log_is_said_to_be_empty(self):
        fresh = Project(count=10)
        self.addCleanup(fresh.remove)
        self.assertIn("no predictions are logged", fresh.run("plan", "--replay").stdout)
        self.assertEqual(fresh.json("plan", "--replay")["predictions_count"], 0)
        self.assertFalse((fresh.folder / ".coeval").exists())

    def test_since_belongs_to_replay(self):
        self.project.run("plan", "--since", "2024-04-02", check=2)


class Explain(unittest.TestCase):
    def test_a_code_says_what_it_means_and_what_to_do(self):
        text = run("explain", "C0501").stdout
        self.assertIn("leak", text)
        self.assertIn("for example: ", text)
        answer = json.loads(run("explain", "C0416", "--json").stdout)
        self.assertGreater(answer["details"].count(". "), 0)
        self.assertIn("90min", answer["example"])

    def test_without_an_argument_it_lists_every_code(self):
        text = run("explain").stdout
        codes = json.loads(run("explain", "--json").stdout)
        self.assertEqual(len(codes), text.count("\n"))
        self.assertGreater(len(codes), 50)
        for code in codes:
            self.assertIn(code["code"], text)
            self.assertTrue(code["details"].endswith("."), code)


