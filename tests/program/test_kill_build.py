"""kill -9 of a build at random moments: the next build completes with the same ids, and the doctor finds nothing."""

import os
import random
import shutil
import subprocess
import time
import unittest

from program import COEVAL, DEFINITION, Project

KILLS = int(os.environ.get("COEVAL_KILLS", "10"))


def ids(project):
    version = project.json("show", "risk")
    return version["version"], version["recipe_id"], version["bits_id"], version["dataset_id"]


class KillBuild(unittest.TestCase):
    def setUp(self):
        self.project = Project(DEFINITION.replace(">= 0.6", ">= 0.1"), count=2000)
        self.addCleanup(self.project.remove)
        self.state = self.project.folder / ".coeval"

    def killed(self, seconds):
        """Whether a build was still running after so many seconds; it is not any more."""
        build = subprocess.Popen([COEVAL, "build", "-C", self.project.folder], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            build.wait(seconds)
        except subprocess.TimeoutExpired:
            build.kill()
        return build.wait(30) != 0

    def test_the_next_build_completes_with_the_same_ids_and_nothing_is_broken(self):
        begin = time.monotonic()
        self.project.run("build")
        duration = time.monotonic() - begin
        expected = ids(self.project)
        lock = (self.project.folder / "coeval.lock").read_bytes()
        rng = random.Random(20240402)
        killed = 0
        for kill in range(KILLS):
            # Mostly from nothing; now and then what is left by the kill before, and by this one.
            if rng.random() < 0.8:
                shutil.rmtree(self.state, ignore_errors=True)
                (self.project.folder / "coeval.lock").unlink(missing_ok=True)
            killed += self.killed(rng.uniform(0, duration * 1.05))
            if rng.random() < 0.2:
                continue
            with self.subTest(kill):
                self.project.run("build")
                self.assertEqual(ids(self.project), expected)
                self.assertEqual((self.project.folder / "coeval.lock").read_bytes(), lock)
                self.project.run("doctor")
                self.assertTrue(self.project.json("reproduce", "risk")["same"])
                # What the killed build left is found and goes; what is left is a build.
                left = self.project.json("gc")["items"]
                self.assertTrue(all(item["path"].startswith(("work/", "datasets/", "models/")) for item in left))
                self.assertIn("unchanged", self.project.run("build").stdout)
                self.assertEqual(os.listdir(self.state / "work"), [])
                self.assertEqual(len(os.listdir(self.state / "datasets")), 2)  # rows and facts
                self.assertEqual(len(os.listdir(self.state / "models/risk")), 1)
        self.project.run("build")
        self.assertEqual(ids(self.project), expected)
        self.assertGreater(killed, KILLS // 4)


if __name__ == "__main__":
    unittest.main()
