"""Calibration maps against scikit-learn, Platt's also against the exact root of its gradient."""

import unittest

import numpy as np
from scipy.optimize import root
from scipy.special import expit
from sklearn.calibration import _sigmoid_calibration
from sklearn.isotonic import IsotonicRegression

from cases import CASES, Comparison, answers, labels, listed, scores, weights


def make_case(seed):
    random = np.random.default_rng([7, seed])
    rows = int(random.choice([1, 5, 40, 300, 999, 1000, 1500], p=[.05, .15, .3, .3, .1, .05, .05]))
    y = labels(random, rows)
    s = scores(random, rows, y)
    if random.integers(4) == 0:
        s = (random.choice([1, 50]) * np.log(np.clip(s, 1e-4, 1 - 1e-4) / (1 - np.clip(s, 1e-4, 1 - 1e-4))))
    s = s.astype(np.float32)
    at = np.concatenate([random.uniform(s.min() - 1, s.max() + 1, 10), random.choice(s, 10)])
    return {"what": "calibration", "scores": listed(s), "labels": [int(v) for v in y],
            "weights": listed(weights(random, rows)), "at": listed(at)}


def exact_sigmoid(s, y, w, start):
    """The root of the gradient of Platt's loss, to the last digits; on scores scaled to [−1, 1]."""
    middle, half = (s.max() + s.min()) / 2, (s.max() - s.min()) / 2
    x = (s - middle) / half
    p, n = w[y == 1].sum(), w[y == 0].sum()
    target = np.where(y == 1, (p + 1) / (p + 2), 1 / (n + 2))

    def gradient(ab):
        rest = w * (target - expit(-(ab[0] * x + ab[1])))
        return [rest @ x, rest.sum()]

    def bend(ab):
        q = expit(-(ab[0] * x + ab[1]))
        c = w * q * (1 - q)
        return np.array([[c @ (x * x), c @ x], [c @ x, c.sum()]])

    found = root(gradient, [start[0] * half, start[1] + start[0] * middle], jac=bend, tol=1e-14).x
    for _ in range(3):  # the last digits
        found = found - np.linalg.solve(bend(found), gradient(found))
    return found[0] / half, found[1] - found[0] * middle / half


class Calibration(unittest.TestCase):
    def test_calibration_maps_equal_scikit_learn(self):
        cases = [make_case(seed) for seed in range(CASES)]
        check, refused, sigmoids, off = Comparison(self), 0, 0, []
        for i, (case, ours) in enumerate(zip(cases, answers(cases))):
            s, y = np.array(case["scores"]), np.array(case["labels"])
            w = np.array(case["weights"]) if case["weights"] else np.ones(len(y))
            keep = w > 0
            s, y, w, at = s[keep], y[keep], w[keep], np.array(case["at"])
            if len(set(y)) < 2 or len(set(s)) < 2:
                refused += 1
                for name in ("platt", "isotonic", "chosen"):
                    check.equal(f"case {i} {name}", ours[name], {"error": "no_rows"})
                continue
            check.equal(f"case {i} choice", ours["chosen"]["kind"],
                        "platt" if len(y) < 1000 else "isotonic")
            least = max(1 / (2 * len(y) + 2), 2 ** -24)
            model = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip").fit(
                s, y, sample_weight=w)
            check.all_near(f"case {i} isotonic", ours["isotonic"]["at"], model.predict(at))
            theirs = _sigmoid_calibration(s, y, sample_weight=w)
            a, b = exact_sigmoid(s, y, w, theirs)
            if not np.isfinite([a, b]).all():
                continue
            sigmoids += 1
            platt = ours["platt"]
            check.near(f"case {i} slope", platt["slope"], a, 1e-9)
            check.near(f"case {i} intercept", platt["intercept"], b, 1e-9)
            check.all_near(f"case {i} sigmoid", platt["at"], expit(-(a * at + b)), 1e-9)
            off.append(max(abs(platt["slope"] - theirs[0]) / max(1, abs(a)),
                           abs(platt["intercept"] - theirs[1]) / max(1, abs(b))))
        print(f"scikit-learn's own sigmoid is within 1e-6 in {sum(o <= 1e-6 for o in off)} of {len(off)}, "
              f"within 1e-4 in {sum(o <= 1e-4 for o in off)}, at most {max(off):.1e} away")
        check.close(20 * CASES)
        # Its L-BFGS stops at a gradient of 1e-6, so a few of its parameters are less exact than that.
        self.assertGreaterEqual(sum(o <= 1e-6 for o in off), 0.95 * len(off))
        self.assertLess(max(off), 1e-3)
        self.assertGreater(refused, CASES // 20)
        self.assertGreater(sigmoids, CASES // 2)


if __name__ == "__main__":
    unittest.main()
