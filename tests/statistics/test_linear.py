"""Linear and logistic regression against scikit-learn, and where it has no exact solver against the conditions that the
one minimum obeys. The design (standardised numbers, one-hot, indicators of nulls) is built here once more."""

import unittest
import warnings

import numpy as np
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge

from cases import CASES, Comparison, answers, listed

# Both sides stop within 1e-10 of the gradient a row; a coefficient is off by that over the curvature a row, which the
# penalty keeps above 1e-4 in these cases.
COEFFICIENT = 1e-6


def make_case(seed):
    random = np.random.default_rng([31, seed])
    rows = int(random.choice([30, 200, 900, 9000], p=[.3, .4, .28, .02]))
    kinds = [int(k) for k in random.integers(0, 2, int(random.integers(1, 7)))]
    columns, signal = [], np.zeros(rows)
    for kind in kinds:
        column = random.integers(0, random.choice([2, 5, 12]), rows).astype(float) if kind else \
            random.normal(random.choice([0, 1000]), random.choice([.01, 1, 300]), rows)
        effect = random.normal(0, 1, 12)[column.astype(int)] if kind else \
            random.normal() * (column - column.mean()) / (column.std() or 1)
        signal = signal + effect
        if random.integers(3) == 0:
            column[random.random(rows) < .2] = np.nan
        if not kind and random.integers(8) == 0:
            column[:] = 7  # constant
        columns.append(column)
    logistic = bool(random.integers(2))
    y = (random.random(rows) < expit(signal)).astype(float) if logistic else \
        random.choice([1, 1000]) * (signal + random.normal(0, 1, rows))
    w = random.choice([0, 1, 3], rows).astype(float) if random.integers(3) == 0 else None
    l1 = float(random.choice([0, .5, 5])) * (1 if logistic else np.std(y) or 1)
    return {"what": "linear", "values": [str(v) if np.isnan(v) else float(v)
                                         for v in np.float32(np.column_stack(columns)).ravel()],
            "categorical": kinds, "labels": listed(np.float32(y)), "weights": listed(w),
            "loss": "logistic" if logistic else "squared", "l1": l1,
            "l2": float(random.choice([.1, 1, 20])) * max(1, rows / 1000), "threads": int(random.integers(1, 3)),
            "directions": [int(v) for v in random.integers(-1, 2, len(kinds))] if random.integers(5) == 0 else []}


class Design:
    """The columns of the regression, made from a case by the words of docs/training.md alone."""

    def __init__(self, case):
        kinds = case["categorical"]
        self.y = np.array(case["labels"])
        self.w = np.array(case["weights"]) if case["weights"] else np.ones(len(self.y))
        raw = np.array([float(v) for v in case["values"]]).reshape(-1, len(kinds))
        numbers, rest, signs = [], [], []
        self.means, self.scales = {}, {}
        for i, kind in enumerate(kinds):
            x, there = raw[:, i], ~np.isnan(raw[:, i])
            if not kind and there.any():
                weighed = self.w * there
                mean = np.average(x[there], weights=self.w[there]) if weighed.sum() else 0
                used = there & (self.w > 0)
                if used.any() and np.ptp(x[used]) > 0:
                    scale = np.sqrt(np.average((x[there] - mean) ** 2, weights=self.w[there]))
                    self.means[i], self.scales[i] = mean, scale
                    numbers.append(np.where(there, (x - mean) / scale, 0))
                    signs.append(case["directions"][i] if case["directions"] else 0)
            elif kind and there.any():
                rest += [(x == code).astype(float) for code in range(int(np.nanmax(x)) + 1)]
            if not there.all():
                rest.append((~there).astype(float))
        self.x = np.column_stack(numbers + rest) if numbers or rest else np.zeros((len(self.y), 0))
        self.signs = np.array(signs + [0] * len(rest))

    def violation(self, case, intercept, b):
        """How far 0 is from the subgradient of the objective, a row."""
        margin = intercept + self.x @ b
        residual = self.w * ((expit(margin) if case["loss"] == "logistic" else margin) - self.y)
        slope = self.x.T @ residual + case["l2"] * b
        up, down = -(slope + case["l1"]), slope - case["l1"]
        zero = np.maximum(np.maximum(np.where(self.signs < 0, 0, up), np.where(self.signs > 0, 0, down)), 0)
        off = np.where(b > 0, np.abs(slope + case["l1"]), np.where(b < 0, np.abs(slope - case["l1"]), zero))
        worst = max(np.abs(residual.sum()), off.max(initial=0))
        scale = 1 if case["loss"] == "logistic" else \
            np.sqrt(np.average((self.y - np.average(self.y, weights=self.w)) ** 2, weights=self.w)) or 1
        return worst / self.w.sum() / scale


def reference(case, design):
    """Scikit-learn's intercept and coefficients, or nothing where it has no exact solver."""
    x, y, w, l1, l2 = design.x, design.y, design.w, case["l1"], case["l2"]
    if case["directions"] or not x.shape[1]:
        return None
    if case["loss"] == "logistic":
        if l1:
            return None
        model = LogisticRegression(C=1 / l2, solver="newton-cholesky", tol=1e-12, max_iter=1000)
    elif l1:
        if not np.all(w == 1):
            return None  # it rescales weights by its own rule
        model = ElasticNet(alpha=(l1 + l2) / len(y), l1_ratio=l1 / (l1 + l2), tol=1e-14, max_iter=1_000_000)
        return fitted(model.fit(x, y))
    else:
        model = Ridge(alpha=l2, solver="cholesky")
    return fitted(model.fit(x, y, sample_weight=w))


def fitted(model):
    return float(np.ravel(model.intercept_)[0]), np.ravel(model.coef_)


class Linear(unittest.TestCase):
    def test_coefficients_equal_scikit_learn_and_minima_are_minima(self):
        warnings.simplefilter("ignore", ConvergenceWarning)
        cases = [make_case(seed) for seed in range(CASES)]
        check, refused, with_peer, with_zeros, bounded = Comparison(self), 0, 0, 0, 0
        for i, (case, ours) in enumerate(zip(cases, answers(cases))):
            design = Design(case)
            kept = design.y[design.w > 0]
            if case["loss"] == "logistic" and len(set(kept)) < 2 or not len(kept):
                refused += 1
                check.equal(f"{i} error", ours.get("error"), "no_rows")
                continue
            b = np.array(ours["coefficients"])
            check.equal(f"{i} converged", ours["converged"], True)
            check.equal(f"{i} columns", len(b), design.x.shape[1])
            if len(b) != design.x.shape[1]:
                continue
            for at, (first, _, _, mean, scale) in enumerate(ours["columns"]):
                if at in design.means:
                    check.near(f"{i} mean {at}", mean, design.means[at])
                    check.near(f"{i} scale {at}", scale / design.scales[at], 1, 1e-9)
            check.near(f"{i} violation", design.violation(case, ours["intercept"], b), 0, 1e-9)
            self.assertTrue(np.all(b * design.signs >= 0), f"{i}: a sign that the case forbids")
            with_zeros += case["l1"] > 0 and bool((b == 0).any())
            bounded += bool((design.signs != 0).any())
            peer = reference(case, design)
            if peer is None:
                continue
            with_peer += 1
            size = max(1, np.abs(np.append(peer[1], peer[0])).max())
            check.all_near(f"{i} coefficients", b / size, peer[1] / size, COEFFICIENT)
            check.near(f"{i} intercept", ours["intercept"] / size, peer[0] / size, COEFFICIENT)
        print(f"linear: {len(cases)} cases, {with_peer} beside scikit-learn, {with_zeros} with coefficients at 0, "
              f"{bounded} with bounded signs, {refused} refused")
        self.assertGreater(with_peer, len(cases) / 3)
        self.assertGreater(with_zeros, len(cases) / 20)
        self.assertGreater(bounded, len(cases) / 20)
        check.close(10 * CASES)

    def test_threads_and_the_order_of_lanes_change_no_bit(self):
        case = next(c for c in (make_case(seed) for seed in range(1000)) if len(c["labels"]) == 9000)
        one, two = answers([case | {"threads": 1}, case | {"threads": 2}])
        self.assertEqual(one, two)


if __name__ == "__main__":
    unittest.main()
