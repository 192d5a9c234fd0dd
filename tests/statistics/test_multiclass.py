"""Metrics of models with several classes against scikit-learn."""

import math
import unittest

import numpy as np
from sklearn import metrics as sk

from cases import CASES, Comparison, answers, listed, weights


def make_case(seed):
    random = np.random.default_rng([2, seed])
    rows, classes = int(random.choice([1, 5, 30, 120])), int(random.integers(2, 6))
    present = random.choice(classes, size=int(random.integers(1, classes + 1)), replace=False)
    y = random.choice(present, rows)
    raw = random.normal(0, 1, (rows, classes))
    raw[np.arange(rows), y] += 1
    p = np.exp(raw)
    if random.integers(3) == 0:
        p = np.round(p) + 1  # ties
    p = (p / p.sum(axis=1, keepdims=True)).astype(np.float32)
    return {"what": "multiclass", "classes": classes, "labels": [int(v) for v in y],
            "probabilities": listed(p.ravel()), "weights": listed(weights(random, rows))}


class Multiclass(unittest.TestCase):
    def test_multiclass_metrics_equal_scikit_learn(self):
        cases = [make_case(seed) for seed in range(CASES)]
        check, one_versus_rest = Comparison(self), 0
        for i, (case, ours) in enumerate(zip(cases, answers(cases))):
            k, y = case["classes"], np.array(case["labels"])
            p = np.array(case["probabilities"]).reshape(-1, k)
            w = np.array(case["weights"]) if case["weights"] else np.ones(len(y))
            keep = w > 0
            if not keep.any():
                for name in ("log_loss", "accuracy", "macro_f1", "weighted_f1", "macro_auc"):
                    check.near(f"case {i} {name}", ours[name], math.nan)
                continue
            y, p, w = y[keep], p[keep], w[keep]
            predicted = p.argmax(axis=1)
            clipped = np.clip(p, 1e-15, 1 - 1e-15)
            check.near(f"case {i} log loss", ours["log_loss"],
                       sk.log_loss(y, y_proba=clipped, labels=list(range(k)), sample_weight=w))
            check.near(f"case {i} accuracy", ours["accuracy"],
                       sk.accuracy_score(y, predicted, sample_weight=w))
            for average in ("macro", "weighted"):
                check.near(f"case {i} {average} F1", ours[average + "_f1"],
                           sk.f1_score(y, predicted, average=average, sample_weight=w))
            args = {"labels": list(range(k)), "average": None, "zero_division": np.nan, "sample_weight": w}
            aucs = [sk.roc_auc_score(y == c, p[:, c], sample_weight=w) if 0 < (y == c).sum() < len(y)
                    else math.nan for c in range(k)]
            defined = [a for a in aucs if not math.isnan(a)]
            columns = [[w[y == c].sum() for c in range(k)], sk.precision_score(y, predicted, **args),
                       sk.recall_score(y, predicted, **args), sk.f1_score(y, predicted, **args), aucs]
            check.all_near(f"case {i} classes", np.ravel(ours["classes"]).tolist(),
                           np.array(columns).T.ravel().tolist())
            check.equal(f"case {i} classes with AUC", ours["classes_with_auc"], len(defined))
            check.near(f"case {i} macro AUC", ours["macro_auc"],
                       math.fsum(defined) / len(defined) if defined else math.nan)
            if len(defined) == k > 2:
                one_versus_rest += 1
                check.near(f"case {i} one versus rest", ours["macro_auc"],
                           sk.roc_auc_score(y, p, multi_class="ovr", average="macro", sample_weight=w))
        check.close(15 * CASES)
        self.assertGreater(one_versus_rest, CASES // 20)


if __name__ == "__main__":
    unittest.main()
