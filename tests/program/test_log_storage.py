"""The log as a store of data: schemas that change, sealed segments, retention, the doctor."""

import datetime
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import unittest

from program import COEVAL, DEFINITION, Project, Server, order_json, run, wait_until

THIRD_PARTY = pathlib.Path(__file__).resolve().parents[2] / "third_party"
DUCKDB = THIRD_PARTY / "oracles/duckdb"
PANDAS = THIRD_PARTY / "peers/pandas/bin/python"
FIRST = datetime.datetime(2024, 4, 2, tzinfo=datetime.timezone.utc)
FIRST_US = 1712016000000000
KILLS = int(os.environ.get("COEVAL_KILLS", "100"))

# The same source with narrower columns, and without one.
NARROW = DEFINITION.replace('amount  = { type = "float64", known = "ts", min = 0, max = 1000 }',
                            'amount  = { type = "float32", known = "ts", min = 0, max = 1000 }')
WIDE = DEFINITION.replace('bad     = { type = "int32", min = 0, max = 1 }',
                          'bad     = { type = "int64", nullable = true, min = 0, max = 1 }\n'
                          'note    = { type = "string", known = "ts", nullable = true }') \
                 .replace('bad     = "mean(bad = 1)"', 'bad     = "mean(bad = 1)"\nnotes   = "count(note)"') \
                 .replace('auc = ">= 0.6"', 'auc = ">= 0.1"')  # sixty rows of chance
assert NARROW != DEFINITION and WIDE.count("note") == 3


def events(first, count, note=False):
    """Amounts are quarters: floats of either width hold them."""
    rng = random.Random(7)
    for i in range(first, first + count):
        moment = FIRST + datetime.timedelta(minutes=7 * i)
        row = order_json(moment, f"u{rng.randrange(20)}", rng.randrange(2000) / 4, i % 3 == 0 and 1 or 0)
        if note:
            row["note"] = None if i % 2 else f"n{i}"
        yield row


def send(server, rows, after=None):
    # The clock of the data stands an hour after the last row, when it is known.
    now = FIRST_US + (after if after is not None else len(rows)) * 7 * 60_000_000 + 3_600_000_000
    status, answer = server.call("POST", f"/v1/events/orders?now={now}", rows)
    assert (status, answer["accepted"]) == (200, len(rows)), answer
    return now


def ask(server, now, user):
    status, answer = server.call("POST", f"/v1/predict/risk?now={now}", {"user": user, "amount": 5.0})
    assert status == 200, answer
    return answer


class Case(unittest.TestCase):
    def project(self, definition=DEFINITION, **options):
        project = Project(definition, **options)
        self.addCleanup(project.remove)
        return project

    def define(self, project, definition):
        (project.folder / "coeval.toml").write_text(definition)

    def log_bytes(self, project):
        log = project.folder / ".coeval/log"
        return {str(path.relative_to(log)): path.read_bytes() for path in sorted(log.rglob("*"))
                if path.is_file() and path.name != "lock"}

    def tables(self, project):
        return sorted((project.folder / ".coeval/log/sealed").rglob("*.parquet"))


class Schemas(Case):
    def life(self, first_definition, note):
        """Events, a change of the definition, more events; what is answered and written after."""
        project = self.project(first_definition)
        server = Server(project)
        send(server, list(events(0, 60)))
        self.assertEqual(server.stop(), 0)
        self.define(project, WIDE)
        project.run("check")
        plan = project.run("plan").stdout
        project.build_and_promote()
        server = Server(project, as_of=None)
        now = send(server, list(events(60, 60, note)), after=120)
        answers = [ask(server, now + i + 1, f"u{i % 20}") for i in range(40)]
        self.assertEqual(server.stop(), 0)
        server = Server(project, as_of=None)  # from the snapshot, then from nothing but the log
        again = [ask(server, now + 100 + i, f"u{i % 20}") for i in range(20)]
        server.stop()
        shutil.rmtree(project.folder / ".coeval/snapshots", ignore_errors=True)
        server = Server(project, as_of=None)
        again += [ask(server, now + 200 + i, f"u{i % 20}") for i in range(20)]
        server.stop()
        project.run("dataset", "risk", "--out", project.folder / "rows.parquet")
        audit = project.json("audit")
        explained = json.dumps(project.json("explain", answers[0]["prediction_id"])["features"])
        explained = explained.replace(str(project.folder), "")
        for answer in answers + again:
            del answer["prediction_id"]
        return project, plan, answers, again, (project.folder / "rows.parquet").read_bytes(), audit, explained

    def test_a_log_of_two_schemas_gives_the_bits_of_one_that_was_written_in_the_new_one(self):
        changed = self.life(DEFINITION, True)
        pure = self.life(WIDE, True)
        plan = changed[1]
        self.assertIn("column note: was not there, is string? (added)", plan)
        self.assertIn("column bad: was int32, is int64? (widened)", plan)
        self.assertNotIn("column", pure[1])
        self.assertEqual(changed[2], pure[2])
        self.assertEqual(changed[3], pure[3])
        self.assertEqual(changed[4], pure[4])
        self.assertEqual(changed[6], pure[6])
        for one in (changed, pure):
            self.assertEqual((one[5]["predictions_count"], one[5]["differ_count"]), (80, 0))
        schemas = changed[0].json("log", "schemas")
        self.assertEqual([one["columns"]["bad"] for one in schemas], ["int32", "int64?"])
        self.assertEqual([one["since_position"] for one in schemas], [1, 61])
        changed[0].run("doctor")

    def test_float32_becomes_float64_exactly(self):
        project = self.project(NARROW)
        server = Server(project)
        send(server, list(events(0, 60)))
        server.stop()
        self.define(project, DEFINITION)
        twin = self.project(DEFINITION)
        server = Server(twin)
        send(server, list(events(0, 60)))
        server.stop()
        for one in (project, twin):
            one.run("dataset", "risk", "--out", one.folder / "rows.parquet")
        self.assertEqual((project.folder / "rows.parquet").read_bytes(), (twin.folder / "rows.parquet").read_bytes())

    def test_predictions_of_the_old_definition_are_audited_over_events_of_the_new_one(self):
        project = self.project(DEFINITION)
        project.build_and_promote()
        server = Server(project)
        now = send(server, list(events(0, 40)))
        for i in range(10):
            ask(server, now + i + 1, f"u{i}")
        server.stop()
        self.define(project, WIDE)
        server = Server(project, as_of=None)
        send(server, list(events(40, 40, True)), after=80)
        server.stop()
        audit = project.json("audit")
        self.assertEqual((audit["predictions_count"], audit["differ_count"]), (10, 0))

    def test_what_cannot_be_read_any_more_is_refused_before_anything_is_written(self):
        project = self.project(DEFINITION)
        server = Server(project)
        send(server, list(events(0, 20)))
        server.stop()
        before = self.log_bytes(project)
        more = project.folder / "more.csv"
        more.write_text("ts,user,amount,bad\n2024-05-01T00:00:00Z,u1,1,0\n")
        changes = {
            "column bad: was int32, is string (retyped)":
                DEFINITION.replace('bad     = { type = "int32", min = 0, max = 1 }', 'bad     = { type = "string" }')
                .replace("bad = 1", "bad = '1'"),
            "column amount: was float64, is float32 (narrowed)": NARROW,
            "column fresh: was not there, is string (added, and not nullable)":
                DEFINITION.replace("bad     = { type", 'fresh = { type = "string", known = "ts" }\nbad     = { type'),
            "column total: was amount float64, is total float64 (renamed)":
                DEFINITION.replace("amount  = { type", "total  = { type").replace("mean(amount)", "mean(total)")
                .replace('"hour", "amount", ', '"hour", '),
        }
        for text, definition in changes.items():
            self.define(project, definition)
            for verb in (["check"], ["plan"], ["build"], ["serve", "--port", "0"],
                         ["ingest", "orders", str(more)], ["dataset", "risk", "--out", str(project.folder / "x.csv")]):
                failed = project.run(*verb, check=2)
                self.assertIn("error[C0703]", failed.stderr, verb)
                self.assertIn(text, failed.stderr, verb)
            self.assertEqual(self.log_bytes(project), before)
        self.define(project, DEFINITION)
        project.run("check")

    def test_a_column_that_goes_while_another_comes_can_be_accepted(self):
        project = self.project(WIDE)
        server = Server(project)
        send(server, list(events(0, 20, True)))
        server.stop()
        other = WIDE.replace("note    =", "remark  =").replace("count(note)", "count(remark)")
        self.define(project, other)
        failed = project.run("check", check=2)
        self.assertIn("(renamed)", failed.stderr)
        self.assertIn("coeval log accept orders", failed.stderr)
        project.run("log", "accept", "orders")
        project.run("check")
        server = Server(project, as_of=None)
        send(server, list(events(20, 20)), after=40)
        server.stop()
        project.run("doctor")

    def test_a_new_enum_value_is_a_warning_of_the_plan(self):
        listed = DEFINITION.replace('pattern = "u[0-9]+" }', 'enum = [' + ", ".join(f'"u{i}"' for i in range(300)) + "] }")
        project = self.project(listed)
        project.build_and_promote()
        self.assertNotIn("warning", project.run("plan").stdout)
        self.define(project, listed.replace('"u299"', '"u299", "guest"'))
        self.assertIn("warning: column user of source orders may be guest now", project.run("plan").stdout)

    def test_a_log_without_schemas_opens_and_keeps_the_one_that_is_declared(self):
        project = self.project(DEFINITION)
        server = Server(project)
        send(server, list(events(0, 20)))
        server.stop()
        shutil.rmtree(project.folder / ".coeval/log/schemas")  # as older versions left it
        self.assertIn("only the definition holds", project.run("doctor").stdout)
        self.define(project, WIDE)
        failed = project.run("serve", "--port", "0", check=None)
        self.assertNotEqual(failed.returncode, 0)
        self.assertIn("coeval log accept orders", failed.stderr)
        self.define(project, DEFINITION)
        project.run("log", "accept", "orders")
        self.define(project, WIDE)
        server = Server(project, as_of=None)
        server.stop()

    def test_files_without_an_added_column_read_as_null(self):
        project = self.project(WIDE)  # orders.csv has no note
        project.run("dataset", "risk", "--out", project.folder / "csv.parquet")
        if DUCKDB.exists():
            sys.path.insert(0, str(DUCKDB))
            import duckdb
            duckdb.sql(f"""copy (select ts::timestamptz as ts, "user", amount::double as amount, bad::bigint as bad
                           from read_csv('{project.folder}/orders.csv')) to '{project.folder}/orders.parquet'""")
            self.define(project, WIDE.replace("orders.csv", "orders.parquet"))
            project.run("dataset", "risk", "--out", project.folder / "parquet.parquet")
            query = "select count(*), count(*) filter (\"user.notes_14d\" = 0) from '{}'"
            for name in ("csv", "parquet"):
                rows, zero = duckdb.sql(query.format(project.folder / f"{name}.parquet")).fetchall()[0]
                self.assertEqual((rows, zero), (8000, 8000))


class Sealed(Case):
    def logged(self, count=500, parts=1):
        project = self.project(DEFINITION)
        for part in range(parts):
            server = Server(project, as_of=None if part else "2024-04-01")
            send(server, list(events(part * count, count)), after=(part + 1) * count)
            server.stop()
            if part + 1 < parts:
                project.run("log", "seal")
        return project

    def test_duckdb_and_pandas_read_what_the_log_holds(self):
        project = self.logged(500, 2)
        sealed = project.json("log", "seal")
        self.assertEqual((sealed["sealed_count"], sealed["already_sealed_count"], sealed["rows_count"]), (1, 1, 500))
        self.assertEqual(len(self.tables(project)), 2)
        glob = project.folder / ".coeval/log/sealed/orders/*.parquet"
        epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        expected = sorted(((datetime.datetime.fromisoformat(row["ts"]) - epoch) // datetime.timedelta(microseconds=1), row["user"], row["amount"], row["bad"])
                          for part in (0, 500) for row in events(part, 500))
        if DUCKDB.exists():
            sys.path.insert(0, str(DUCKDB))
            import duckdb
            rows = duckdb.sql(f"""select epoch_us(ts), "user", amount, bad from '{glob}' order by all""").fetchall()
            self.assertEqual([tuple(row) for row in rows], expected)
            self.assertEqual(duckdb.sql(f"""select count(distinct _position), min(_position), max(_position),
                                            bool_and(_known >= ts) from '{glob}'""").fetchall()[0], (1000, 1, 1000, True))
            said = duckdb.sql(f"select file_name, decode(key), decode(value) from parquet_kv_metadata('{glob}')").fetchall()
            (version,) = {value for _, key, value in said if key == "coeval.schema"}
            self.assertTrue(all(file.endswith(f"-{version}.parquet") for file, _, _ in said), said)
            self.assertEqual(sorted((key, value) for _, key, value in said),
                             2 * [("coeval.schema", version)] + 2 * [("coeval.source", "orders")])
            types = duckdb.sql(f"select ts, _position, _known from '{glob}'").types
            self.assertEqual([str(one) for one in types], ["TIMESTAMP WITH TIME ZONE", "BIGINT", "TIMESTAMP WITH TIME ZONE"])
        if PANDAS.exists():
            code = ("import pandas, sys, json; f = pandas.concat(pandas.read_parquet(p) for p in sys.argv[1:]);"
                    "print(json.dumps([len(f), int(f.bad.sum()), float(f.amount.sum()), bool(f.ts.notna().all()),"
                    "all(pandas.read_parquet(p).ts.is_monotonic_increasing for p in sys.argv[1:])]))")
            out = subprocess.run([str(PANDAS), "-c", code, *map(str, self.tables(project))], capture_output=True,
                                 text=True, check=True).stdout
            self.assertEqual(json.loads(out), [1000, sum(row[3] for row in expected), sum(row[2] for row in expected),
                                               True, True])

    def test_sealing_beside_a_server_leaves_the_open_segment(self):
        project = self.logged(100)
        server = Server(project, as_of=None)
        self.addCleanup(server.kill)
        said = project.run("log", "seal").stdout
        self.assertIn("is being written by the server", said)
        send(server, list(events(100, 50)), after=150)

    def test_a_server_seals_closed_segments_by_itself(self):
        project = self.logged(200)
        run("log", "seal", "-C", project.folder)
        note = next((project.folder / ".coeval/log/sealed").glob("*.sealed"))
        note.unlink()
        server = Server(project, as_of=None)
        self.addCleanup(server.kill)
        wait_until(note.exists, 60)
        project.run("doctor")

    def test_kill_at_any_moment_of_sealing_leaves_a_sound_log(self):
        project = self.logged(3000)
        rng = random.Random(1)
        for _ in range(max(KILLS // 10, 3)):
            process = subprocess.Popen([COEVAL, "log", "seal", "-C", str(project.folder)], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            try:
                process.wait(rng.uniform(0, 0.15))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            found = project.json("doctor")
            self.assertTrue(all(one["sound"] for one in found if "segments" in one["subject"] or one["subject"] == "log"),
                            found)
        project.run("log", "seal")
        self.assertEqual(sum(file.stat().st_size > 0 for file in self.tables(project)), 1)
        if DUCKDB.exists():
            sys.path.insert(0, str(DUCKDB))
            import duckdb
            self.assertEqual(duckdb.sql(f"select count(*) from '{self.tables(project)[0]}'").fetchall()[0], (3000,))
        project.run("doctor")

    def test_no_room_for_a_table_leaves_all_as_it_was_and_says_so(self):
        project = self.logged(3000)
        before = self.log_bytes(project)

        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
        # The segment is closed by a run that may write; the tables are what does not fit.
        failed = project.run("log", "seal", check=None, preexec_fn=small_files)
        self.assertNotEqual(failed.returncode, 0)
        self.assertIn("which stays as it is", failed.stderr)
        self.assertEqual(self.tables(project), [])
        after = {name: data for name, data in self.log_bytes(project).items() if name in before}
        self.assertEqual(after, before)
        project.run("doctor")
        project.run("log", "seal")
        self.assertEqual(len(self.tables(project)), 1)

    def test_the_doctor_finds_damage_to_a_table_and_repair_only_moves_it(self):
        project = self.logged(300)
        project.run("log", "seal")
        table = self.tables(project)[0]
        data = bytearray(table.read_bytes())
        data[len(data) // 2] ^= 1
        table.write_bytes(data)
        found = project.run("doctor", check=3)
        self.assertIn("has other bytes than were written", found.stdout)
        project.run("doctor", "--repair")
        self.assertEqual(self.tables(project), [])
        moved = list((project.folder / ".coeval/log/quarantine").rglob("*.parquet"))
        self.assertEqual([path.read_bytes() for path in moved], [bytes(data)])
        project.run("log", "seal")
        found = {one["subject"]: one for one in project.json("doctor")}
        self.assertIn("300 rows, as many as the segments have events", found["sealed segments"]["finding"])
        self.assertIn("1 cut, 300 events", found["log records"]["finding"])

    def test_a_second_writer_is_refused(self):
        project = self.logged(10)
        server = Server(project, as_of=None)
        self.addCleanup(server.kill)
        second = project.run("serve", "--port", "0", check=1)
        self.assertIn("error[C0701]", second.stderr)
        self.assertIn(str(server.process.pid), second.stderr)
        self.assertIn("error[C0701]", project.run("log", "accept", "orders", check=1).stderr)


class Retention(Case):
    DEFINITION = DEFINITION.replace('time  = "ts"', 'time  = "ts"\nretention = "20d"', 1)

    def test_old_segments_go_and_everything_says_so(self):
        project = self.project(self.DEFINITION)
        project.build_and_promote()
        ids = []
        # Ten days a part: 2,000 events of seven minutes.
        for part in range(6):
            server = Server(project, as_of=None if part else "2024-04-01")
            now = send(server, list(events(part * 2000, 2000)), after=(part + 1) * 2000)
            answer = ask(server, now + 1, "u1")
            ids.append(answer["prediction_id"])
            server.stop()
            project.run("log", "seal")
        log = project.folder / ".coeval/log"
        segments = len(list(log.glob("*.seg")))
        said = project.run("log", "trim").stdout
        self.assertIn("0 segments removed", said)
        self.assertIn("predictions, which are kept for ever without --keep-predictions", said)
        self.assertIn("source orders: kept for 20d (retention 20d)", said)
        would = project.json("log", "trim", "--keep-predictions", "20d", "--dry-run")
        self.assertEqual(len(list(log.glob("*.seg"))), segments)
        done = project.json("log", "trim", "--keep-predictions", "20d")
        self.assertEqual(done, would)
        removed = done["segments_count"]
        self.assertGreater(removed, 1)
        self.assertEqual(len(list(log.glob("*.seg"))), segments - removed)
        self.assertEqual(done["events_count"], 2000 * removed)
        self.assertEqual(done["first_position"], 1 + 2001 * removed)
        # Gone, and said to be.
        gone = project.run("explain", ids[0], check=2).stderr
        self.assertIn(f"{2000 * removed} events of source orders", gone)
        # In its 14 days and the day of lateness there were events that are gone.
        self.assertIn("could see events that are not there any more", project.run("explain", ids[removed], check=2).stderr)
        project.run("explain", ids[-1])
        audit = project.json("audit")
        self.assertEqual(audit["differ_count"], 0)
        self.assertEqual(audit["predictions_count"] + audit["beyond_retention_count"], 6 - removed)
        self.assertGreater(audit["beyond_retention_count"], 0)
        self.assertGreater(audit["predictions_count"], 0)
        self.assertIn("retention removed", audit["removed"])
        self.assertIn("retention removed", project.run("doctor").stdout)
        server = Server(project, as_of=None)
        status, answer = server.call("GET", f"/v1/predictions/{ids[0]}")
        self.assertEqual(status, 404)
        self.assertIn("removed from the log", answer["advice"])
        self.assertEqual(server.call("GET", f"/v1/predictions/{ids[-1]}")[0], 200)
        again = ask(server, FIRST_US + 12000 * 7 * 60_000_000 + 3_600_000_002, "u1")
        server.stop()
        # From the files and what is left of the log alone: the same answer.
        shutil.rmtree(project.folder / ".coeval/snapshots", ignore_errors=True)
        server = Server(project, as_of=None)
        now = FIRST_US + 12000 * 7 * 60_000_000 + 3_600_000_003
        rebuilt = ask(server, now, "u1")
        self.assertEqual((again["score"], again["features"] if "features" in again else None),
                         (rebuilt["score"], rebuilt["features"] if "features" in rebuilt else None))
        send(server, list(events(12000, 10)), after=12010)
        server.stop()
        project.run("build", check=None)
        project.run("dataset", "risk", "--out", project.folder / "rows.parquet")
        self.assertEqual(project.json("audit")["differ_count"], 0)

    def test_a_source_without_retention_is_kept_for_ever(self):
        project = self.project(DEFINITION)
        server = Server(project)
        send(server, list(events(0, 50)))
        server.stop()
        project.run("log", "seal")
        said = project.run("log", "trim", "--keep-predictions", "1d").stdout
        self.assertIn("0 segments removed", said)
        self.assertIn("kept for ever: no retention is declared", said)


if __name__ == "__main__":
    unittest.main()
