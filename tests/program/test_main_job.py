"""From raw rows to an audited prediction, by the command line and over HTTP."""

import json
import socket
import unittest

from program import CUT, Project, Server, order_json, orders, wait_until


class MainJob(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.project = Project()
        cls.project.build_and_promote()

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()

    def test_a_second_build_hits_and_says_why_a_change_misses(self):
        again = self.project.run("build")
        self.assertIn("dataset hit (inputs unchanged)", again.stderr)
        self.assertIn("train hit (inputs unchanged)", again.stderr)
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        text = (twin.folder / "coeval.toml").read_text()
        (twin.folder / "coeval.toml").write_text(text.replace("max_depth = 4", "max_depth = 3"))
        plan = twin.json("plan", "--exit-code", check=4)[0]
        self.assertTrue(plan["dataset"]["hit"])
        self.assertFalse(plan["train"]["hit"])
        self.assertIn("param:max_depth", plan["train"]["why"])

    def test_show_says_what_was_built(self):
        shown = self.project.json("show", "risk")
        self.assertTrue(shown["gates_passed"])
        self.assertGreater(shown["metrics"]["test"]["auc"], 0.6)
        self.assertEqual(shown["metrics"]["runtime_differences"], 0)

    def test_june_as_live_traffic_audits_clean_in_both_modes(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        server = Server(twin)
        played = json.loads(twin.run("replay", "--from", CUT, "--to", "2024-05-01", "--url", server.url,
                                     "--json").stdout)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(played["refused_count"], 0)
        served = played["models"]["risk"]
        offline = twin.json("show", "risk")["metrics"]["test"]
        self.assertEqual(served["rows"], offline["rows"])
        self.assertEqual(served["auc"], offline["auc"])
        for mode in ([], ["--against-dataset"]):
            report = twin.json("audit", *mode)
            self.assertEqual(report["predictions_count"], served["questions_count"])
            self.assertEqual(report["differ_count"], 0)
        explained = twin.json("explain", served["last_prediction_id"])
        by_name = {feature["feature"]: feature for feature in explained["features"]}
        self.assertEqual(str(len(by_name["user.orders_14d"]["events"])), by_name["user.orders_14d"]["served"])

    def test_events_that_arrive_later_than_claimed_fail_the_audit_against_the_dataset(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        server = Server(twin)
        twin.run("replay", "--from", CUT, "--to", "2024-05-01", "--url", server.url, "--arrival",
                 "ts + hours(6)")
        server.stop()
        self.assertEqual(twin.json("audit")["differ_count"], 0)
        report = twin.json("audit", "--against-dataset", check=3)
        self.assertGreater(report["differ_count"], 0)
        first = report["differences"][0]
        self.assertTrue(first["what"].startswith("user."))
        self.assertTrue(any("not yet there when it was served" in line for line in first["explanation"]))

    def test_a_past_that_changed_under_a_prediction_is_found(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        server = Server(twin)
        moment, user, amount, _ = next(orders(8000))
        question = {"user": user, "amount": amount, "at": "2024-04-02T00:00:00Z"}
        status, answer = server.call("POST", "/v1/predict/risk?now=2024-04-02T00:00:00Z", question)
        self.assertEqual(status, 200, answer)
        status, record = server.call("GET", "/v1/predictions/" + answer["prediction_id"])
        self.assertEqual(status, 200)
        self.assertEqual(record["score"], answer["score"])
        server.stop()
        # Another event before the prediction, of the same user: the features no longer follow from the log.
        rows = twin.folder / "orders.csv"
        rows.write_text(rows.read_text() + f"2024-03-31T20:00:00.000000Z,{user},1.0,0\n")
        self.assertGreaterEqual(twin.json("audit", check=3)["differ_count"], 1)

    def test_a_server_of_a_parquet_file_stops_when_told(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        twin.run("dataset", "risk", "--out", twin.folder / "rows.parquet")
        (twin.folder / "coeval.toml").write_text("""
[project]
name = "rows"
[source.rows]
path = "rows.parquet"
time = "ts"
known = "ts + minutes(30)"
[source.rows.columns]
ts   = { type = "timestamp", known = "ts" }
user = { type = "string", known = "ts" }
[view.user]
from = "rows"
by = ["user"]
windows = ["1d"]
rows = "count()"
""")
        server = Server(twin)
        self.assertEqual(server.call("GET", "/v2/health/live")[0], 200)
        self.assertEqual(server.stop(), 0)
        self.assertFalse((twin.folder / ".coeval/server.json").exists())
        again = Server(twin)
        self.assertIn("state: snapshot", again.errors())
        self.assertEqual(again.stop(), 0)

    def test_a_dataset_for_my_own_questions(self):
        questions = self.project.folder / "questions.csv"
        questions.write_text("at,user\n2024-03-10T12:00:00Z,u7\n2024-02-10T12:00:00Z,nobody\n")
        out = self.project.folder / "features.csv"
        self.project.run("dataset", "--features", "user", "--questions", questions, "--out", out)
        lines = out.read_text().splitlines()
        self.assertEqual(len(lines), 3)
        header = lines[0].split(",")
        first, second = (dict(zip(header, line.split(","))) for line in lines[1:])
        self.assertEqual(first["user"], "nobody")  # rows come in order of time
        self.assertEqual(first["user.orders_14d"], "0")
        self.assertEqual(first["user.amount_14d"], "")
        expected = [amount for moment, user, amount, _ in orders(8000)
                    if user == "u7" and "2024-02-25T12:00:00" <= moment.strftime("%Y-%m-%dT%H:%M:%S")
                    and moment.strftime("%Y-%m-%dT%H:%M:%S.%f") < "2024-03-10T11:30:00.000000"]
        self.assertEqual(int(second["user.orders_14d"]), len(expected))

    def test_promotion_history_and_rollback(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        text = (twin.folder / "coeval.toml").read_text()
        (twin.folder / "coeval.toml").write_text(text.replace("max_depth = 4", "max_depth = 5"))
        twin.run("build")
        self.assertIn("v2", twin.run("promote", "risk").stdout)
        self.assertIn("v1", twin.run("rollback", "risk").stdout)

    def test_a_model_that_fails_its_gate_is_not_promoted(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        text = (twin.folder / "coeval.toml").read_text()
        (twin.folder / "coeval.toml").write_text(text.replace(">= 0.6", ">= 0.99"))
        twin.run("build", check=3)
        refused = twin.run("promote", "risk", check=3)
        self.assertIn("C0803", refused.stderr)

    def test_promoting_and_rolling_back_swap_the_model_of_a_running_server(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        server = Server(twin, as_of="2024-05-01")
        question = {"user": "u7", "amount": 3.5}

        def served(version):
            status, answer = server.call("POST", "/v1/predict/risk?now=2024-05-02", question)
            self.assertEqual(status, 200, answer)
            return answer["version"] == version

        self.assertTrue(served(1))
        definition = twin.folder / "coeval.toml"
        definition.write_text(definition.read_text().replace("max_depth = 4", "max_depth = 5"))
        twin.run("build")
        self.assertIn("told the server", twin.run("promote", "risk").stderr)
        wait_until(lambda: served(2))
        twin.run("rollback", "risk")
        wait_until(lambda: served(1))
        # A version whose inputs the server does not know: what was served goes on.
        definition.write_text(definition.read_text().replace('"hour", "amount"', '"hour", "weekday", "amount"'))
        twin.run("build")
        twin.run("promote", "risk")
        wait_until(lambda: "goes on" in server.errors())
        self.assertTrue(served(1))
        self.assertEqual(server.stop(), 0)
        self.assertEqual(twin.json("audit")["differ_count"], 0)

    def test_a_rollback_over_a_change_of_training_is_served_after_a_restart(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        definition = twin.folder / "coeval.toml"
        definition.write_text(definition.read_text().replace("max_depth = 4", "max_depth = 5"))
        twin.run("build")
        twin.run("promote", "risk")
        twin.run("rollback", "risk")
        server = Server(twin)
        status, answer = server.call("POST", "/v1/predict/risk?now=2024-04-02", {"user": "u7", "amount": 3.5})
        self.assertEqual((status, answer.get("version")), (200, 1))
        self.assertEqual(server.stop(), 0)

    def test_a_server_that_cannot_start_settles_nothing(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            refused = twin.run("serve", "--port", taken.getsockname()[1], "--as-of", "2024-02-01", check=1)
        self.assertIn("C0101", refused.stderr)
        self.assertIn("dataset hit", twin.run("build").stderr)

    def test_an_audit_doubts_a_source_that_changed_and_a_log_that_was_cut(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        server = Server(twin)
        server.call("POST", "/v1/predict/risk?now=2024-04-02", {"user": "u7", "amount": 3.5})
        self.assertEqual(server.stop(), 0)
        self.assertEqual(twin.json("audit")["doubts"], [])
        segment = next((twin.folder / ".coeval/log").glob("*.seg"))
        whole = segment.read_bytes()
        segment.write_bytes(whole[:-5])
        self.assertIn("after the last sound record", twin.json("audit", check=3)["doubts"][0])
        torn = twin.copy()
        self.addCleanup(torn.remove)
        reopened = Server(torn)
        self.assertRegex(reopened.errors(), r"log: [1-9]\d* bytes after the last sound record were cut off")
        self.assertEqual(reopened.stop(), 0)
        segment.write_bytes(whole)
        rows = twin.folder / "orders.csv"
        rows.write_text(rows.read_text() + "2024-04-20T20:00:00.000000Z,u299,1.0,0\n")
        report = twin.json("audit", check=3)
        self.assertEqual(report["differ_count"], 0)
        self.assertIn("orders.csv is not the file", report["doubts"][0])

    def test_a_dataset_never_overwrites_a_source(self):
        before = (self.project.folder / "orders.csv").read_bytes()
        self.project.run("dataset", "risk", "--out", self.project.folder / "orders.csv", check=2)
        self.assertEqual((self.project.folder / "orders.csv").read_bytes(), before)

    def test_the_clock_of_the_machine_serves_an_empty_present(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        server = Server(twin, clock="system", as_of="2024-05-01")
        status, answer = server.call("POST", "/v1/predict/risk?features=true", {"user": "u7", "amount": 3.5})
        self.assertEqual(status, 200, answer)
        self.assertEqual(answer["features"]["user.orders_14d"], 0)
        moment = next(orders(1))[0]
        status, answer = server.call("POST", "/v1/events/orders", order_json(moment, "u7", 2.0, 0))
        self.assertEqual(status, 200, answer)
        server.stop()
        self.assertEqual(twin.json("audit")["differ_count"], 0)


if __name__ == "__main__":
    unittest.main()
