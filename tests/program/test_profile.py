"""`coeval profile`: what a table holds, as a frozen reference that checks compare later tables with."""

import json
import math
import random
import unittest

from program import Project

HEAD = "ts,user,amount,bad\n"


def rows(count, seed, mean=50):
    rng = random.Random(seed)
    return [(f"2024-05-{1 + i % 28:02d}T00:00:00Z", f"u{rng.randrange(40)}", round(abs(rng.gauss(mean, 10)), 2), i % 2)
            for i in range(count)]


def write(path, lines):
    path.write_text(HEAD + "".join(",".join(map(str, line)) + "\n" for line in lines))


class Profile(unittest.TestCase):
    def setUp(self):
        self.project = Project(count=100)
        self.addCleanup(self.project.remove)

    def test_shards_merge_to_the_bytes_of_one_pass(self):
        folder, lines = self.project.folder, rows(3000, 1)
        write(folder / "all.csv", lines)
        self.project.run("profile", "orders", folder / "all.csv", "--out", folder / "one.profile")
        shards = [[] for _ in range(7)]
        rng = random.Random(2)
        for line in lines:
            shards[rng.randrange(7)].append(line)
        for i, shard in enumerate(shards):
            write(folder / f"{i}.csv", shard)
            self.project.run("profile", "orders", folder / f"{i}.csv", "--out", folder / f"{i}.profile")
        order = [folder / f"{i}.profile" for i in (3, 0, 6, 1, 5, 2, 4)]
        self.project.run("profile", "orders", *order, "--out", folder / "seven.profile")
        self.assertEqual((folder / "seven.profile").read_bytes(), (folder / "one.profile").read_bytes())

    def test_numbers_are_those_of_python(self):
        lines = rows(500, 3)
        write(self.project.folder / "a.csv", lines + [("2024-05-01T00:00:00Z", "nobody", 1, 0)])
        found = self.project.json("profile", "orders", self.project.folder / "a.csv", "--correlations")
        self.assertEqual((found["rows"], found["left_out_count"]), (500, 1))
        amount = next(column for column in found["columns"] if column["name"] == "amount")
        values = [line[2] for line in lines]
        mean = math.fsum(values) / 500
        self.assertAlmostEqual(amount["mean"], mean, delta=1e-12)
        bad = [line[3] for line in lines]
        top = math.fsum((x - mean) * (y - 0.5) for x, y in zip(values, bad))
        expected = top / math.sqrt(math.fsum((x - mean) ** 2 for x in values) * math.fsum((y - 0.5) ** 2 for y in bad))
        pair = next(p for p in found["correlations"] if (p["x"], p["y"]) == ("amount", "bad"))
        self.assertAlmostEqual(pair["correlation"], expected, delta=1e-12)

    def test_a_reference_finds_drift_and_holds_the_batch(self):
        folder = self.project.folder
        write(folder / "usual.csv", rows(3000, 1))
        write(folder / "like.csv", rows(3000, 2))
        write(folder / "other.csv", rows(3000, 3, mean=65))
        self.project.run("profile", "orders", folder / "usual.csv", "--out", folder / "usual.profile")
        definition = folder / "coeval.toml"
        definition.write_text(definition.read_text().replace(
            "[view.user]", '[source.orders.checks]\ndrift = { psi = "amount", reference = "usual.profile", max = 0.2 }\n'
            'users = { new_values = "user", reference = "usual.profile", max = 0 }\n[view.user]'))
        self.project.run("check", "--data", f"orders={folder}/like.csv")
        self.assertIn("FAIL checks.drift", self.project.run("check", "--data", f"orders={folder}/other.csv", check=3).stdout)
        held = self.project.json("ingest", "orders", folder / "other.csv", check=3)[0]
        self.assertEqual((held["state"], held["reasons"][0].split(":")[0]), ("held", "checks.drift"))
        self.assertEqual(self.project.json("ingest", "orders", folder / "like.csv")[0]["state"], "published")

    def test_values_of_personal_columns_are_not_shown(self):
        definition = self.project.folder / "coeval.toml"
        definition.write_text(definition.read_text().replace('pattern = "u[0-9]+"', 'pattern = "u[0-9]+", pii = true'))
        write(self.project.folder / "a.csv", rows(100, 1))
        done = self.project.run("profile", "orders", self.project.folder / "a.csv", "--out", self.project.folder / "p.profile")
        self.assertNotIn("u1", done.stdout)
        self.assertIn("it holds values of the personal column 'user'", done.stderr)
        self.assertNotIn('"u1', json.dumps(self.project.json("profile", "orders", self.project.folder / "a.csv")))


if __name__ == "__main__":
    unittest.main()
