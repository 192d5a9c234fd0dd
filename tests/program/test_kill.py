"""kill -9 of the server at random moments during ingestion: what was acknowledged is there."""

import collections
import datetime
import os
import random
import threading
import unittest

from program import Project, Server, order_json, orders

KILLS = int(os.environ.get("COEVAL_KILLS", "100"))
FIRST = datetime.datetime(2024, 4, 2, tzinfo=datetime.timezone.utc)
FIRST_US = 1712016000000000
USERS = [row[1] for row in orders(200)]


class Ingestion:
    """Sends batches and questions until the server is gone; remembers what was acknowledged."""

    def __init__(self, server, first):
        self.server, self.next = server, first
        self.acknowledged = []  # the time of each event, which no two share
        self.predictions = []
        self.failure = None
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def batch(self):
        rows = []
        for _ in range(self.next % 5 + 1):
            self.next += 1
            moment = FIRST + datetime.timedelta(milliseconds=self.next)
            rows.append(order_json(moment, USERS[self.next % 200], 5.0, self.next % 2))
        return rows

    def work(self):
        try:
            while True:
                rows = self.batch()
                now = FIRST_US + self.next * 1000 + 500
                status, answer = self.server.call("POST", f"/v1/events/orders?now={now}", rows)
                if (status, answer.get("accepted")) != (200, len(rows)):
                    self.failure = answer
                    return
                self.acknowledged += [row["ts"] for row in rows]
                status, answer = self.server.call("POST", f"/v1/predict/risk?now={now + 1}",
                                                  {"user": USERS[self.next % 200], "amount": 5.0})
                if status != 200:
                    self.failure = answer
                    return
                self.predictions.append(answer["prediction_id"])
        except OSError:
            pass
        except Exception as error:  # http.client's own, when the connection ends inside an answer
            if type(error).__module__ not in ("http.client", "json.decoder"):
                self.failure = error


class Kill(unittest.TestCase):
    def test_every_acknowledged_event_survives_and_the_audit_is_clean(self):
        project = Project()
        self.addCleanup(project.remove)
        project.build_and_promote()
        rng = random.Random(20240401)
        events, predictions, sent = [], [], 0
        for kill in range(KILLS):
            server = Server(project)
            ingestion = Ingestion(server, sent)
            timer = threading.Timer(rng.uniform(0.002, 0.1), server.process.kill)
            timer.start()
            ingestion.thread.join(30)
            timer.join()
            self.assertFalse(ingestion.thread.is_alive())
            self.assertIsNone(ingestion.failure, f"kill {kill}")
            server.process.wait(30)
            server.close()
            sent = ingestion.next
            events += ingestion.acknowledged
            predictions += ingestion.predictions
        self.assertGreater(len(events), KILLS)
        doctor = project.json("doctor")
        log = next(finding for finding in doctor if finding["subject"] == "log")
        self.assertTrue(log["sound"], log)

        server = Server(project)
        for prediction in predictions[:: max(1, len(predictions) // 50)]:
            self.assertEqual(server.call("GET", "/v1/predictions/" + prediction)[0], 200)
        self.assertEqual(server.stop(), 0)
        report = project.json("audit")
        self.assertEqual(report["differ_count"], 0)
        self.assertGreaterEqual(report["predictions_count"], len(predictions))

        # The rows of the model are the file's up to the cut and then the log's: each event once.
        out = project.folder / "rows.csv"
        project.run("dataset", "risk", "--out", out)
        lines = out.read_text().splitlines()
        column = lines[0].split(",").index("ts")
        kept = collections.Counter(line.split(",")[column] for line in lines[1:])
        self.assertEqual([moment for moment in events if kept[as_csv(moment)] != 1], [])


def as_csv(moment):
    """RFC 3339 as the program writes it: no fraction when it is zero."""
    return moment.replace(".000000Z", "Z")


if __name__ == "__main__":
    unittest.main()
