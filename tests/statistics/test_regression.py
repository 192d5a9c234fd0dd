"""Metrics of predicted numbers against scikit-learn."""

import math
import unittest

import numpy as np
from scipy import stats
from sklearn import metrics as sk

from cases import CASES, Comparison, answers, listed, weights


def make_case(seed):
    random = np.random.default_rng([3, seed])
    rows = int(random.choice([1, 2, 9, 60, 300]))
    y = random.normal(random.choice([0, 5, 100]), random.choice([1, 30]), rows)
    kind = random.integers(6)
    if kind == 0:
        y = np.round(y)  # zeros and ties
    if kind == 1:
        y = np.full(rows, random.choice([0.0, 3.25]))
    predicted = y + random.normal(0, random.choice([0.1, 10]), rows)
    half = np.abs(random.normal(0, 8, rows))
    return {"what": "regression", "predictions": listed(predicted), "targets": listed(y),
            "weights": listed(weights(random, rows)), "lower": listed(predicted - half),
            "upper": listed(predicted + half), "tau": float(random.choice([0.05, 0.5, 0.9])),
            "season": int(random.integers(1, 8))}


def concordance(y, scores):
    """Somers' D of scipy, whose time grows with the fourth power of the rows, of few rows; of more by every pair."""
    if len(y) <= 9:
        return (stats.somersd(y, scores).statistic + 1) / 2
    above = y[:, None] > y[None, :]
    return np.where(above, (np.sign(scores[:, None] - scores[None, :]) + 1) / 2, 0).sum() / above.sum()


def ratio(a, b):
    return a / b if b > 0 else math.nan


class Regression(unittest.TestCase):
    def test_regression_metrics_equal_scikit_learn(self):
        cases = [make_case(seed) for seed in range(CASES)]
        check = Comparison(self)
        for i, (case, ours) in enumerate(zip(cases, answers(cases))):
            p, y = np.array(case["predictions"]), np.array(case["targets"])
            w = np.array(case["weights"]) if case["weights"] else np.ones(len(y))
            season = case["season"]
            naive = [np.abs(y[s:] - y[:-s]).mean() if len(y) > s else math.nan for s in (1, season)]
            check.near(f"case {i} naive error", ours["naive_error"], naive[1])
            if len(set(y)) > 1:  # the oracle has no answer for one target
                check.near(f"case {i} concordance", ours["concordance"], concordance(y, np.float32(p)))
            else:
                check.near(f"case {i} concordance", ours["concordance"], math.nan)
            near = int((np.abs(y) < 0.01 * np.abs(y).mean()).sum() if y.any() else len(y))
            if w.sum() == 0:
                for name in ("rmse", "mae", "mape", "wape", "pinball", "r_squared", "mase"):
                    check.near(f"case {i} {name}", ours[name], math.nan)
                continue
            error = np.abs(p - y)
            mae = sk.mean_absolute_error(y, p, sample_weight=w)
            mean = math.fsum(w * y) / math.fsum(w)
            constant = math.fsum(w * (y - mean) ** 2) == 0 or len(set(y[w > 0])) == 1
            expected = {
                "rmse": sk.root_mean_squared_error(y, p, sample_weight=w), "mae": mae,
                "mape": sk.mean_absolute_percentage_error(y, p, sample_weight=w),
                "wape": ratio(math.fsum(w * error), math.fsum(w * np.abs(y))),
                "pinball": sk.mean_pinball_loss(y, p, sample_weight=w, alpha=case["tau"]),
                "mase": ratio(mae, naive[0]), "rows_near_zero": near}
            if not constant:
                expected["r_squared"] = sk.r2_score(y, p, sample_weight=w)
            for name, value in expected.items():
                check.near(f"case {i} {name}", ours[name], value)
            lower, upper = np.array(case["lower"]), np.array(case["upper"])
            check.all_near(f"case {i} coverage", ours["coverage"],
                           [np.average((lower <= y) & (y <= upper), weights=w),
                            np.average(upper - lower, weights=w)])
        check.close(10 * CASES)


if __name__ == "__main__":
    unittest.main()
