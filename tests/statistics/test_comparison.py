"""Two models on the same rows: DeLong, McNemar, Holm, and the bootstrap replicate by replicate."""

import math
import unittest
from fractions import Fraction

import numpy as np
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from cases import CASES, Comparison, answers, labels, listed, scores, weights
from test_binary import Rows, calibration_error

MASK = (1 << 64) - 1


def pair_of(random, rows):
    y = labels(random, rows)
    first = scores(random, rows, y)
    second = first if random.integers(10) == 0 else scores(random, rows, y)
    return y, first, second


def test_case(seed):
    random = np.random.default_rng([5, seed])
    rows = int(random.choice([1, 3, 12, 60]))
    y, first, second = pair_of(random, rows)
    p = random.random(int(random.integers(1, 9))) ** 3
    return {"what": "tests", "labels": [int(v) for v in y], "challenger": listed(first),
            "champion": listed(second),
            "counts": [int(c) for c in random.integers(0, random.choice([4, 40, 900]), 2)],
            "p_values": listed(np.round(p, int(random.choice([1, 17]))))}


def delong(y, first, second):
    """By the definition: every pair of rows; then exact variances of whole numbers."""
    p, n = int((y == 1).sum()), int((y == 0).sum())
    if p == 0 or n == 0:
        return [math.nan] * 6
    psi = [(np.sign(s[y == 1][:, None] - s[y == 0][None, :]) + 1) / 2 for s in (first, second)]
    aucs = [m.mean() for m in psi]
    if p < 2 or n < 2:
        return aucs + [math.nan] * 4
    s10 = np.cov([m.mean(axis=1) for m in psi])
    s01 = np.cov([m.mean(axis=0) for m in psi])
    textbook = (s10 / p + s01 / n) @ np.array([1, -1]) @ np.array([1, -1])
    exact = Fraction(0)
    for axis, size, others in ((1, p, n), (0, n, p)):
        d = [Fraction(int(2 * v), 2 * others) for v in (psi[0] - psi[1]).sum(axis=axis)]
        mean = sum(d) / size
        exact += sum((v - mean) ** 2 for v in d) / (size - 1) / size
    assert abs(textbook - float(exact)) <= 1e-12, (textbook, exact)
    difference = sum(Fraction(int(2 * v), 2 * p * n) for v in (psi[0] - psi[1]).ravel())
    error = math.sqrt(exact)
    z = 0.0 if difference == 0 else float(difference) / error if error else math.inf * float(difference)
    return aucs + [float(difference), error, z, 2 * stats.norm.sf(abs(z)) if difference else 1.0]


def delong_auc(y, scores):
    p, n = int((y == 1).sum()), int((y == 0).sum())
    if p == 0 or n == 0:
        return [math.nan] * 4
    psi = (np.sign(scores[y == 1][:, None] - scores[y == 0][None, :]) + 1) / 2
    if p < 2 or n < 2:
        return [psi.mean()] + [math.nan] * 3
    error = math.sqrt(np.var(psi.mean(axis=1), ddof=1) / p + np.var(psi.mean(axis=0), ddof=1) / n)
    ends = stats.norm.interval(0.95, psi.mean(), error) if error else [psi.mean()] * 2
    return [psi.mean(), error, max(0, ends[0]), min(1, ends[1])]


def holm(p):
    """p_i becomes the greatest of (m − rank_j + 1)·p_j over those that are at most p_i, at most 1."""
    order = np.argsort(p, kind="stable")
    rank = {int(i): r for r, i in enumerate(order)}
    return [max(min(1.0, (len(p) - rank[j]) * p[j]) for j in range(len(p)) if rank[j] <= rank[i])
            for i in range(len(p))]


def mix(x):
    """Of an array of uint64, which wraps."""
    x = (x ^ x >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ x >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return x ^ x >> np.uint64(31)


BOUNDS = [round(2**16 * stats.poisson.cdf(k, 1)) for k in range(8)]


def poisson_weights(seed, replicates, units):
    """As the comment in src/stats/bootstrap_draws.h has them: replicates × units."""
    base = mix(mix(np.array([seed], np.uint64)) + np.array([u & MASK for u in units], np.uint64))
    steps = np.array([(r // 4 + 1) * 0x9E3779B97F4A7C15 & MASK for r in range(replicates)], np.uint64)
    words = mix(base[None, :] + steps[:, None])
    shifts = np.array([16 * (r % 4) for r in range(replicates)], np.uint64)
    draws = words >> shifts[:, None] & np.uint64(0xFFFF)
    return sum((draws >= np.uint64(bound)).astype(float) for bound in BOUNDS)


def bootstrap_case(seed):
    random = np.random.default_rng([6, seed])
    rows = int(random.choice([2, 8, 30, 80]))
    y, first, second = pair_of(random, rows)
    units = None if random.integers(2) else [int(u) for u in random.integers(-9, 9, rows)]
    return {"what": "bootstrap", "labels": [int(v) for v in y], "challenger": listed(first),
            "champion": listed(second), "units": units or [], "weights": listed(weights(random, rows)),
            "seed": int(random.integers(0, 2**62)), "replicates": int(random.choice([1, 30, 70])),
            "level": float(random.choice([0.5, 0.9, 0.95]))}


def auc(y, s, w):
    positive, negative = y == 1, y == 0
    pairs = np.outer(w[positive], w[negative])
    if pairs.sum() == 0:
        return math.nan
    order = np.sign(s[positive][:, None] - s[negative][None, :])
    return (pairs * (order + 1) / 2).sum() / pairs.sum()


def mean_square(y, s, w):
    return (w * (s - y) ** 2).sum() / w.sum() if w.sum() > 0 else math.nan


def share_of_positives(y, s, w):
    return (w * y * s).sum() / (w * y).sum() if (w * y).sum() > 0 else math.nan


def calibration(y, s, w):
    return calibration_error(Rows({"scores": s, "labels": y, "weights": list(w)}))


def average_precision(y, s, w):
    return average_precision_score(y, s, sample_weight=w) if w[y == 1].sum() > 0 else math.nan


class Comparing(unittest.TestCase):
    def test_delong_mcnemar_and_holm_equal_brute_force(self):
        cases = [test_case(seed) for seed in range(CASES)]
        check = Comparison(self)
        for i, (case, ours) in enumerate(zip(cases, answers(cases))):
            y, first, second = (np.array(case[name]) for name in ("labels", "challenger", "champion"))
            check.all_near(f"case {i} DeLong", ours["delong"], delong(y, first, second), 1e-11)
            check.all_near(f"case {i} DeLong of one", ours["delong_auc"], delong_auc(y, first), 1e-11)
            right = [(s >= 0.5) == (y == 1) for s in (first, second)]
            only = [int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())]
            for where, (a, b), p in (("rows", only, ours["mcnemar_rows"][2]),
                                     ("counts", case["counts"], ours["mcnemar"])):
                expected = stats.binomtest(a, a + b, 0.5).pvalue if a + b else 1.0
                check.relative(f"case {i} McNemar of {where} {a} {b}", p, expected, 1e-11)
            check.all_near(f"case {i} McNemar", ours["mcnemar_rows"][:2], only)
            check.all_near(f"case {i} Holm", ours["holm"], holm(case["p_values"]))
        check.close(13 * CASES)

    def test_mcnemar_of_many_rows_equals_exact_sums(self):
        pairs = [(0, 1), (0, 60), (1, 900), (400, 600), (990, 1010), (2000, 2000), (4900, 5100)]
        cases = [test_case(0) | {"counts": list(pair)} for pair in pairs]
        check = Comparison(self)
        for (a, b), ours in zip(pairs, answers(cases)):
            tail = sum(math.comb(a + b, i) for i in range(min(a, b) + 1))
            expected = float(min(Fraction(1), Fraction(2 * tail, 2 ** (a + b))))
            check.relative(f"McNemar {a} {b}", ours["mcnemar"], expected, 1e-12)
        check.close(len(pairs))

    def test_each_replicate_of_the_bootstrap_equals_the_metric_with_its_weights(self):
        cases = [bootstrap_case(seed) for seed in range(CASES)]
        check, seen = Comparison(self), np.zeros(9)
        for i, (case, ours) in enumerate(zip(cases, answers(cases))):
            y, first, second = (np.array(case[name]) for name in ("labels", "challenger", "champion"))
            units = case["units"] or range(len(y))
            own = np.array(case["weights"]) if case["weights"] else np.ones(len(y))
            times = poisson_weights(case["seed"], case["replicates"], units)
            seen += np.bincount(times.astype(int).ravel(), minlength=9)
            metrics = {"auc": (auc, np.ones(len(y)), 1), "brier": (mean_square, own, -1),
                       "rmse": (lambda *a: math.sqrt(mean_square(*a)), own, -1),
                       "average_precision": (average_precision, own, 1),
                       "plain_average_precision": (average_precision, np.ones(len(y)), 1)}
            for name, (metric, base, sign) in metrics.items():
                found, where = ours[name], f"case {i} {name}"
                whole = [metric(y, s, base) for s in (first, second)]
                check.all_near(where, [found["challenger"], found["champion"], found["value"]],
                               whole + [sign * (whole[0] - whole[1])])
                expected = [sign * (metric(y, first, base * t) - metric(y, second, base * t))
                            for t in (times[:5] if "average" in name else times)]
                check.all_near(where, found["replicates"][:len(expected)], expected)
                # The summary is checked on our own replicates, whose ties with 0 are exact.
                mine = np.array([float(v) for v in found["replicates"]])
                defined = mine[~np.isnan(mine)]
                ends = p = [math.nan, math.nan]
                if not math.isnan(float(found["value"])) and len(defined) * 10 >= len(mine) * 9:
                    level = case["level"]
                    ends = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
                    p = [min(1, 2 * (1 + min((defined <= 0).sum(), (defined >= 0).sum())) / (1 + len(defined)))]
                check.all_near(where, [found["lower"], found["upper"], found["p_value"]],
                               [ends[0], ends[1], p[0]])
                value, normal = float(found["value"]), math.nan
                if not math.isnan(p[0]) and len(defined) > 1:
                    spread = np.std(defined, ddof=1)
                    normal = 1.0 if value == 0 else 2 * stats.norm.sf(abs(value) / spread) if spread else 0.0
                check.near(where, found["normal_p_value"], normal, 1e-9)
            self.check_estimates(check, i, case, ours["estimates"], times, own)
            both = times[0][y == 1].sum() * times[0][y == 0].sum() > 0
            if both:
                difference = [roc_auc_score(y, s, sample_weight=times[0]) for s in (first, second)]
                check.near(f"case {i} AUC by scikit-learn", ours["auc"]["replicates"][0],
                           difference[0] - difference[1])
        check.close(40 * CASES)
        shares = stats.poisson.pmf(range(9), 1)
        error = np.sqrt(shares * (1 - shares) / seen.sum())
        self.assertLess((np.abs(seen / seen.sum() - shares) / (error + 2e-5)).max(), 5)

    def check_estimates(self, check, i, case, ours, times, own):
        """Intervals of one model: percentiles of the metric with each replicate's weights."""
        y, s, one = np.array(case["labels"]), np.array(case["challenger"]), np.ones(len(case["labels"]))
        metrics = {"auc": (auc, one), "brier": (mean_square, own), "of_positives": (share_of_positives, one)}
        if i % 10 == 0:  # these two are slow here
            metrics |= {"average_precision": (average_precision, one), "calibration_error": (calibration, one)}
        for name, (metric, base) in metrics.items():
            replicates = np.array([metric(y, s, base * t) for t in times])
            value, defined = metric(y, s, base), replicates[~np.isnan(replicates)]
            ends = [math.nan, math.nan]
            if not math.isnan(value) and len(defined) * 10 >= len(replicates) * 9:
                ends = np.quantile(defined, [(1 - case["level"]) / 2, (1 + case["level"]) / 2])
            units = len(set(case["units"])) if case["units"] else len(y)
            check.all_near(f"case {i} estimate of {name}", ours[name], [value, *ends, units])


if __name__ == "__main__":
    unittest.main()
