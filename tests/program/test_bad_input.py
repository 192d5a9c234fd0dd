"""Bad input: what, where, what to do; nothing lost, no crash."""

import gzip
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import unittest

from program import COEVAL, DEFINITION, Project, Server, order_json, orders, run


class BadDefinition(unittest.TestCase):
    def check(self, definition):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        (pathlib.Path(folder.name) / "coeval.toml").write_text(definition)
        return run("check", "-C", folder.name, check=2).stderr

    def test_malformed_toml_names_the_line(self):
        text = self.check("[project]\nname = \"x\n")
        self.assertIn("error[C0301]", text)
        self.assertIn("coeval.toml:2:", text)

    def test_an_unknown_column_is_underlined_with_a_suggestion(self):
        text = self.check(DEFINITION.replace('"mean(amount)"', '"mean(amout)"'))
        self.assertIn("error[C0412]: unknown column 'amout'", text)
        self.assertIn("did you mean 'amount'?", text)
        self.assertRegex(text, r"coeval\.toml:20:\d+")
        self.assertIn("^", text)

    def test_a_wrong_type_is_refused(self):
        text = self.check(DEFINITION.replace('label    = "bad = 1"', 'label    = "bad = user"'))
        self.assertIn("error[C0413]", text)
        self.assertIn("coeval.toml:25:", text)

    def test_all_errors_come_at_once(self):
        text = self.check(DEFINITION.replace('"mean(amount)"', '"mean(amout)"').replace('"bad = 1"', '"bda = 1"'))
        self.assertIn("amout", text)
        self.assertIn("bda", text)
        self.assertIn("2 errors", text)

    def test_an_input_that_reads_the_future_is_refused_with_the_path(self):
        text = self.check(DEFINITION.replace('["hour", "amount"', '["hour", "bad", "amount"'))
        self.assertIn("error[C0501]", text)
        self.assertIn("bad", text)

    def test_a_random_split_is_refused(self):
        text = self.check(DEFINITION.replace(
            "{ train_until = 2024-03-01, validate_until = 2024-04-01, test_until = 2024-05-01 }", '"random"'))
        self.assertIn("error[C0502]", text)

    def test_a_source_must_say_when_it_is_known(self):
        text = self.check(DEFINITION.replace('known = "ts + minutes(30)"\n', ""))
        self.assertIn("error[C0503]", text)
        self.assertIn("event time", text)

    def test_a_known_time_that_is_always_null_is_refused(self):
        text = self.check(DEFINITION.replace('known = "ts + minutes(30)"', 'known = "null"'))
        self.assertIn("error[C0503]", text)
        self.assertIn("none would ever be known", text)

    def test_no_project_here(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertIn("C0306", run("check", "-C", folder, check=2).stderr)

    def test_codes_explain_themselves(self):
        self.assertIn("C0412", run("explain", "C0412").stdout)
        run("explain", "C9999", check=2)

    def test_an_unknown_verb_or_option_is_a_usage_error(self):
        self.assertIn("C1001", run("buidl", check=2).stderr)
        self.assertIn("C1001", run("check", "--nonsense", check=2).stderr)


class BadFiles(unittest.TestCase):
    def setUp(self):
        self.project = Project(count=2000)
        self.addCleanup(self.project.remove)

    def test_a_missing_file(self):
        (self.project.folder / "orders.csv").unlink()
        text = self.project.run("build", check=1).stderr
        self.assertIn("C0102", text)
        self.assertIn("orders.csv", text)

    def test_a_truncated_parquet_file(self):
        definition = self.project.folder / "coeval.toml"
        whole = self.project.folder / "whole.parquet"
        self.project.run("dataset", "risk", "--out", whole)
        definition.write_text(definition.read_text().replace("orders.csv", "orders.parquet"))
        size = whole.stat().st_size
        for length in (0, 3, 100, size // 2, size - 1):
            (self.project.folder / "orders.parquet").write_bytes(whole.read_bytes()[:length])
            text = self.project.run("build", check=1).stderr
            self.assertIn("C0201", text)
            self.assertIn("orders.parquet", text)

    def test_bad_rows_go_to_quarantine_with_their_reasons_and_nothing_is_lost(self):
        with open(self.project.folder / "orders.csv", "a", encoding="utf-8") as file:
            file.write("2024-04-02T00:00:00Z,u1,-5,0\n")
            file.write("2024-04-02T00:00:01Z,someone,5,2\n")
            file.write("2024-04-02T00:00:02Z,u1,many,0\n")
        text = self.project.run("build", check=None).stderr
        self.assertIn("2003 read = 2000 accepted + 3 quarantined + 0 duplicates", text)
        rows = [json.loads(line) for line in
                (self.project.folder / ".coeval/quarantine/orders.jsonl").read_text().splitlines()]
        self.assertEqual(len(rows), 3)
        reasons = " ".join(row["reason"] for row in rows)
        for word in ("amount", "user", "bad", "-5"):
            self.assertIn(word, reasons)
        both = next(row for row in rows if "someone" in row["raw"])
        self.assertEqual(len(both["rules"]), 2)
        self.assertEqual(sorted(row["row"] for row in rows), [2002, 2003, 2004])  # lines of the file
        told = self.project.run("dataset", "risk", "--out", self.project.folder / "rows.csv", check=None).stderr
        self.assertIn("source orders: 2003 read = 2000 accepted + 3 quarantined + 0 duplicates", told)
        self.project.run("build", check=None)
        after = (self.project.folder / ".coeval/quarantine/orders.jsonl").read_text().splitlines()
        self.assertEqual(len(after), 3)

    def test_an_infinite_input_is_named_before_the_trainer_meets_it(self):
        definition = self.project.folder / "coeval.toml"
        definition.write_text(definition.read_text().replace(
            'inputs   = ["hour",', 'inputs   = ["huge", "hour",') + '[features]\nhuge = "if(amount > 100, 1e39, amount)"\n')
        text = self.project.run("build", check=1).stderr
        self.assertRegex(text, r"C0802.*input 'huge' is infinite in \d+ of \d+ rows to train with")

    def test_serving_before_a_promotion_and_an_unwritable_output(self):
        run("dataset", "-C", self.project.folder, "risk", "--out", "/nonexistent/x.csv", check=None)
        text = run("dataset", "-C", self.project.folder, "risk", "--out", "/nonexistent/x.csv", check=1).stderr
        self.assertIn("/nonexistent", text)
        self.assertIn("C1004", self.project.run("promote", "risk", check=2).stderr)


class BadRequests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.project = Project()
        cls.project.build_and_promote()
        cls.server = Server(cls.project)

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        cls.project.remove()
        assert code == 0, code

    def refused(self, method, target, body, status, code):
        got, answer = self.server.call(method, target, body)
        self.assertEqual(got, status, answer)
        self.assertEqual(answer["code"], code, answer)
        return answer["error"]

    def test_json_with_a_wrong_type(self):
        text = self.refused("POST", "/v1/predict/risk?now=2024-04-03T00:00:00Z",
                            {"user": "u1", "amount": "12"}, 400, "C0203")
        self.assertIn("amount", text)

    def test_json_with_a_missing_key(self):
        text = self.refused("POST", "/v1/predict/risk?now=2024-04-03T00:00:00Z", {"user": "u1"}, 400, "C0204")
        self.assertIn("amount", text)

    def test_a_question_obeys_the_rules_of_its_columns(self):
        position = self.server.call("GET", "/metrics")[1].split("\ncoeval_log_position ")[1].split()[0]
        question = {"user": "someone", "amount": -5.0}
        text = self.refused("POST", "/v1/predict/risk?now=2024-04-03T00:00:00Z", question, 422, "C0601")
        self.assertEqual(text, 'amount must be at least 0, found -5; user must match u[0-9]+, found "someone"')
        _, answer = self.server.call("POST", "/v1/predict/risk?now=2024-04-03T00:00:00Z", question)
        self.assertEqual([(rule["column"], rule["rule"], rule["found"]) for rule in answer["broken_rules"]],
                         [("amount", "amount.min", -5.0), ("user", "user.pattern", "someone")])
        self.refused("POST", "/v1/predict/risk", {"user": None, "amount": "NaN", "at": "2024-04-03"}, 422, "C0601")
        after = self.server.call("GET", "/metrics")[1].split("\ncoeval_log_position ")[1].split()[0]
        self.assertEqual(after, position)  # nothing was logged

    def test_bad_questions_of_a_batch_are_named_and_the_good_ones_answered(self):
        good = {"user": "u1", "amount": 5.0}
        status, answer = self.server.call("POST", "/v1/predict/risk?now=2024-04-03T00:00:00Z",
                                          [good, {**good, "amount": 1000.5}, {"user": "u1"}, good])
        self.assertEqual(status, 200, answer)
        first, second, third, fourth = answer["predictions"]
        self.assertEqual(first["score"], fourth["score"])
        self.assertEqual((second["row"], second["code"]), (1, "C0601"))
        self.assertEqual([rule["rule"] for rule in second["broken_rules"]], ["amount.max"])
        self.assertEqual((third["row"], third["code"]), (2, "C0204"))

    def test_an_unknown_coding_of_a_body_is_refused_and_named(self):
        body = json.dumps({"user": "u1", "amount": 5.0}).encode()
        connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=30)
        self.addCleanup(connection.close)
        for target in ("/v1/predict/risk", "/v1/events/orders"):
            connection.request("POST", target, body, {"Content-Encoding": "br"})
            answer = connection.getresponse()
            text = json.loads(answer.read())
            self.assertEqual((answer.status, text["code"]), (415, "C0910"))
            self.assertIn("'br'", text["error"])
            self.assertEqual(answer.headers["Accept-Encoding"], "gzip, zstd")

    def test_a_body_that_is_packed_is_the_body_that_it_holds(self):
        body = json.dumps({"user": "u1", "amount": 5.0}).encode()
        connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=30)
        self.addCleanup(connection.close)
        scores = []
        for sent, headers in ((body, {}), (gzip.compress(body), {"Content-Encoding": "gzip"})):
            connection.request("POST", "/v1/predict/risk", sent, headers)
            answer = connection.getresponse()
            text = json.loads(answer.read())
            self.assertEqual(answer.status, 200)
            scores.append(text["score"])
        self.assertEqual(scores[0], scores[1])

    def test_a_folded_header_line_is_refused(self):
        with socket.create_connection((self.server.host, self.server.port)) as sock:
            sock.sendall(b"GET /v1/models HTTP/1.1\r\nHost: x\r\nX-Note: a\r\n b\r\n\r\n")
            answer = sock.recv(65536)
        self.assertIn(b" 400 ", answer.split(b"\r\n")[0])
        self.assertIn(b"folded", answer)

    def test_text_that_is_no_json(self):
        text = self.refused("POST", "/v1/predict/risk", "{\"user\": ", 400, "C0202")
        self.assertRegex(text, r"\d")

    def test_an_unknown_model(self):
        self.refused("POST", "/v1/predict/risky", {"user": "u1", "amount": 1}, 404, "C0901")

    def test_an_unknown_source_address_and_method(self):
        self.assertEqual(self.server.call("POST", "/v1/events/nothing", {})[0], 404)
        self.assertEqual(self.server.call("GET", "/v1/nothing")[0], 404)
        self.assertEqual(self.server.call("DELETE", "/v1/models")[0], 405)

    def test_a_question_too_far_back(self):
        self.refused("POST", "/v1/predict/risk?now=2024-04-03T00:00:00Z",
                     {"user": "u1", "amount": 1.0, "at": "2023-01-01"}, 400, "C0504")

    def test_a_body_of_a_hundred_megabytes(self):
        with socket.create_connection((self.server.host, self.server.port)) as sock:
            sock.sendall(b"POST /v1/events/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n")
            answer = sock.recv(65536)
        self.assertIn(b" 413 ", answer.split(b"\r\n")[0])
        self.assertIn(b"C0903", answer)

    def test_bad_rows_of_a_batch_are_named_and_the_good_ones_kept(self):
        moment = next(orders(1))[0].replace(month=4, day=2)
        good = order_json(moment, "u1", 5.0, 0)
        status, answer = self.server.call("POST", "/v1/events/orders?now=2024-04-04T00:00:00Z",
                                          [good, {**good, "amount": -1.0}, {**good, "user": 7}, good])
        self.assertEqual(status, 200, answer)
        self.assertEqual(answer["accepted"], 2)
        self.assertEqual([error["row"] for error in answer["errors"]], [1, 2])

    def test_one_bad_row_alone_is_422(self):
        moment = next(orders(1))[0].replace(month=4, day=2)
        status, answer = self.server.call("POST", "/v1/events/orders?now=2024-04-04T00:00:00Z",
                                          order_json(moment, "u1", -5.0, 0))
        self.assertEqual(status, 422, answer)

    def test_a_second_writer_is_refused(self):
        text = self.project.run("serve", "--port", "0", check=1).stderr
        self.assertIn("C0701", text)

    def test_health_and_metrics(self):
        self.assertEqual(self.server.call("GET", "/v2/health/ready")[0], 200)
        status, text = self.server.call("GET", "/metrics")
        self.assertEqual(status, 200)
        self.assertIn("coeval_", text)


def small_disk(folder, megabytes):
    """Mounts a tmpfs; False where this user may not."""
    return subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "coeval-test", folder],
                          capture_output=True).returncode == 0


class FullDisk(unittest.TestCase):
    def test_a_full_disk_stops_ingestion_loses_nothing_and_ends_when_there_is_room(self):
        project = Project(count=4000)
        self.addCleanup(project.remove)
        project.build_and_promote()
        log = project.folder / ".coeval/log"
        log.mkdir(parents=True, exist_ok=True)
        if os.geteuid() != 0 or not small_disk(log, 1):
            self.skipTest("mounting a small disk needs root; stores' tests inject the same fault")
        self.addCleanup(subprocess.run, ["umount", "-l", log])
        server = Server(project)
        rows = list(orders(4000))
        acknowledged = 0
        status = 200
        for start in range(0, 100):
            batch = [order_json(*row) for row in rows[start * 40:start * 40 + 400]]
            status, answer = server.call("POST", f"/v1/events/orders?now={1712016000000000 + start}", batch)
            if status != 200:
                break
            acknowledged += answer["accepted"]
        self.assertIn(status, (503, 507), answer)
        self.assertEqual(answer["code"], "C0103")
        self.assertEqual(server.call("GET", "/v1/models")[0], 200)
        # Room again: a bigger disk in place of the small one.
        subprocess.run(["mount", "-o", "remount,size=64m", log], check=True)
        status, answer = server.call("POST", "/v1/events/orders?now=1712017000000000",
                                     order_json(rows[0][0], "u1", 1.0, 0))
        self.assertEqual(status, 200, answer)
        acknowledged += 1
        status, answer = server.call("POST", "/v1/predict/risk?now=1712017000000001&features=true",
                                     {"user": "u1", "amount": 1.0})
        self.assertEqual(status, 200, answer)
        self.assertEqual(server.stop(), 0)
        # Every acknowledged event is there. Those of the refused batch may be there too: its sender was told
        # that it failed, not that it did not happen.
        (project.folder / ".coeval/snapshots").exists() and shutil.rmtree(project.folder / ".coeval/snapshots")
        again = Server(project)
        recovered = int(re.search(r"state: (\d+) events from the log", again.errors()).group(1))
        self.assertGreaterEqual(recovered, acknowledged)
        self.assertLessEqual(recovered, acknowledged + 400)
        self.assertEqual(again.stop(), 0)
        self.assertEqual(project.json("audit")["differ_count"], 0)


if __name__ == "__main__":
    unittest.main()
