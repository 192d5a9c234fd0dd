"""Checks of rows that look back at others, asked by a server: order by key, keys of another source, and what warns."""

import json
import unittest

from program import Project, Server

DEFINITION = """
[project]
name = "plant"

[source.devices]
time  = "ts"
known = "event time"
[source.devices.columns]
ts   = { type = "timestamp", known = "ts" }
name = { type = "string", known = "ts" }

[source.readings]
time  = "ts"
known = "event time"
[source.readings.columns]
ts     = { type = "timestamp", known = "ts" }
device = { type = "string", known = "ts" }
number = { type = "int64", known = "ts" }
heat   = { type = "float64", known = "ts", max = 90, severity = "warn" }
[source.readings.checks]
order = { increasing = "number", by = ["device"], strictly = true }
known = { refers = "device", to = "devices.name" }
"""
TS = "2024-05-01T00:00:00Z"


class LookingBack(unittest.TestCase):
    def readings(self, server, *rows, now):
        body = [{"ts": TS, "device": device, "number": number, "heat": heat} for device, number, heat in rows]
        answer = server.call("POST", f"/v1/events/readings?now={now}", body)[1]
        return answer["accepted"], [error["rules"] for error in answer["errors"]]

    def test_a_server_remembers_across_requests_batches_and_restarts(self):
        project = Project(DEFINITION, count=1)
        self.addCleanup(project.remove)
        (project.folder / "devices.csv").write_text(f"ts,name\n{TS},a\n")
        (project.folder / "readings.csv").write_text(f"ts,device,number,heat\n2024-05-01T00:00:01Z,a,7,20\n")
        project.run("ingest", "devices", project.folder / "devices.csv")
        counts = project.json("ingest", "readings", project.folder / "readings.csv")[0]
        self.assertEqual((counts["accepted_count"], counts["quarantined_count"]), (1, 0))
        moment = 1717200000000000
        server = Server(project, as_of=None)
        self.assertEqual(self.readings(server, ("a", 7, 20), ("a", 8, 99), ("b", 1, 99), now=moment),
                         (1, [["checks.order"], ["checks.known", "heat.max"]]))
        self.assertEqual(self.readings(server, ("a", 8, 20), ("a", 9, 20), now=moment + 1), (1, [["checks.order"]]))
        self.assertEqual(server.call("POST", f"/v1/events/devices?now={moment + 2}", {"ts": TS, "name": "b"})[1]["accepted"], 1)
        self.assertEqual(self.readings(server, ("b", 1, 20), now=moment + 3), (1, []))
        metrics = server.call("GET", "/metrics")[1]
        self.assertIn('coeval_events_warned_total{source="readings",rule="heat.max"} 1', metrics)
        self.assertEqual(server.stop(), 0)
        again = Server(project, as_of=None)
        self.assertEqual(self.readings(again, ("a", 9, 20), ("b", 1, 20), ("b", 2, 20), now=moment + 4),
                         (1, [["checks.order"], ["checks.order"]]))
        self.assertEqual(again.stop(), 0)
        shown = project.json("quarantine", "show", "readings", "--rule", "checks.known")
        self.assertEqual([row["observed"]["checks.known"]["device"] for row in shown], ["b"])
        self.assertEqual(shown[0]["origin"], "http")
        self.assertEqual(json.loads(shown[0]["raw"])["number"], 1)
        project.run("doctor")


if __name__ == "__main__":
    unittest.main()
