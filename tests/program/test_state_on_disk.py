"""state = "disk": a server whose entities are in RocksDB answers as one that has them in memory."""

import datetime
import pathlib
import random
import shutil
import subprocess
import tempfile
import unittest

import program
from program import DEFINITION, Project, Server, order_json, stamp

ON_DISK = '\n[serving]\nstate = "disk"\nmemory = "1MB"\n'
FIRST = datetime.datetime(2024, 4, 2, tzinfo=datetime.timezone.utc)
FIRST_US = 1712016000000000
# Besides the 300 users whose orders the model learns from: enough that a megabyte does not hold them.
USERS = 15_000


def add_users(project):
    """A day of one order each, before the cut."""
    rng = random.Random(5)
    began = datetime.datetime(2024, 3, 31, tzinfo=datetime.timezone.utc)
    with open(project.folder / "orders.csv", "a", encoding="utf-8") as file:
        for i in range(USERS):
            moment = began + datetime.timedelta(seconds=5 * i)
            file.write(f"{stamp(moment)},u{1000 + i},{rng.randrange(1, 900)},{rng.randrange(2)}\n")


def define(project, text):
    (project.folder / "coeval.toml").write_text(text)


class Traffic:
    """The same events and questions for any server, in the same order."""

    def __init__(self, seed):
        self.rng, self.step = random.Random(seed), 0

    def send(self, server, count):
        answers = []
        for _ in range(count):
            self.step += 1
            now = FIRST_US + self.step * 1_000_000
            moment = FIRST + datetime.timedelta(seconds=self.step)
            rows = [order_json(moment, f"u{1000 + self.rng.randrange(USERS + 50)}", float(self.rng.randrange(900)),
                               self.rng.randrange(2)) for _ in range(3)]
            status, answer = server.call("POST", f"/v1/events/orders?now={now}", rows)
            if status != 200:
                raise AssertionError(answer)
            questions = [{"user": f"u{1000 + self.rng.randrange(USERS + 50)}", "amount": 5.0} for _ in range(3)]
            status, answer = server.call("POST", f"/v1/predict/risk?now={now + 1}&features=true", questions)
            if status != 200:
                raise AssertionError(answer)
            answers += [(one["score"], one["features"]) for one in answer["predictions"]]
        return answers


def metric(server, name):
    text = server.call("GET", "/metrics")[1]
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
               if line.startswith(name) and line[len(name)] in " {")


class StateOnDisk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.built = Project()
        add_users(cls.built)
        cls.built.build_and_promote()

    @classmethod
    def tearDownClass(cls):
        cls.built.remove()

    def setUp(self):
        self.project = self.built.copy()
        self.addCleanup(shutil.rmtree, self.project.folder.parent)

    def test_it_answers_as_the_state_in_memory_does_also_after_kills(self):
        define(self.project, DEFINITION + ON_DISK)
        twin = self.built.copy()
        self.addCleanup(shutil.rmtree, twin.folder.parent)
        in_memory = Server(twin)
        here, there = Traffic(1), Traffic(1)
        rng = random.Random(9)
        for round_number in range(6):
            on_disk = Server(self.project)
            if round_number > 0:
                self.assertIn("state: snapshot at log position", on_disk.errors())
            count = rng.randrange(100, 200)
            self.assertEqual(here.send(on_disk, count), there.send(in_memory, count))
            held = metric(on_disk, "coeval_state_entities")
            self.assertLess(held, metric(in_memory, "coeval_state_entities") / 2)
            self.assertGreater(metric(on_disk, "coeval_state_reads_total"), count)
            self.assertLess(metric(on_disk, "coeval_state_memory_bytes"), 1_300_000)
            if round_number % 3 == 2:
                self.assertEqual(on_disk.stop(), 0)
            else:
                on_disk.kill()
        self.assertEqual(in_memory.stop(), 0)
        self.assertEqual(self.project.json("audit")["differ_count"], 0)

    def test_a_changed_view_makes_the_state_anew(self):
        define(self.project, DEFINITION + ON_DISK)
        self.assertEqual(Server(self.project).stop(), 0)
        again = Server(self.project)
        self.assertNotIn("made anew", again.errors())
        self.assertIn("state: snapshot", again.errors())
        self.assertEqual(again.stop(), 0)
        define(self.project, DEFINITION.replace('"14d"]', '"13d"]') + ON_DISK)
        changed = Server(self.project)
        self.assertIn("is of another definition", changed.errors())
        self.assertGreater(metric(changed, "coeval_state_entities"), 1000)
        self.assertEqual(changed.stop(), 0)

    def test_a_state_of_the_other_kind_is_not_gone_on_from(self):
        for first, then in ((ON_DISK, ""), ("", ON_DISK)):
            project = self.built.copy()
            self.addCleanup(shutil.rmtree, project.folder.parent)
            define(project, DEFINITION + first)
            server = Server(project)
            Traffic(4).send(server, 60)
            self.assertEqual(server.stop(), 0)
            # As the program advises for another log: it is moved away, and nothing else is.
            (project.folder / ".coeval/log").rename(project.folder / "old-log")
            define(project, DEFINITION + then)
            server = Server(project)
            self.assertIn("state: removing", server.errors())
            Traffic(5).send(server, 90)
            self.assertEqual(server.stop(), 0)
            define(project, DEFINITION + first)
            server = Server(project)
            twin = self.built.copy()
            self.addCleanup(shutil.rmtree, twin.folder.parent)
            alone = Server(twin)
            Traffic(5).send(alone, 90)
            here, there = Traffic(6), Traffic(6)
            here.step = there.step = 1000
            self.assertEqual(here.send(server, 60), there.send(alone, 60))
            self.assertEqual((server.stop(), alone.stop()), (0, 0))
            self.assertEqual(project.json("audit")["differ_count"], 0)

    def test_without_the_module_it_says_what_is_missing(self):
        define(self.project, DEFINITION + ON_DISK)
        with tempfile.TemporaryDirectory() as elsewhere:
            (pathlib.Path(elsewhere) / "bin").mkdir()
            alone = shutil.copy(program.COEVAL, pathlib.Path(elsewhere) / "bin/coeval")
            done = subprocess.run([alone, "serve", "-C", str(self.project.folder), "--port", "0", "--clock", "data",
                                   "--as-of", program.CUT], capture_output=True, text=True, timeout=60,
                                  stdin=subprocess.DEVNULL)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("the RocksDB adapter cannot be loaded", done.stderr)
        self.assertIn("./dev setup && ./dev build", done.stderr)

    def test_a_damaged_store_is_made_anew_from_files_and_log(self):
        define(self.project, DEFINITION + ON_DISK)
        server = Server(self.project)
        expected = Traffic(3).send(server, 30)
        self.assertEqual(server.stop(), 0)
        state = self.project.folder / ".coeval/state"
        self.assertTrue(state.is_dir())
        for path in state.iterdir():
            if path.suffix == ".sst":
                content = bytearray(path.read_bytes())
                content[len(content) // 2] ^= 0x55
                path.write_bytes(content)
        # What is damaged is refused where it is met: at the start, or by the question that needs it.
        try:
            server = Server(self.project)
        except AssertionError as refused:
            self.assertIn("move", str(refused))
        else:
            for user in range(1000, 1000 + USERS, 100):
                status, answer = server.call("POST", f"/v1/predict/risk?now={FIRST_US + 10**9}",
                                             {"user": f"u{user}", "amount": 5.0})
                if status != 200:
                    self.assertIn("C0", answer["code"])
                    self.assertIn("rebuilt", answer["advice"])
            server.kill()
        shutil.rmtree(state)
        server = Server(self.project)
        self.assertIn("rows of", server.errors())
        self.assertEqual(server.stop(), 0)
        self.assertEqual(self.project.json("audit")["differ_count"], 0)
        self.assertEqual(len(expected), 90)


if __name__ == "__main__":
    unittest.main()
