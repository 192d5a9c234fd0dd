"""state = "disk" on a disk that fills up while events come in: a small tmpfs, mounted here or in a namespace."""

import datetime
import itertools
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from program import COEVAL, DEFINITION, Project, Server, order_json
from test_ingest import HEAD, LOG_ID, csv_rows, log_and_quarantine, next_file
from test_state_on_disk import FIRST, FIRST_US, ON_DISK, USERS, Traffic, add_users, define, metric

INNER = "COEVAL_TEST_IN_NAMESPACE"
DISK_BYTES = 64 << 20


def mount(folder):
    return subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "small", folder],
                          stderr=subprocess.DEVNULL, check=False).returncode == 0


class Disk:
    """A small disk; `fill` leaves so much of it free."""

    def __init__(self, test):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="coeval-disk-"))
        test.addCleanup(shutil.rmtree, self.folder)
        if not mount(self.folder):
            raise unittest.SkipTest("a tmpfs may not be mounted here")
        test.addCleanup(subprocess.run, ["umount", "-l", self.folder], check=True)
        self.filler = self.folder / "filler"

    def fill(self, leave=0):
        with open(self.filler, "ab") as file:
            try:
                while True:
                    disk = os.statvfs(self.folder)
                    free = disk.f_bavail * disk.f_frsize - leave
                    if free <= 0:
                        break
                    file.write(b"f" * min(free, 1 << 20))
                    file.flush()
            except OSError:
                pass

    def make_room(self):
        self.filler.unlink()


def in_namespace():
    return os.environ.get(INNER) or os.geteuid() == 0


class FullDisk(unittest.TestCase):
    def test_in_a_namespace_of_its_own(self):
        if in_namespace():
            self.skipTest("a tmpfs can be mounted here without")
        done = subprocess.run(["unshare", "-Urm", sys.executable, __file__], env={**os.environ, INNER: "1"},
                              capture_output=True, text=True, check=False)
        if "unshare failed" in done.stderr or "skipped" in done.stderr:
            self.skipTest("a tmpfs may not be mounted here")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def prepared(self, whole):
        """A project whose state (or all of .coeval) is on a small disk, and its twin in memory."""
        if not in_namespace():
            self.skipTest("in test_in_a_namespace_of_its_own")
        disk = Disk(self)
        project = Project()
        self.addCleanup(project.remove)
        add_users(project)
        project.build_and_promote()
        twin = project.copy()
        self.addCleanup(shutil.rmtree, twin.folder.parent)
        if whole:
            shutil.move(project.folder / ".coeval", disk.folder / "coeval")
            (project.folder / ".coeval").symlink_to(disk.folder / "coeval")
        else:
            (disk.folder / "state").mkdir()
            (project.folder / ".coeval/state").symlink_to(disk.folder / "state")
        define(project, DEFINITION + ON_DISK)
        return disk, project, twin

    def load(self, here, there, servers, count):
        """So many requests of 30 events each to both: more entities change than memory is for."""
        rng = random.Random(here.step)
        for _ in range(count):
            here.step += 1
            there.step += 1
            moment = FIRST + datetime.timedelta(seconds=here.step)
            rows = [order_json(moment, f"u{1000 + rng.randrange(USERS)}", float(rng.randrange(900)), 0)
                    for _ in range(30)]
            for server in servers:
                status, answer = server.call("POST", f"/v1/events/orders?now={FIRST_US + here.step * 1_000_000}", rows)
                self.assertEqual(status, 200, answer)

    def check_twins(self, here, server, there, twin, count):
        self.assertEqual(here.send(server, count), there.send(twin, count))

    def test_the_state_s_disk_fills_up_and_empties(self):
        for leave in (0, 40_000, 700_000, 6 << 20):
            with self.subTest(leave=leave):
                disk, project, twin = self.prepared(whole=False)
                server, in_memory = Server(project), Server(twin)
                here, there = Traffic(4), Traffic(4)
                self.check_twins(here, server, there, in_memory, 60)
                written = metric(server, "coeval_snapshots_total")
                disk.fill(leave)
                self.load(here, there, (server, in_memory), 300)
                self.check_twins(here, server, there, in_memory, 60)
                self.assertGreater(metric(server, "coeval_snapshot_failures_total"), 0)
                self.assertEqual(metric(server, "coeval_log_writable"), 1)
                self.assertIn("could not be written, and serving goes on", server.errors())
                self.assertIn("bytes free", server.errors())
                disk.make_room()
                self.load(here, there, (server, in_memory), 300)
                self.check_twins(here, server, there, in_memory, 60)
                self.assertGreater(metric(server, "coeval_snapshots_total"), written)
                self.assertIn("snapshots are written again", server.errors())
                self.assertEqual(server.stop(), 0)
                server = Server(project)
                self.assertIn("state: snapshot at log position", server.errors())
                self.check_twins(here, server, there, in_memory, 60)
                self.assertEqual((server.stop(), in_memory.stop()), (0, 0))
                self.assertEqual(project.json("audit")["differ_count"], 0)

    def test_a_stop_on_a_full_disk_ends_with_an_error_and_no_abort(self):
        disk, project, twin = self.prepared(whole=False)
        server, in_memory = Server(project), Server(twin)
        here, there = Traffic(4), Traffic(4)
        self.check_twins(here, server, there, in_memory, 60)
        disk.fill()
        self.check_twins(here, server, there, in_memory, 300)
        self.assertGreater(server.stop(), 0)  # an exit code; a signal would be negative
        with self.assertRaisesRegex(AssertionError, "bytes free"):
            Server(project)
        disk.make_room()
        server = Server(project)
        self.assertIn("state: snapshot at log position", server.errors())
        self.check_twins(here, server, there, in_memory, 60)
        self.assertEqual((server.stop(), in_memory.stop()), (0, 0))
        self.assertEqual(project.json("audit")["differ_count"], 0)

    def test_a_disk_with_the_log_on_it(self):
        disk, project, twin = self.prepared(whole=True)
        server, in_memory = Server(project), Server(twin)
        here, there = Traffic(4), Traffic(4)
        self.check_twins(here, server, there, in_memory, 60)
        disk.fill(2_000_000)
        self.load(here, there, (server, in_memory), 100)
        self.check_twins(here, server, there, in_memory, 60)
        disk.fill()
        moment = FIRST + datetime.timedelta(seconds=here.step)
        rows = [order_json(moment, "u1000", 5.0, 0)] * 100
        statuses = set()
        for _ in range(50):  # until the log has no room: it refuses, and nothing ends
            status, answer = server.call("POST", f"/v1/events/orders?now={FIRST_US + here.step * 1_000_000}", rows)
            statuses.add(status)
            if status == 200:
                self.assertEqual(in_memory.call("POST", f"/v1/events/orders?now={FIRST_US + here.step * 1_000_000}",
                                                rows)[0], 200)
            else:
                self.assertIn("disk", answer["error"] + answer["advice"])
        self.assertNotEqual(statuses, {200})
        disk.make_room()
        self.check_twins(here, server, there, in_memory, 300)
        self.assertEqual((server.stop(), in_memory.stop()), (0, 0))
        self.assertEqual(project.json("audit")["differ_count"], 0)

    def on_a_small_disk(self):
        """A small disk, and a project whose .coeval is on it."""
        if not in_namespace():
            self.skipTest("in test_in_a_namespace_of_its_own")
        disk = Disk(self)
        project = Project(count=10)
        self.addCleanup(project.remove)
        (project.folder / ".coeval").symlink_to(disk.folder)
        return disk, project

    def followed(self):
        """A project whose .coeval is on a small disk, `ingest --follow` of a folder that is not, and what it says."""
        disk, project = self.on_a_small_disk()
        folder = project.folder / "drop"
        folder.mkdir()
        return disk, project, folder, self.follow(project, folder)

    def follow(self, project, folder):
        process = subprocess.Popen(
            [COEVAL, "ingest", "-C", str(project.folder), "orders", "--follow", str(folder), *LOG_ID],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for ending in (process.stdout.close, process.stderr.close, process.wait, process.kill):
            self.addCleanup(ending)
        return process

    def put(self, folder, name, lines):
        (folder / f"{name}.tmp").write_text(HEAD + "".join(lines))
        os.rename(folder / f"{name}.tmp", folder / name)

    def said_until(self, process, what):
        """What it says up to the line with `what`, which must come."""
        said = []
        for line in process.stderr:
            said.append(line)
            if what in line:
                return "".join(said)
        self.fail(f"it ended without '{what}':\n{''.join(said)}")

    def test_a_folder_is_followed_beyond_a_full_disk(self):
        files = [("a.csv", csv_rows(500)), ("b.csv", csv_rows(60_000, seed=2)), ("c.csv", csv_rows(400, seed=3))]
        disk, project, folder, process = self.followed()
        self.put(folder, *files[0])
        self.assertIn("a.csv: 500 read", next_file(process))
        disk.fill(leave=1_000_000)  # b.csv begins to be written, and does not end
        self.put(folder, *files[1])
        said = self.said_until(process, "waiting")
        self.assertIn("C0103", said)
        self.assertIn("b.csv", said)
        self.put(folder, *files[2])  # finds room, and does not wait for what finds none
        self.assertIn("c.csv: 400 read", next_file(process))
        self.assertEqual(project.json("ingest", "--status")[0]["read_count"], 900)  # reads go on
        disk.make_room()
        self.assertIn("b.csv: 60000 read", next_file(process))
        disk.fill()
        self.put(folder, "d.csv", csv_rows(300, seed=4))
        said = self.said_until(process, "waiting")
        self.assertEqual((said.count("going on"), said.count("C0103")), (1, 1))  # of b.csv; of d.csv
        disk.make_room()
        self.assertIn("d.csv: 300 read", next_file(process))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), 0)
        standing = project.json("ingest", "--status")[0]
        self.assertEqual((standing["read_count"], standing["missing_count"], standing["batches_count"]), (61_200, 0, 4))
        # As if the disk had never been full.
        twin = Project(count=10)
        self.addCleanup(twin.remove)
        shutil.copytree(folder, twin.folder / "drop")
        twin.run("ingest", "orders", *(twin.folder / f"drop/{name}.csv" for name in "acbd"), *LOG_ID)
        self.assertEqual(log_and_quarantine(project), log_and_quarantine(twin))
        project.run("doctor")

    def test_a_full_disk_without_a_log_is_waited_for(self):
        disk, project = self.on_a_small_disk()
        disk.fill()
        folder = project.folder / "drop"
        folder.mkdir()
        self.put(folder, "a.csv", csv_rows(20))
        process = self.follow(project, folder)
        self.said_until(process, "waiting for room to open the log")
        self.said_until(process, "waiting; nothing of ")
        disk.make_room()
        self.assertIn("a.csv: 20 read", next_file(process))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), 0)

    def test_a_signal_ends_a_wait_for_room(self):
        disk, project, folder, process = self.followed()
        self.put(folder, "a.csv", csv_rows(20))
        self.assertIn("a.csv: 20 read", next_file(process))
        disk.fill()
        self.put(folder, "b.csv", csv_rows(500, seed=2))
        self.said_until(process, "waiting")
        process.send_signal(signal.SIGTERM)
        self.assertGreater(process.wait(30), 0)
        disk.make_room()
        self.assertEqual(project.json("ingest", "orders", folder / "b.csv")[0]["state"], "published")
        self.assertEqual(project.json("ingest", "--status")[0]["missing_count"], 0)

    def test_a_server_refuses_events_while_its_disk_is_full_and_takes_them_again(self):
        disk, project = self.on_a_small_disk()
        server = Server(project)

        def send(step, amount):
            moment = FIRST + datetime.timedelta(seconds=step)
            rows = [order_json(moment, f"u{i}", amount, 0) for i in range(50)]
            return server.call("POST", f"/v1/events/orders?now={FIRST_US + step * 1_000_000}", rows)

        for amount in (5.0, 5000.0):  # rows for the log, and rows for the quarantine
            with self.subTest(amount=amount):
                self.assertIn(send(1, amount)[0], (200, 422))
                disk.fill()
                status, answer = next(answered for answered in (send(step, amount) for step in itertools.count(2))
                                      if answered[0] not in (200, 422))
                self.assertEqual((status, answer["code"]), (507, "C0103"))
                self.assertEqual(send(10_000, amount)[0], 507)
                disk.make_room()
                self.assertIn(send(10_001, amount)[0], (200, 422))
        self.assertEqual(server.stop(), 0)
        self.assertEqual(project.json("ingest", "--status")[0]["missing_count"], 0)


if __name__ == "__main__":
    unittest.main()
