"""Saved states that are not of this log, and what `coeval doctor` says of them."""

import json
import pathlib
import shutil
import tempfile
import unittest

import program
from program import DEFINITION, Project, Server
from test_state_on_disk import ON_DISK, Traffic, add_users, define

IN_MEMORY = ""
KINDS = (("state", ON_DISK), ("snapshots", IN_MEMORY))


class SavedStates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.built = Project()
        add_users(cls.built)
        cls.built.build_and_promote()

    @classmethod
    def tearDownClass(cls):
        cls.built.remove()

    def copy(self, source=None):
        twin = (source or self.built).copy()
        self.addCleanup(shutil.rmtree, twin.folder.parent)
        return twin

    def served(self, project, seed, count, step=0):
        """A server's answers to so much traffic; it is stopped then, and its state saved."""
        server = Server(project)
        traffic = Traffic(seed)
        traffic.step = step
        answers = traffic.send(server, count)
        self.assertEqual(server.stop(), 0)
        return answers

    def started(self, project):
        server = Server(project)
        said = server.errors()
        self.assertEqual(server.stop(), 0)
        return said

    def check_rebuilt(self, project, said, older_fits=False):
        """`project` holds a state of another log: it says so, and then answers as one that had none. Of snapshots
        an older one may be of this log."""
        alone = self.copy(project)
        for kind, _ in KINDS:
            shutil.rmtree(alone.folder / ".coeval" / kind, ignore_errors=True)
        server = Server(project)
        self.assertIn(said, server.errors())
        self.assertIn("state: snapshot" if older_fits else "rows of", server.errors())
        twin = Server(alone)
        here, there = Traffic(77), Traffic(77)
        here.step = there.step = 5000
        self.assertEqual(here.send(server, 40), there.send(twin, 40))
        self.assertEqual((server.stop(), twin.stop()), (0, 0))
        again = self.started(project)
        self.assertIn("state: snapshot at log position", again)
        self.assertEqual(project.json("audit")["differ_count"], 0)

    def test_a_backup_of_the_log_beneath_a_newer_state(self):
        for kind, text in KINDS:
            with self.subTest(kind):
                project = self.copy()
                define(project, DEFINITION + text)
                log, backup = project.folder / ".coeval/log", project.folder / "backup"
                self.served(project, 1, 30)
                shutil.copytree(log, backup)
                self.served(project, 2, 30, step=100)
                shutil.rmtree(log)
                shutil.copytree(backup, log)
                self.check_rebuilt(project, "the log was put back to an older one",
                                   older_fits=kind == "snapshots")

    def test_a_backup_that_was_gone_on_with(self):
        for kind, text in KINDS:
            with self.subTest(kind):
                project = self.copy()
                define(project, DEFINITION + text)
                log, saved = project.folder / ".coeval/log", project.folder / ".coeval" / kind
                self.served(project, 1, 30)
                shutil.copytree(log, project.folder / "old-log")
                self.served(project, 2, 30, step=100)
                shutil.move(saved, project.folder / "newer")
                shutil.rmtree(log)
                shutil.move(project.folder / "old-log", log)
                self.served(project, 3, 60, step=100)
                shutil.rmtree(saved)
                shutil.move(project.folder / "newer", saved)
                self.check_rebuilt(project, "the log has another record before position",
                                   older_fits=kind == "snapshots")

    def test_another_log(self):
        for kind, text in KINDS:
            with self.subTest(kind):
                project = self.copy()
                define(project, DEFINITION + text)
                self.served(project, 1, 30)
                shutil.rmtree(project.folder / ".coeval/log")
                # The same traffic: but for its id the log is the same.
                shutil.move(project.folder / ".coeval" / kind, project.folder / "kept")
                self.served(project, 1, 30)
                shutil.rmtree(project.folder / ".coeval" / kind)
                shutil.move(project.folder / "kept", project.folder / ".coeval" / kind)
                self.check_rebuilt(project, "is of another log")

    def doctor(self, project, check=0):
        findings = json.loads(project.run("doctor", "--json", check=check).stdout)
        return {one["subject"]: (one["sound"], one["finding"]) for one in findings}

    def test_doctor_looks_at_the_saved_state(self):
        for kind, text in KINDS:
            with self.subTest(kind):
                project = self.copy()
                define(project, DEFINITION + text)
                found = self.doctor(project)
                self.assertEqual(found["state"], (True, "none saved yet"))
                self.assertEqual(found.get("rocksdb adapter"), (True, "loads") if text else None)
                server = Server(project)
                Traffic(1).send(server, 30)
                self.assertIn("is not looked at", self.doctor(project)["state"][1])
                self.assertEqual(server.stop(), 0)
                before = sorted((path.name, path.stat().st_mtime_ns)
                                for path in (project.folder / ".coeval" / kind).iterdir())
                sound, finding = self.doctor(project)["state"]
                self.assertTrue(sound)
                self.assertIn("of this definition and this log", finding)
                self.assertIn("as of log position", finding)
                self.assertIn("bytes, all readable", finding)
                after = sorted((path.name, path.stat().st_mtime_ns)
                               for path in (project.folder / ".coeval" / kind).iterdir())
                self.assertEqual(before, after)  # it changed nothing

                define(project, DEFINITION.replace('"14d"]', '"13d"]') + text)
                sound, finding = self.doctor(project)["state"]
                self.assertTrue(sound)
                self.assertIn("of another definition" if text else "none is of this definition", finding)
                define(project, DEFINITION + text)
                self.check_flipped(project, kind)

    def check_flipped(self, project, kind):
        folder = project.folder / ".coeval" / kind
        if kind == "state":  # what is in the write-ahead log gets into files
            self.started(project)
        files = [path for path in folder.iterdir() if path.suffix in (".sst", ".state")]
        self.assertTrue(files)
        for path in files:
            whole = path.read_bytes()
            for at in (len(whole) // 2, 40):
                damaged = bytearray(whole)
                damaged[at] ^= 0x10
                path.write_bytes(damaged)
                sound, finding = self.doctor(project, check=3)["state"]
                self.assertFalse(sound, (path, at))
                self.assertIn("away", finding)
                self.assertIn("rebuilt from", finding)
            path.write_bytes(whole)
        self.assertTrue(self.doctor(project)["state"][0])

    def test_doctor_without_the_module(self):
        project = self.copy()
        define(project, DEFINITION + ON_DISK)
        with tempfile.TemporaryDirectory() as elsewhere:
            (pathlib.Path(elsewhere) / "bin").mkdir()
            alone = shutil.copy(program.COEVAL, pathlib.Path(elsewhere) / "bin/coeval")
            whole, program.COEVAL = program.COEVAL, alone
            self.addCleanup(setattr, program, "COEVAL", whole)
            sound, finding = self.doctor(project, check=3)["rocksdb adapter"]
        self.assertFalse(sound)
        self.assertIn("./dev setup && ./dev build", finding)


if __name__ == "__main__":
    unittest.main()
