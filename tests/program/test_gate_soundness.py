"""Bad candidates are not promoted, better ones are, equal ones hardly ever: the gates on simulated candidates.

COEVAL_CANDIDATES sets how many bad ones are built (default 12; a quarter as many better ones, as many equal ones);
CI takes 60; docs/training.md has the numbers of 200. Every candidate is a build of its own against the same champion, by its own seed."""

import os
import pathlib
import random
import shutil
import tempfile
import unittest

from program import DEFINITION, Project, orders, stamp

CANDIDATES = int(os.environ.get("COEVAL_CANDIDATES", "12"))
TRAIN_UNTIL = "2024-03-01"
GATE = 'gate     = { better_than = "champion" }'
CHAMPION = (DEFINITION
            .replace('inputs   = ["hour", "amount", "user.*"]', 'inputs   = ["hour", "user.*"]')
            .replace('windows = ["1h", "1d", "14d"]', 'windows = ["1d", "60d"]')
            .replace('gate     = { auc = ">= 0.6" }', GATE)
            .replace("rounds = 20", "rounds = 60\neta = 0.05\nsubsample = 0.9\nmin_child_weight = 10"))


def is_training(moment):
    return stamp(moment) < TRAIN_UNTIL


def rows():
    """Orders that are bad for two reasons: who orders, and how much."""
    rng = random.Random(17)
    for moment, user, amount, bad in orders(8000):
        if amount > 40 and rng.random() < 0.15:
            bad = 1
        yield stamp(moment), user, amount, bad, is_training(moment)


ROWS = list(rows())


class Candidate:
    """What a candidate is made of: rows and a definition, spoilt or not."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.header = "ts,user,amount,bad"
        self.rows = [[*row] for row in ROWS]
        self.definition = CHAMPION.replace('trainer  = "xgboost"', f'trainer  = "xgboost"\nseed = {seed}')

    def label_noise(self):
        for row in self.rows:
            if row[4] and self.rng.random() < 0.3:
                row[3] = 1 - row[3]

    def leaked_column(self):
        """Known too early by a definition that lies: the label, wrong in one of twenty rows."""
        self.header += ",note"
        for row in self.rows:
            wrong = self.rng.random() < 0.05
            row.append(row[3] if not wrong else 1 - row[3])
        self.definition = (self.definition
                           .replace("bad     = {", 'note    = { type = "int32", known = "ts" }\nbad     = {', 1)
                           .replace('"hour", ', '"hour", "note", '))

    def shifted_data(self):
        for row in self.rows:
            if row[4]:
                row[1] = f"u{(int(row[1][1:]) * 7) % 300}"  # whose history is whose has changed

    def truncated_data(self):
        self.rows = [row for row in self.rows if not row[4] or row[0] < "2024-01-08"]

    def wrong_class_weight(self):
        self.definition = self.definition.replace('trainer  = ', 'weights = "if(bad = 1, 60, 1)"\ntrainer  = ')

    def broken_calibration(self):
        self.definition = self.definition.replace("eta = 0.05", "eta = 1\nmax_delta_step = 20\nlambda = 0")

    def better(self):
        """What was ordered for tells too, and the champion does not look at it."""
        self.definition = self.definition.replace('"user.*"', '"amount", "user.*"')

    def write_to(self, project):
        (project.folder / "coeval.toml").write_text(self.definition)
        with open(project.folder / "orders.csv", "w", encoding="utf-8") as file:
            file.write(self.header + "\n")
            for ts, user, amount, bad, _, *more in self.rows:
                file.write(",".join(map(str, [ts, user, amount, bad, *more])) + "\n")


BAD = (Candidate.label_noise, Candidate.leaked_column, Candidate.shifted_data, Candidate.truncated_data,
       Candidate.wrong_class_weight, Candidate.broken_calibration)


class Gates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """The median of nine equals: a champion by bad luck would be beaten by most of its equals, and rightly."""
        built = []
        for seed in range(1, 10):
            project = Project(CHAMPION, count=1)
            Candidate(seed).write_to(project)
            project.run("build")
            built.append((project.json("show", "risk")["metrics"]["test"]["auc"], seed, project))
        built.sort(key=lambda each: each[:2])
        cls.champion = built[4][2]
        for auc, seed, project in built:
            if project is not cls.champion:
                project.remove()
        cls.champion.run("promote", "risk")

    @classmethod
    def tearDownClass(cls):
        cls.champion.remove()

    def is_promoted(self, seed, spoil):
        candidate = Candidate(seed)
        if spoil:
            spoil(candidate)
        twin = object.__new__(Project)
        twin.folder = pathlib.Path(tempfile.mkdtemp(prefix="coeval-test-")) / "project"
        shutil.copytree(self.champion.folder, twin.folder)
        try:
            candidate.write_to(twin)
            built = twin.json("build", check=None)[0]
            self.assertEqual(built["version"], 2, "the candidate is the champion again")
            promoted = twin.run("promote", "risk", check=None).returncode == 0
            self.assertEqual(promoted, built["gates_passed"])
            return promoted
        finally:
            shutil.rmtree(twin.folder.parent, ignore_errors=True)

    def count(self, how_many, kinds, first_seed):
        promoted = {}
        for i in range(how_many):
            spoil = kinds[i % len(kinds)]
            if self.is_promoted(first_seed + i, spoil):
                name = spoil.__name__ if spoil else "equal"
                promoted[name] = promoted.get(name, 0) + 1
        print(f"{how_many} candidates, promoted: {promoted}")
        return sum(promoted.values())

    def test_no_bad_candidate_is_promoted(self):
        self.assertEqual(self.count(CANDIDATES, BAD, 1000), 0)

    def test_better_ones_are(self):
        how_many = max(4, CANDIDATES // 4)
        self.assertGreaterEqual(self.count(how_many, [Candidate.better], 5000), 0.9 * how_many)

    def test_equal_ones_hardly_ever(self):
        self.assertLessEqual(self.count(CANDIDATES, [None], 9000), max(1, 0.05 * CANDIDATES))


if __name__ == "__main__":
    unittest.main()
