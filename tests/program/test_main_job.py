"""From raw rows to an audited prediction, by the command line and over HTTP."""

import hashlib
import json
import pathlib
import shutil
import socket
import sqlite3
import unittest

from program import CUT, DEFINITION, Project, Server, order_json, orders, run, wait_until


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
        questions.write_text("at,user\n2024-03-10T12:00:00Z,u7\n2024-02-10T12:00:00Z,u999\n")
        out = self.project.folder / "features.csv"
        self.project.run("dataset", "--features", "user", "--questions", questions, "--out", out)
        lines = out.read_text().splitlines()
        self.assertEqual(len(lines), 3)
        header = lines[0].split(",")
        first, second = (dict(zip(header, line.split(","))) for line in lines[1:])
        self.assertEqual(first["user"], "u999")  # rows come in order of time
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

    def test_a_model_that_waits_for_its_promotion_says_so(self):
        twin = Project()
        self.addCleanup(twin.remove)
        question = {"user": "u7", "amount": 3.5}
        server = Server(twin, as_of="2024-05-01")
        status, answer = server.call("POST", "/v1/predict/risk", question)
        self.assertEqual(status, 404)
        self.assertIn("no built version", answer["error"])
        self.assertIn("coeval build risk", answer["advice"])
        self.assertEqual(server.stop(), 0)
        twin.run("build")
        server = Server(twin, as_of="2024-05-01")
        self.assertIn("no version of model 'risk' is promoted (1 is built)", server.errors())
        status, answer = server.call("POST", "/v1/predict/risk", question)
        self.assertEqual((status, answer["code"]), (404, "C0901"))
        self.assertEqual(answer["error"], "no version of model 'risk' is promoted (1 is built)")
        self.assertEqual(answer["advice"], "coeval promote risk")
        self.assertIn("coeval promote risk", server.call("GET", "/")[1])
        model, = server.call("GET", "/v1/models")[1]["models"]
        self.assertEqual((model["name"], model["ready"], model["code"]), ("risk", False, "C0901"))
        twin.run("promote", "risk")
        wait_until(lambda: server.call("POST", "/v1/predict/risk?now=2024-05-02", question)[0] == 200)
        self.assertEqual(server.stop(), 0)

    # A model that reads strings, so that its dictionary decides scores.
    def project_with_a_dictionary(self):
        project = Project(DEFINITION.replace('["hour", "amount", "user.*"]', '["hour", "amount", "user", "user.*"]'))
        self.addCleanup(project.remove)
        project.build_and_promote()
        return project, next((project.folder / ".coeval/models/risk").iterdir())

    def forge(self, model, name, what, by):
        """Changes a file of a model's folder and the checksums with it."""
        text = (model / name).read_text()
        self.assertIn(what, text)
        (model / name).write_text(text.replace(what, by, 1))
        sums = [f"{hashlib.sha256((model / file).read_bytes()).hexdigest()}  {file}\n"
                for file in ("model.ubj", "encoder.json", "model.json", "metrics.json", "golden.bin")]
        (model / "sha256sums").write_text("".join(sums))

    def test_a_forged_file_of_a_model_is_refused_wherever_it_would_be_used(self):
        twin, model = self.project_with_a_dictionary()
        server = Server(twin)
        question = {"user": "u7", "amount": 3.5}
        self.assertEqual(server.call("POST", "/v1/predict/risk?now=2024-04-02", question)[0], 200)
        self.assertEqual(server.stop(), 0)
        built = {path.name: path.read_bytes() for path in model.iterdir()}
        for name, what, by in (("encoder.json", '"u0"', '"u00"'), ("model.json", '"threshold": 0.5', '"threshold": 0.9'),
                               ("metrics.json", '"auc": 0.', '"auc": 0.9')):
            self.forge(model, name, what, by)
            for verb in (["audit"], ["serve", "--port", "0"]):
                refused = twin.run(*verb, check=1)
                self.assertIn("error[C0801]: the folder is not the one that was registered", refused.stderr)
            finding, = [one for one in twin.json("doctor", check=3) if one["subject"] == "risk@v1"]
            self.assertFalse(finding["sound"])
            for path in model.iterdir():
                path.write_bytes(built[path.name])
            self.assertEqual(twin.json("audit")["differ_count"], 0)

    def test_building_again_mends_a_forged_model(self):
        twin, model = self.project_with_a_dictionary()
        encoder = (model / "encoder.json").read_bytes()
        self.forge(model, "encoder.json", '"u0"', '"u00"')
        plan, = twin.json("plan", "--exit-code", check=4)
        self.assertTrue(plan["dataset"]["hit"])
        self.assertFalse(plan["train"]["hit"])
        self.assertIn("not the one that was registered", plan["train"]["why"])
        self.assertIn("moved to", twin.run("build").stderr)
        self.assertEqual((model / "encoder.json").read_bytes(), encoder)
        self.assertEqual(twin.json("show")[0]["versions_count"], 1)
        self.assertIn("train hit", twin.run("build").stderr)
        server = Server(twin)
        self.assertIn("model risk@v1: loaded", server.errors())
        self.assertEqual(server.stop(), 0)

    def test_a_version_of_before_manifests_is_served_as_it_was(self):
        twin, model = self.project_with_a_dictionary()
        meta = sqlite3.connect(twin.folder / ".coeval/meta.sqlite")
        meta.executescript("DROP TABLE model_manifests; PRAGMA user_version = 1;")
        meta.close()
        self.assertEqual(twin.json("show", "risk")["manifest_id"], "")
        finding, = [one for one in twin.json("doctor") if one["subject"] == "risk@v1"]
        self.assertIn("not recorded", finding["finding"])
        server = Server(twin)
        self.assertEqual(server.call("POST", "/v1/predict/risk?now=2024-04-02", {"user": "u7", "amount": 3.5})[0], 200)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(twin.json("audit")["differ_count"], 0)
        shutil.rmtree(twin.folder / ".coeval/log")
        shutil.rmtree(model)
        self.assertIn("its output was missing", twin.run("build").stderr)
        self.assertEqual(len(twin.json("show", "risk")["manifest_id"]), 64)

    def test_replay_looks_at_the_server_before_it_sends_anything(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        server = Server(twin, clock="system", as_of="2024-05-01")
        refused = twin.run("replay", "--from", CUT, "--to", "2024-05-01", "--url", server.url, check=2)
        self.assertIn("machine's clock", refused.stderr)
        self.assertIn(f"coeval serve --clock data --as-of {CUT}", refused.stderr)
        self.assertNotIn("AUC", refused.stdout)
        metrics = server.call("GET", "/metrics")[1]
        self.assertNotIn('route="/v1/predict/{model}"', metrics)
        self.assertNotIn('route="/v1/events/{source}"', metrics)
        self.assertEqual(server.stop(), 0)
        other = Project()
        self.addCleanup(other.remove)
        server = Server(other)
        refused = twin.run("replay", "--from", CUT, "--to", "2024-05-01", "--url", server.url, check=2)
        self.assertIn("does not serve model 'risk': model 'risk' has no built version", refused.stderr)
        self.assertEqual(server.stop(), 0)
        self.assertIn("C0907", twin.run("replay", "--from", CUT, "--to", "2024-05-01", "--url", server.url,
                                        check=1).stderr)

    def test_the_server_tells_its_version_and_its_address(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        server = Server(twin)
        version = run("--version").stdout.split()[1]
        self.assertEqual(server.call("GET", "/v2")[1], {"name": "coeval", "version": version, "extensions": []})
        described = (pathlib.Path(__file__).parents[2] / "docs/openapi.yaml").read_text()
        self.assertIn(f"\n  version: {version}\n", described)
        self.assertIn(f"curl -s &#39;{server.url}/v1/predict/risk&#39;", server.call("GET", "/")[1])
        self.assertEqual(server.stop(), 0)

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
