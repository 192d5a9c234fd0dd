"""Seeded cases, the answers of src/stats to them, and how near two numbers must be."""

import json
import math
import os
import subprocess

import numpy as np

CASES = int(os.environ.get("COEVAL_STATISTICS_CASES", "1000"))
TOLERANCE = 1e-12


def answers(cases):
    """What coeval_statistics_answers says to each case, all in one run."""
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    done = subprocess.run([os.environ["COEVAL_STATISTICS_ANSWERS"]], input=lines, text=True,
                          capture_output=True, check=True, timeout=600)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(cases), f"{len(found)} answers to {len(cases)} cases"
    return found


def number(value):
    """NaN and infinities are written as strings."""
    return float(value)


class Comparison:
    """Collects what differs; a failed test shows the first few."""

    def __init__(self, test):
        self.test, self.compared, self.wrong, self.undefined = test, 0, [], 0

    def near(self, where, ours, expected, tolerance=TOLERANCE):
        """Within tolerance · max(1, |expected|); NaN and infinities equal themselves alone."""
        ours, expected = number(ours), float(expected)
        self.compared += 1
        self.undefined += math.isnan(expected)
        same = (math.isnan(ours) and math.isnan(expected)) or ours == expected
        if not same and not abs(ours - expected) <= tolerance * max(1.0, abs(expected)):
            self.wrong.append(f"{where}: ours {ours!r}, expected {expected!r}")

    def relative(self, where, ours, expected, tolerance):
        self.compared += 1
        if not abs(number(ours) - expected) <= tolerance * abs(expected):
            self.wrong.append(f"{where}: ours {ours!r}, expected {expected!r}")

    def all_near(self, where, ours, expected, tolerance=TOLERANCE):
        if len(ours) != len(expected):
            self.wrong.append(f"{where}: {len(ours)} values for {len(expected)}")
            return
        for i, (a, b) in enumerate(zip(ours, expected)):
            self.near(f"{where}[{i}]", a, b, tolerance)

    def equal(self, where, ours, expected):
        self.compared += 1
        if ours != expected:
            self.wrong.append(f"{where}: ours {ours!r}, expected {expected!r}")

    def close(self, least):
        print(f"{self.test.id().split('.')[-1]}: {self.compared} values compared, "
              f"{self.undefined} of them undefined, {len(self.wrong)} differ")
        self.test.assertEqual(self.wrong[:8], [])
        self.test.assertGreaterEqual(self.compared, least)


def weights(random, rows):
    """None, real, whole with zeros, or of very different sizes."""
    kind = random.integers(5)
    if kind <= 1:
        return None
    if kind == 2:
        return random.uniform(0.1, 3, rows)
    if kind == 3:
        return random.integers(0, 4, rows).astype(float)
    return np.exp(random.normal(0, 3, rows))


def scores(random, rows, truth):
    """Float32 probabilities, with ties in two of three cases, sometimes exactly 0 and 1."""
    values = 1 / (1 + np.exp(-(1.5 * (truth - 0.5) + random.normal(0, 1, rows))))
    levels = random.choice([0, 3, 20])
    if levels:
        values = np.round(values * levels) / levels
    return values.astype(np.float32)


def labels(random, rows):
    """0 and 1; in one of twelve cases of one class only."""
    if random.integers(12) == 0:
        return np.full(rows, random.integers(2))
    return (random.random(rows) < random.choice([0.05, 0.3, 0.5, 0.8])).astype(int)


def listed(array):
    return [] if array is None else [float(x) for x in array]
