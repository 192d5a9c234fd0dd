"""Amounts as decimals, and columns taken out of JSON, from the file to the audited prediction."""

import json
import unittest
from decimal import Decimal

from program import CUT, Project, Server, orders, stamp

DEFINITION = """
[project]
name = "payments"

[source.payments]
path  = "payments.jsonl"
time  = "ts"
known = "ts + minutes(30)"
[source.payments.columns]
ts      = { type = "timestamp", known = "ts" }
payload = { type = "string", known = "ts" }
user    = { type = "string", json = "payload.user.id", pattern = "u[0-9]+" }
amount  = { type = "decimal(12,2)", json = "payload.lines[0].amount", min = 0.01, max = "1000" }
note    = { type = "string", nullable = true, json = 'payload."a note"' }
bad     = { type = "int32", min = 0, max = 1 }

[view.user]
from    = "payments"
by      = ["user"]
windows = ["1d", "14d"]
n       = "count()"
spent   = "sum(amount)"
usual   = "quantile(amount, 0.5)"
twice   = "sum(amount * 2) where amount > decimal '1.00'"
bad     = "mean(bad = 1)"

[model.risk]
question = { from = "payments", at = "ts" }
label    = "bad = 1"
inputs   = ["hour", "amount", "user.*", "amount - user.usual_14d"]
trainer  = "xgboost"
split    = { train_until = 2024-03-01, validate_until = 2024-04-01, test_until = 2024-05-01 }
gate     = { auc = ">= 0.6" }
[model.risk.params]
max_depth = 4
rounds = 10
"""


def payload(user, amount, note=None):
    text = f'{{"user": {{"id": "{user}"}}, "lines": [{{"amount": {amount:.2f}}}]'
    return text + (f', "a note": {json.dumps(note)}}}' if note else "}")


class Payments(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.project = Project(DEFINITION, count=1)
        with open(cls.project.folder / "payments.jsonl", "w", encoding="utf-8") as file:
            for i, (moment, user, amount, bad) in enumerate(orders(6000)):
                held = payload(user, max(amount, 0.01))
                if i % 2:
                    held = json.dumps(held)  # as text, not as an object
                file.write(f'{{"ts": "{stamp(moment)}", "payload": {held}, "bad": {bad}}}\n')
            for held in ('{"user": {"id": "u1"}, "lines": [{"amount": 1.005}]}', '{"user": {"id": 7}}',
                         '{"user": "u1", "lines": [{"amount": 1}]}', '"{"',
                         '{"user": {"id": "u1"}, "lines": [{"amount": 0.00}]}', '{"lines": [{"amount": 1}]}'):
                file.write(f'{{"ts": "2024-01-02T00:00:00Z", "payload": {held}, "bad": 0}}\n')
        cls.project.build_and_promote()

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()

    def test_rows_whose_json_is_wrong_are_set_aside_with_the_path(self):
        lines = (self.project.folder / ".coeval/quarantine/payments.jsonl").read_text().splitlines()
        reasons = [json.loads(line)["reason"] for line in lines]
        self.assertEqual(len(reasons), 6, reasons)
        for part in ("amount: payload.lines[0].amount: does not fit decimal(12,2): 1.005",
                     "user: payload.user.id: expected string, found an integer: 7",
                     "user: payload.user: expected an object, found a string", "payload: ",
                     "amount must be at least 0.01, found 0.00", "user must not be null"):
            self.assertTrue(any(part in reason for reason in reasons), (part, reasons))

    def test_traffic_audits_clean_and_the_arithmetic_is_shown(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        server = Server(twin)
        played = json.loads(twin.run("replay", "--from", CUT, "--to", "2024-04-20", "--url", server.url,
                                     "--json").stdout)
        self.assertEqual(played["refused_count"], 0, played)
        self.assertGreater(played["models"]["risk"]["questions_count"], 100)
        status, answer = server.call("POST", "/v1/predict/risk?now=2024-04-20T00:00:00Z&features=true", {
            "payload": {"user": {"id": "u7"}, "lines": [{"amount": "12.30"}]}, "at": "2024-04-20T00:00:00Z"})
        self.assertEqual(status, 200, answer)
        status, record = server.call("GET", "/v1/predictions/" + answer["prediction_id"])
        self.assertEqual(record["question"], {"amount": 12.3, "user": "u7"})
        self.assertEqual(server.stop(), 0)
        for mode in ([], ["--against-dataset"]):
            self.assertEqual(twin.json("audit", *mode)["differ_count"], 0)
        shown = twin.json("show", "feature", "user.spent_14d", "--key", "u7", "--at", "2024-03-10T00:00:00Z")
        rows = [(moment, Decimal(f"{max(amount, 0.01):.2f}")) for moment, user, amount, _ in orders(6000)
                if user == "u7" and "2024-02-25T00:00:00" <= moment.strftime("%Y-%m-%dT%H:%M:%S")
                and moment.strftime("%Y-%m-%dT%H:%M:%S.%f") < "2024-03-09T23:30:00.000000"]
        self.assertEqual(Decimal(str(shown["value"])), sum(amount for _, amount in rows))
        self.assertEqual(shown["value"], shown["kernel_value"])

    def test_events_and_questions_say_what_is_wrong_with_their_json(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        server = Server(twin)
        event = {"ts": "2024-04-01T10:00:00Z", "bad": 0}
        for held, reason in [
                ({"user": {"id": "u1"}, "lines": [{"amount": 0.001}]}, "payload.lines[0].amount: does not fit"),
                ({"user": {"id": "u1"}, "lines": {}}, "payload.lines: expected an array, found an object"),
                ('{"user": ', "payload: "), ({"lines": [{"amount": 1}]}, "user must not be null")]:
            status, answer = server.call("POST", "/v1/events/payments?now=2024-04-01T10:00:00Z",
                                         event | {"payload": held})
            self.assertEqual(status, 422, answer)
            self.assertIn(reason, answer["error"])
        status, answer = server.call("POST", "/v1/events/payments?now=2024-04-01T10:00:00Z",
                                     [event | {"payload": {"user": {"id": "u1"}, "lines": [{"amount": 5}]}},
                                      event | {"payload": json.dumps({"user": {"id": "u1"}})}])
        self.assertEqual((status, answer["accepted"], answer["quarantined"]), (200, 1, 1), answer)
        ask = "/v1/predict/risk?now=2024-04-02T00:00:00Z"
        for question, code, part in [
                ({"payload": {"user": {"id": "u1"}, "lines": [{"amount": "x"}]}}, 400, "payload.lines[0].amount"),
                ({"payload": "{"}, 400, "payload: "), ({}, 400, "'payload' is missing"),
                ({"amount": 1, "user": "u1"}, 400, "no question column"),
                ({"payload": {"user": {"id": "u1"}, "lines": [{"amount": 1001}]}}, 422, "at most 1000.00")]:
            status, answer = server.call("POST", ask, question)
            self.assertEqual(status, code, answer)
            self.assertIn(part, answer["error"])
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
