"""kill -9 of the server within and right after requests with an Idempotency-Key, each sent until it is answered."""

import collections
import datetime
import http.client
import json
import os
import random
import threading
import unittest

from program import Project, Server, order_json, orders

KILLS = int(os.environ.get("COEVAL_KILLS", "100"))
FIRST = datetime.datetime(2024, 4, 2, tzinfo=datetime.timezone.utc)
FIRST_US = 1712016000000000
USERS = [row[1] for row in orders(200)]


def send(server, target, key, body):
    """(status, body) or None when the server went away first."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
    try:
        connection.request("POST", target, body, {"Idempotency-Key": f'"{key}"'})
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class Requests:
    """Batches one after the other; every fifth row of them is bad."""

    def __init__(self):
        self.number, self.events, self.rejected = 0, 0, 0
        self.times = []

    def next(self):
        self.number += 1
        rows = []
        for _ in range(random.Random(self.number).randrange(1, 400)):
            self.events += 1
            moment = FIRST + datetime.timedelta(milliseconds=self.events)
            bad = self.events % 5 == 0
            rows.append(order_json(moment, "nobody" if bad else USERS[self.events % 200], 5.0, 0))
            if bad:
                self.rejected += 1
            else:
                self.times.append(rows[-1]["ts"])
        now = FIRST_US + self.events * 1000 + 500
        return f"/v1/events/orders?now={now}", f"request-{self.number}", json.dumps(rows)


class Repeated(unittest.TestCase):
    def test_every_request_is_taken_once(self):
        project = Project()
        self.addCleanup(project.remove)
        project.build_and_promote()
        rng = random.Random(6)
        requests, repeated, unanswered = Requests(), 0, 0
        pending, answered = requests.next(), []
        for kill in range(KILLS):
            server = Server(project)
            # What was answered before the kill is answered the same after it.
            for request, before in answered[-3:]:
                self.assertEqual(send(server, *request), before)
                repeated += 1
            at_once = kill % 2 == 0
            timer = threading.Timer(rng.uniform(0.001, 0.05), server.process.kill)
            if not at_once:
                timer.start()
            for _ in range(rng.randrange(1, 4) if at_once else 1000):
                answer = send(server, *pending)
                if answer is None:
                    unanswered += 1
                    break
                self.assertEqual(answer[0], 200, answer)
                answered.append((pending, answer))
                pending = requests.next()
            if at_once:
                server.process.kill()  # right after an answer
            timer.join() if not at_once else None
            server.process.wait(30)
            server.close()
        self.assertGreater(unanswered, KILLS // 4)

        server = Server(project)
        answer = send(server, *pending)
        self.assertEqual(answer[0], 200)
        answered.append((pending, answer))
        for request, before in random.Random(7).sample(answered, min(len(answered), 100)):
            self.assertEqual(send(server, *request), before)
        other = send(server, pending[0], pending[1], "[]")
        self.assertEqual((other[0], json.loads(other[1])["code"]), (422, "C0912"))
        self.assertEqual(server.stop(), 0)

        counts = [json.loads(body) for _, (_, body) in answered]
        self.assertEqual(sum(count["accepted"] for count in counts), len(requests.times))
        self.assertEqual(sum(count["quarantined"] for count in counts), requests.rejected)
        log = next(finding for finding in project.json("doctor") if finding["subject"] == "log")
        self.assertTrue(log["sound"], log)
        out = project.folder / "rows.csv"
        project.run("dataset", "risk", "--out", out)
        lines = out.read_text().splitlines()
        column = lines[0].split(",").index("ts")
        kept = collections.Counter(line.split(",")[column] for line in lines[1:])
        self.assertEqual([moment for moment in requests.times if kept[as_csv(moment)] != 1], [])
        quarantine = (project.folder / ".coeval/quarantine/orders.jsonl").read_text().splitlines()
        self.assertEqual(len(quarantine), requests.rejected)
        self.assertGreater(repeated, KILLS)


def as_csv(moment):
    """RFC 3339 as the program writes it: no fraction when it is zero."""
    return moment.replace(".000000Z", "Z")


if __name__ == "__main__":
    unittest.main()
