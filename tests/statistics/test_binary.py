"""Metrics of binary models, thresholds and curves against scikit-learn, numpy and their definitions."""

import math
import unittest
from fractions import Fraction

import numpy as np
from sklearn import metrics as sk

from cases import CASES, Comparison, answers, labels, listed, number, scores, weights

COSTS = [-5.0, 1.0, 20.0, 0.0]


def make_case(seed):
    random = np.random.default_rng([1, seed])
    rows = int(random.choice([1, 2, 7, 40, 120, 300]))
    y = labels(random, rows)
    return {"what": "binary", "scores": listed(scores(random, rows, y)), "labels": [int(v) for v in y],
            "weights": listed(weights(random, rows)), "threshold": float(random.choice([0, 0.35, 0.5, 2])),
            "budget": int(random.integers(0, rows + 3)), "k": int(random.integers(1, 9)),
            "days": [int(d) for d in random.integers(-2, 5, rows)], "costs": COSTS,
            "floor": float(random.choice([0.2, 0.5, 0.9, 1.0]))}


class Rows:
    def __init__(self, case):
        self.s, self.y = np.array(case["scores"]), np.array(case["labels"])
        self.w = np.array(case["weights"]) if case["weights"] else np.ones(len(self.s))
        self.exact = [Fraction(w) for w in self.w]
        self.positives, self.negatives = self.w[self.y == 1].sum(), self.w[self.y == 0].sum()

    def weight(self, of):
        return math.fsum(self.w[of])


def share(part, whole):
    return part / whole if whole > 0 else math.nan


def bins_of(rows, bins):
    """The rows of each bin of equal mass; rows of one score lie in one bin."""
    total = rows.weight(np.ones(len(rows.s), bool))
    through, b, found = Fraction(0), 0, [[] for _ in range(bins)]
    for score in np.unique(rows.s):
        tied = np.flatnonzero(rows.s == score)
        through += sum(rows.exact[i] for i in tied)
        while b + 1 < bins and float(through) * bins > (b + 1) * total:
            b += 1
        found[b].extend(tied)
    return found, total


def calibration_error(rows):
    if rows.w.sum() == 0:
        return math.nan
    bins, total = bins_of(rows, 15)
    return sum(abs(math.fsum(rows.w[i] * (rows.y[i] - rows.s[i]) for i in part)) for part in bins) / total


def recall_at_budget(rows, budget):
    left, found = budget, Fraction(0)
    for score in sorted(set(rows.s), reverse=True):
        tied = [i for i in range(len(rows.s)) if rows.s[i] == score]
        taken = min(left, len(tied))
        found += Fraction(taken, len(tied)) * sum(rows.exact[i] for i in tied if rows.y[i])
        left -= taken
    return share(float(found), rows.weight(rows.y == 1))


def daily_precision(rows, days, k):
    values, short = [], 0
    for day in sorted(set(days)):
        mine = [i for i in range(len(days)) if days[i] == day]
        left = size = min(k, len(mine))
        short += len(mine) < k
        found = Fraction(0)
        for score in sorted({rows.s[i] for i in mine}, reverse=True):
            tied = [i for i in mine if rows.s[i] == score]
            taken = min(left, len(tied))
            found += Fraction(taken * sum(int(rows.y[i]) for i in tied), len(tied))
            left -= taken
        values.append(found / size)
    return [float(sum(values) / len(values)), len(values), short]


def confusion(rows, threshold):
    """TP, FP, FN, TN; what is left is a difference of rounded sums."""
    flagged = rows.s >= threshold
    tp, fp = rows.weight(flagged & (rows.y == 1)), rows.weight(flagged & (rows.y == 0))
    return [tp, fp, rows.weight(rows.y == 1) - tp, rows.weight(rows.y == 0) - fp]


def cost_of(counts):
    return sum(count * cost for count, cost in zip(counts, COSTS))


def all_confusions(rows):
    return [(threshold, confusion(rows, threshold))
            for threshold in sorted(set(rows.s[rows.w > 0])) + [math.inf]]


def best_threshold(confusions, rule, floor):
    """By trying each: the best of (objective, preference among ties)."""
    best = None
    for threshold, counts in confusions:
        tp, fp, fn, _ = counts
        precision, recall = share(tp, tp + fp), share(tp, tp + fn)
        if rule == "least_cost":
            rank, objective = (-cost_of(counts), threshold), cost_of(counts)
        elif rule == "most_recall":
            if not precision >= floor:
                continue
            rank, objective = (recall, threshold), recall
        else:
            if not recall >= floor or math.isnan(precision):
                continue
            rank, objective = (precision, -threshold), precision
        if best is None or rank > best[0]:
            best = rank, threshold, objective, counts
    return best


class Binary(unittest.TestCase):
    def test_binary_metrics_equal_scikit_learn(self):
        cases = [make_case(seed) for seed in range(CASES)]
        check = Comparison(self)
        for i, (case, ours) in enumerate(zip(cases, answers(cases))):
            r = Rows(case)
            both = r.positives > 0 and r.negatives > 0
            clipped = np.clip(r.s, 1e-15, 1 - 1e-15)
            some = r.w.sum() > 0
            expected = {
                "auc": sk.roc_auc_score(r.y, r.s, sample_weight=r.w) if both else math.nan,
                "average_precision": sk.average_precision_score(r.y, r.s, sample_weight=r.w)
                if r.positives > 0 else math.nan,
                "log_loss": sk.log_loss(r.y, y_proba=clipped, labels=[0, 1], sample_weight=r.w)
                if some else math.nan,
                "brier": (sk.brier_score_loss(r.y, r.s, sample_weight=r.w) if len(set(r.y)) == 2 else
                          np.average((r.s - r.y) ** 2, weights=r.w)) if some else math.nan,
                "calibration_error": calibration_error(r)}
            for name, value in expected.items():
                check.near(f"case {i} {name}", ours[name], value)
            if not case["weights"]:
                check.all_near(f"case {i} plain", ours["plain"], list(expected.values()))
        check.close(5 * CASES)

    def test_figures_at_a_threshold_equal_scikit_learn(self):
        cases = [make_case(seed) for seed in range(CASES)]
        check = Comparison(self)
        for i, (case, ours) in enumerate(zip(cases, answers(cases))):
            r = Rows(case)
            flagged = (r.s >= case["threshold"]).astype(int)
            table = sk.confusion_matrix(r.y, flagged, labels=[0, 1], sample_weight=r.w) \
                if r.w.sum() > 0 else np.zeros((2, 2))
            cells = [table[1, 1], table[0, 1], table[1, 0], table[0, 0]]
            check.all_near(f"case {i} confusion", ours["confusion"], cells)
            keep = r.w > 0
            args = {"sample_weight": r.w[keep]}
            for name in ("precision", "recall", "f1"):
                score = getattr(sk, name + "_score")
                value = score(r.y[keep], flagged[keep], zero_division=np.nan, **args) \
                    if keep.any() else math.nan
                check.near(f"case {i} {name}", ours[name], value)
            check.near(f"case {i} accuracy", ours["accuracy"],
                       sk.accuracy_score(r.y, flagged, sample_weight=r.w) if keep.any() else math.nan)
            check.near(f"case {i} cost", ours["cost"], cost_of(cells))
            check.near(f"case {i} recall at budget", ours["recall_at_budget"],
                       recall_at_budget(r, case["budget"]))
            check.all_near(f"case {i} daily", ours["daily"], daily_precision(r, case["days"], case["k"]))
        check.close(13 * CASES)

    def test_chosen_thresholds_are_the_best_of_all(self):
        cases = [make_case(seed) for seed in range(CASES)]
        check, refused = Comparison(self), {"no_rows": 0, "bad_toml_value": 0}
        for i, (case, ours) in enumerate(zip(cases, answers(cases))):
            r = Rows(case)
            confusions = all_confusions(r)
            for rule in ("least_cost", "most_recall", "most_precision"):
                found, where = ours[rule], f"case {i} {rule}"
                if r.w.sum() == 0 or (rule != "least_cost" and r.positives == 0):
                    check.equal(where, found, {"error": "no_rows"})
                    refused["no_rows"] += 1
                    continue
                best = best_threshold(confusions, rule, case["floor"])
                if best is None:
                    check.equal(where, found, {"error": "bad_toml_value"})
                    refused["bad_toml_value"] += 1
                    continue
                check.equal(where, number(found.get("threshold", "nan")), float(best[1]))
                check.near(where, found.get("objective", "nan"), best[2])
                check.all_near(where, found.get("counts", []), best[3])
        check.close(3 * CASES)
        self.assertGreater(min(refused.values()), 5, refused)

    def test_curves_equal_scikit_learn(self):
        cases = [make_case(seed) for seed in range(CASES)]
        check = Comparison(self)
        for i, (case, ours) in enumerate(zip(cases, answers(cases))):
            r, keep = Rows(case), np.array(case["weights"] or [1] * len(case["scores"])) > 0
            roc = pr = []
            if r.positives > 0 and r.negatives > 0:
                fpr, tpr, cut = sk.roc_curve(r.y, r.s, sample_weight=r.w, drop_intermediate=False)
                roc = list(zip(cut, fpr, tpr))
            if r.positives > 0:
                precision, recall, cut = sk.precision_recall_curve(r.y[keep], r.s[keep],
                                                                   sample_weight=r.w[keep])
                pr = list(zip(cut, recall, precision))[::-1]
            for name, whole in (("roc", roc), ("pr", pr)):
                check.all_near(f"case {i} {name}", np.ravel(ours[name]).tolist(), np.ravel(whole).tolist())
                short = ours[name + "_short"]
                check.equal(f"case {i} short {name}", len(short) <= 12, True)
                check.equal(f"case {i} short {name}", all(p in ours[name] for p in short), True)
                check.equal(f"case {i} ends of {name}", short[:1] + short[-1:],
                            ours[name][:1] + ours[name][-1:])
            for label, column in ((1, 0), (0, 1)):
                of = r.y == label
                counts = np.histogram(r.s[of], bins=7, range=(0, 1), weights=r.w[of])[0]
                check.all_near(f"case {i} histogram", [b[column] for b in ours["histogram"]], counts)
            points = []
            if r.w.sum() > 0:
                for part in bins_of(r, 10)[0]:
                    weight = math.fsum(r.w[i] for i in part)
                    points += [len(part), weight] + [
                        math.fsum(r.w[i] * of[i] for i in part) / weight if weight > 0 else 0
                        for of in (r.s, r.y)]
            check.all_near(f"case {i} calibration", np.ravel(ours["calibration_curve"]).tolist(), points)
        check.close(20 * CASES)


if __name__ == "__main__":
    unittest.main()
