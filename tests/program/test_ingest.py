"""`coeval ingest` and `coeval quarantine`: every row read is in exactly one place, whatever was killed meanwhile."""

import datetime
import json
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

from program import COEVAL, Project, Server, stamp

KILLS = int(os.environ.get("COEVAL_INGEST_KILLS") or os.environ.get("COEVAL_KILLS") or "40")
LOG_ID = ("--log-id", "7e57")  # two logs that begin with equal bytes
HEAD = "ts,user,amount,bad\n"
FIRST = datetime.datetime(2024, 5, 10, tzinfo=datetime.timezone.utc)


def csv_rows(count, seed=1, bad_each=10):
    """Lines of orders in no order of time; each `bad_each`-th breaks a rule, some of them cannot be typed."""
    rng = random.Random(seed)
    lines = []
    for i in range(count):
        moment = FIRST + datetime.timedelta(seconds=rng.randrange(10**6))
        amount, user = str(round(rng.uniform(0, 900), 2)), f"u{rng.randrange(300)}"
        if bad_each and i % bad_each == 3:
            amount, user = rng.choice([("5000", user), (amount, "nobody"), ("much", user), ("-1", "none")])
        lines.append(f"{stamp(moment)},{user},{amount},{i % 2}\n")
    return lines


def state(project, *parts):
    return project.folder.joinpath(".coeval", *parts)


def bytes_below(folder):
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "lock"}


def log_and_quarantine(project):
    return bytes_below(state(project, "log")), bytes_below(state(project, "quarantine"))


def next_file(process):
    """The next line about a file, without what is said of it below."""
    for line in process.stdout:
        if not line.startswith("  "):
            return line
    return ""


def standing(project):
    return project.json("ingest", "--status")[0]


class Ingest(unittest.TestCase):
    def project(self, *files, count=200):
        project = Project(count=count)
        self.addCleanup(project.remove)
        for name, lines in files:
            (project.folder / name).write_text(HEAD + "".join(lines))
        return project

    def conserved(self, project, **expected):
        counts = standing(project)
        self.assertEqual(counts["missing_count"], 0, counts)
        self.assertEqual(counts["read_count"],
                         sum(counts[f"{where}_count"] for where in ("accepted", "quarantined", "duplicates", "replayed",
                                                                    "dropped")), counts)
        for where, count in expected.items():
            self.assertEqual(counts[f"{where}_count"], count, counts)

    def test_a_file_is_ingested_once_and_equal_runs_give_equal_bytes(self):
        files = [("a.csv", csv_rows(500)), ("b.csv", csv_rows(300, seed=2))]
        one, two = self.project(*files), self.project(*files)
        first = one.json("ingest", "orders", one.folder / "a.csv", one.folder / "b.csv", *LOG_ID)
        self.assertEqual([(f["state"], f["read_count"], f["quarantined_count"]) for f in first],
                         [("published", 500, 50), ("published", 300, 30)])
        two.run("ingest", "orders", str(two.folder / "[ab].csv"), *LOG_ID)
        self.assertEqual(log_and_quarantine(one), log_and_quarantine(two))
        before = log_and_quarantine(one)
        shutil.copy(one.folder / "a.csv", one.folder / "copy.csv")
        again = one.json("ingest", "orders", one.folder / "a.csv", one.folder / "copy.csv")
        self.assertEqual([f["state"] for f in again], ["known", "known"])
        self.assertEqual(log_and_quarantine(one), before)
        self.conserved(one, read=800, accepted=720, quarantined=80, batches=2)

    def test_events_are_in_order_of_known_time_whatever_the_memory(self):
        files = [("a.csv", csv_rows(5000, bad_each=0))]
        much, little = self.project(*files), self.project(*files)
        much.run("ingest", "orders", much.folder / "a.csv", *LOG_ID)
        little.run("ingest", "orders", little.folder / "a.csv", "--memory", "1KB", *LOG_ID)
        self.assertEqual(log_and_quarantine(much), log_and_quarantine(little))

    def test_standard_input_and_its_formats(self):
        project = self.project()
        text = HEAD + "".join(csv_rows(50))
        command = [COEVAL, "ingest", "-C", str(project.folder), "orders", "-"]
        for _ in range(2):
            done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("nothing new", done.stdout)
        line = '{"ts":"2024-05-10T00:00:00Z","user":"u1","amount":1.5,"bad":0}\n'
        done = subprocess.run(command + ["--format", "jsonl"], input=line, capture_output=True, text=True, timeout=60)
        self.assertIn("1 read = 1 accepted", done.stdout)
        self.conserved(project, read=51, batches=2)
        self.assertEqual([name for name in os.listdir(state(project)) if name.startswith("spooled")], [])

    def test_a_file_that_grew_adds_only_its_new_rows(self):
        lines = csv_rows(300)
        project = self.project(("a.csv", lines[:200]))
        project.run("ingest", "orders", project.folder / "a.csv")
        with open(project.folder / "a.csv", "a", encoding="utf-8") as file:
            file.writelines(lines[200:])
        grown = project.json("ingest", "orders", project.folder / "a.csv")[0]
        self.assertEqual((grown["state"], grown["read_count"], grown["first_line"]), ("published", 100, 202))
        self.conserved(project, read=300, quarantined=30, batches=2)
        (project.folder / "a.csv").write_text(HEAD + "".join(csv_rows(20, seed=9, bad_each=0)))
        other = project.json("ingest", "orders", project.folder / "a.csv")[0]
        self.assertEqual((other["state"], other["read_count"]), ("published", 20))
        self.assertIn("other content", other["note"])

    def test_a_dry_run_writes_nothing(self):
        project = self.project(("a.csv", csv_rows(100)))
        counts = project.json("ingest", "orders", project.folder / "a.csv", "--dry-run")[0]
        self.assertEqual((counts["state"], counts["accepted_count"], counts["quarantined_count"]), ("counted", 90, 10))
        self.assertFalse({"batch", "sha256"} & set(counts))  # it makes no batch
        self.assertFalse(state(project).exists())

    def test_a_held_batch_is_listed_released_or_discarded(self):
        project = self.project(("a.csv", csv_rows(100)), ("b.csv", csv_rows(50, seed=2)))
        held = [project.json("ingest", "orders", project.folder / name, "--max-bad-ratio", "0.05", check=3)[0]
                for name in ("a.csv", "b.csv")]
        self.assertEqual([one["state"] for one in held], ["held", "held"])
        self.assertIn("max_bad_ratio: 10 bad rows of 100", held[0]["reasons"][0])
        self.conserved(project, read=0, quarantined=0, batches=0)
        self.assertEqual({one["batch"] for one in project.json("ingest", "--held")}, {one["batch"] for one in held})
        project.run("ingest", "orders", project.folder / "a.csv", check=3)  # it waits already
        project.run("ingest", "--release", held[0]["batch"], check=2)       # no reason
        project.run("ingest", "--release", "0123456789abcdef", "--reason", "x", check=2)
        project.run("ingest", "--release", held[0]["batch"], "--reason", "the till was new")
        self.conserved(project, read=100, accepted=90, quarantined=10, batches=1)
        project.run("ingest", "--discard", held[1]["batch"], "--reason", "sent by mistake")
        self.conserved(project, read=100, batches=1)
        self.assertEqual(project.json("ingest", "--held"), [])
        log = b"".join(bytes_below(state(project, "log")).values())
        self.assertIn(b"the till was new", log)
        self.assertIn(b"sent by mistake", log)
        self.assertEqual(project.json("ingest", "orders", project.folder / "a.csv")[0]["state"], "known")
        # What was discarded may come again, and is there as if it had come for the first time.
        self.assertEqual(project.json("ingest", "orders", project.folder / "b.csv")[0]["state"], "published")
        self.conserved(project, read=150, quarantined=15)

    def test_the_quarantine_is_listed_replayed_after_a_fix_and_dropped_with_a_reason(self):
        project = self.project(("a.csv", csv_rows(400)))
        project.run("ingest", "orders", project.folder / "a.csv")
        listed = project.json("quarantine", "list")
        self.assertEqual(listed["rows_count"], 40)
        by_rule = {one["rule"]: one["rows_count"] for one in listed["by_rule"]}
        self.assertEqual(set(by_rule), {"amount.max", "amount.min", "user.pattern", "amount.type"})
        shown = project.json("quarantine", "show", "orders", "--rule", "amount.max", "--limit", "3")
        self.assertEqual(len(shown), min(3, by_rule["amount.max"]))
        self.assertEqual(shown[0]["observed"], {"amount.max": 5000.0})
        self.assertEqual((shown[0]["origin"], len(shown[0]["sha256"])), ("a.csv", 64))
        lines = (project.folder / "a.csv").read_text().splitlines()
        self.assertIn(",5000,", lines[shown[0]["row"] - 1])  # where a person looks
        self.assertEqual(project.json("quarantine", "replay", "orders")[0]["state"], "nothing")

        definition = project.folder / "coeval.toml"
        definition.write_text(definition.read_text().replace("max = 1000", "max = 10000"))
        replayed = project.json("quarantine", "replay", "orders")[0]
        self.assertEqual((replayed["state"], replayed["accepted_count"]), ("published", by_rule["amount.max"]))
        before = log_and_quarantine(project)
        self.assertEqual(project.json("quarantine", "replay")[0]["state"], "nothing")
        self.assertEqual(log_and_quarantine(project), before)
        left = 40 - by_rule["amount.max"]
        self.conserved(project, read=400, accepted=360, quarantined=left, replayed=by_rule["amount.max"])

        project.run("quarantine", "drop", "orders", "--rule", "user.pattern", check=2)
        dropped = project.json("quarantine", "drop", "orders", "--rule", "user.pattern", "--reason", "guests")
        self.assertEqual(dropped["dropped_count"], by_rule["user.pattern"])
        self.conserved(project, quarantined=left - by_rule["user.pattern"], dropped=by_rule["user.pattern"])
        self.assertNotIn("user.pattern", {one["rule"] for one in project.json("quarantine", "list")["by_rule"]})
        project.run("quarantine", "drop", "orders", "--reason", "no more")
        self.conserved(project, quarantined=0)
        self.assertEqual(bytes_below(state(project, "quarantine")), {})

    def test_a_rule_that_warns_counts_rows_that_leave_in_a_check_and_in_ingestion_alike(self):
        project = self.project()
        definition = project.folder / "coeval.toml"
        warned = '[source.orders.checks]\ndear = { row = "amount < 900", severity = "warn", error_if = 3 }\n[view.user]'
        definition.write_text(definition.read_text().replace("[view.user]", warned, 1))
        for name, amounts, holds in (("two.csv", (950, 5000, 1), False), ("three.csv", (950, 5000, 6000), True)):
            file = project.folder / name
            file.write_text(HEAD + "".join(f"2024-05-10T00:0{i}:00Z,u1,{amount},0\n" for i, amount in enumerate(amounts)))
            dear = sum(amount >= 900 for amount in amounts)
            checked = project.run("check", "--data", f"orders={file}", "--json", check=3)  # of amount.max
            rules = {rule["rule"]: (rule["status"], rule["rows_count"]) for rule in json.loads(checked.stdout)[0]["rules"]}
            self.assertEqual(rules["checks.dear"], ("failed" if holds else "warned", dear))
            done = project.json("ingest", "orders", file, check=3 if holds else 0)[0]
            self.assertEqual(done["state"], "held" if holds else "published")
            self.assertEqual(any("checks.dear" in reason for reason in done.get("reasons", [])), holds, done)
        row = project.json("quarantine", "show", "orders")[0]
        self.assertEqual(row["rules"], ["amount.max", "checks.dear"])

    def test_the_bad_rows_of_a_held_batch_are_shown_before_it_is_released(self):
        project = self.project(("a.csv", csv_rows(100, seed=1)), ("b.csv", csv_rows(50, seed=2)))
        project.run("ingest", "orders", project.folder / "b.csv")
        counted = project.json("quarantine", "list")
        shown = project.json("quarantine", "show", "--limit", 1000)
        batch = project.json("ingest", "orders", project.folder / "a.csv", "--max-bad-rows", 1, check=3)[0]["batch"]
        before = project.json("quarantine", "list")
        self.assertEqual((before["rows_count"], before["held_rows_count"]), (5, 10))
        self.assertEqual([one for one in before["by_rule"] if "held_batch" not in one], counted["by_rule"])
        self.assertEqual({one["held_batch"] for one in before["by_rule"] if one["file"] == "a.csv"}, {batch})
        self.assertIn("5 rows in quarantine, 10 of held batches", project.run("quarantine", "list").stdout)
        waiting = project.json("quarantine", "show", "orders", "--limit", 1000)
        self.assertEqual(waiting[:5], shown)
        self.assertEqual([row.pop("held") for row in waiting[5:]], [True] * 10)
        self.assertIn(f"held as batch {batch}", project.run("quarantine", "show", "--limit", 1000).stdout)
        self.conserved(project, read=50, quarantined=5)
        project.run("ingest", "--release", batch, "--reason", "they are known")
        after = project.json("quarantine", "list")
        self.assertEqual((after["rows_count"], after["held_rows_count"]), (15, 0))
        self.assertEqual(project.json("quarantine", "show", "orders", "--limit", 1000), waiting)

    def test_one_writer_at_a_time(self):
        project = self.project(("a.csv", csv_rows(50)))
        server = Server(project)
        refused = project.run("ingest", "orders", project.folder / "a.csv", check=1)
        self.assertIn("C0701", refused.stderr)
        self.assertIn("POST /v1/events", refused.stderr)
        project.json("quarantine", "list")  # reading goes on
        self.assertEqual(server.stop(), 0)
        folder = project.folder / "drop"
        folder.mkdir()
        following = subprocess.Popen([COEVAL, "ingest", "-C", str(project.folder), "orders", "--follow", str(folder)],
                                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(following.stdout.close)
        shutil.copy(project.folder / "a.csv", folder / "a.part")
        os.rename(folder / "a.part", folder / "a.csv")
        self.assertIn("50 read", next_file(following))
        refused = project.run("ingest", "orders", project.folder / "a.csv", check=1)
        self.assertIn("C0701", refused.stderr)
        following.send_signal(signal.SIGTERM)
        self.assertEqual(following.wait(30), 0)

    def test_follow_takes_whole_files_only(self):
        project = self.project()
        folder = project.folder / "drop"
        folder.mkdir()
        (folder / "there.csv").write_text(HEAD + "".join(csv_rows(10, seed=1)))
        half = open(folder / "half.csv", "w", encoding="utf-8")  # its writer is not done
        self.addCleanup(half.close)
        half.write(HEAD + csv_rows(1, seed=5)[0])
        half.flush()
        following = subprocess.Popen([COEVAL, "ingest", "-C", str(project.folder), "orders", "--follow", str(folder)],
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(following.stdout.close)
        self.addCleanup(following.stderr.close)
        self.assertIn("there.csv: 10 read", next_file(following))
        (folder / ".hidden.csv").write_text(HEAD + csv_rows(1, seed=6)[0])
        (folder / "notes.txt").write_text("not a table\n")
        (folder / "late.csv.tmp").write_text(HEAD + "".join(csv_rows(20, seed=2)))
        os.rename(folder / "late.csv.tmp", folder / "late.csv")
        self.assertIn("late.csv: 20 read", next_file(following))
        half.write("".join(csv_rows(5, seed=7)))
        half.close()
        self.assertIn("half.csv: 6 read", next_file(following))
        (folder / "broken.csv").write_text("no,such,columns\n1,2,3\n")
        self.assertIn("C02", following.stderr.readline() + following.stderr.readline() + following.stderr.readline())
        (folder / "after.csv").write_text(HEAD + "".join(csv_rows(3, seed=8, bad_each=0)))
        self.assertIn("after.csv: 3 read", next_file(following))
        following.send_signal(signal.SIGTERM)
        self.assertNotEqual(following.wait(30), 0)  # one file could not be read
        self.conserved(project, read=39, batches=4)

    def test_a_server_starts_over_batches_and_answers_as_over_the_same_rows_sent(self):
        lines = csv_rows(300)
        project = self.project(("a.csv", lines), count=8000)
        project.build_and_promote()
        project.run("ingest", "orders", project.folder / "a.csv")
        question = {"user": "u7", "amount": 5.0}
        target = "/v1/predict/risk?now=1717200000000000&features=true"
        server = Server(project, as_of=None)
        answer = server.call("POST", target, question)[1]
        self.assertEqual(server.stop(), 0)
        again = Server(project, as_of=None)
        self.assertEqual(again.call("POST", target, question)[1]["features"], answer["features"])
        self.assertEqual(again.stop(), 0)
        self.assertEqual(project.json("audit")["differ_count"], 0)
        # By hand: events of u7 in the 14 days before the question.
        at = datetime.datetime.fromtimestamp(1717200000, datetime.timezone.utc)
        count = 0
        for line in lines:
            ts, user, amount, _ = line.strip().split(",")
            moment = datetime.datetime.fromisoformat(ts.replace("Z", "+00:00"))
            good = user == "u7" and amount != "much" and 0 <= float(amount) <= 1000
            count += good and at - datetime.timedelta(days=14) <= moment < at
        self.assertEqual(answer["features"]["user.orders_14d"], count)


class Faults(unittest.TestCase):
    project, conserved = Ingest.project, Ingest.conserved

    def test_a_full_disk_loses_nothing_and_the_next_run_goes_on(self):
        project = self.project(("a.csv", csv_rows(20000)))
        log = state(project, "log")
        log.mkdir(parents=True)
        mounted = os.geteuid() == 0 and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "coeval-test", log], capture_output=True).returncode == 0
        if not mounted:
            self.skipTest("mounting a small disk needs root; ingestion_test injects the same fault")
        self.addCleanup(subprocess.run, ["umount", "-l", log], check=False)
        refused = project.run("ingest", "orders", project.folder / "a.csv", check=1)
        self.assertIn("C0103", refused.stderr)
        self.conserved(project, read=0, accepted=0, batches=0)
        subprocess.run(["mount", "-o", "remount,size=64m", log], check=True)
        project.run("ingest", "orders", project.folder / "a.csv")
        self.conserved(project, read=20000, accepted=18000, quarantined=2000)


class Killed(unittest.TestCase):
    """kill -9 at random moments of ingest, replay and drop: the end is that of a run that nobody killed."""

    def steps(self, project, killed):
        definition = project.folder / "coeval.toml"
        strict = definition.read_text()
        killed("ingest", "orders", project.folder / "a.csv", "--memory", "64KB", *LOG_ID)
        killed("ingest", "orders", project.folder / "b.csv")
        definition.write_text(strict.replace("max = 1000", "max = 10000"))
        killed("quarantine", "replay", "orders")
        definition.write_text(strict)
        killed("quarantine", "drop", "orders", "--rule", "user.pattern", "--reason", "guests")
        killed("ingest", "orders", project.folder / "c.csv")

    def prepare(self):
        project = Project(count=50)
        self.addCleanup(project.remove)
        for i, name in enumerate("abc"):
            (project.folder / f"{name}.csv").write_text(HEAD + "".join(csv_rows(3000, seed=i)))
        return project

    def test_what_is_there_in_the_end_does_not_depend_on_kills(self):
        quiet = self.prepare()
        times = []

        def timed(verb, *arguments):
            begin = time.monotonic()
            quiet.run(verb, *arguments)
            times.append(time.monotonic() - begin)

        self.steps(quiet, timed)
        expected = log_and_quarantine(quiet)
        rng = random.Random(int(os.environ.get("COEVAL_SEED", "6")))
        kills = 0
        while kills < KILLS:
            project = self.prepare()
            durations = iter(times)

            def killed(verb, *arguments):
                nonlocal kills
                longest = next(durations)
                for _ in range(rng.randrange(1, 5)):
                    process = subprocess.Popen([COEVAL, verb, "-C", str(project.folder), *map(str, arguments)],
                                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    try:
                        process.wait(rng.uniform(0, longest))
                    except subprocess.TimeoutExpired:
                        process.kill()
                        process.wait()
                        kills += 1
                    counts = standing(project)  # of what readers see, at any moment
                    self.assertEqual(counts["missing_count"], 0, counts)
                project.run(verb, *arguments)
                self.assertEqual(standing(project)["missing_count"], 0)

            self.steps(project, killed)
            self.assertEqual(log_and_quarantine(project)[0], expected[0], f"the log after {kills} kills")
            self.assertEqual(log_and_quarantine(project)[1], expected[1], f"the quarantine after {kills} kills")
            project.remove()


if __name__ == "__main__":
    unittest.main()
