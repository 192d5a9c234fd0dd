#!/usr/bin/env python3
"""Prints the expected values of metrics_test.cc, from scikit-learn 1.9 and exact fractions.

    pip install scikit-learn numpy && python3 src/stats/make_expected.py
"""

import math
from fractions import Fraction

import numpy as np
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

MASK = (1 << 64) - 1


def draws(count, seed):
    """The same generator as in metrics_test.cc: 24-bit numbers below 1."""
    state = seed
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) & MASK
        yield (state >> 40) / 2**24


def sample(rows, seed, levels, sharpness):
    """`levels` > 0 rounds scores down to that many steps, which makes ties. A label is drawn
    with probability score^sharpness."""
    values = list(draws(2 * rows, seed))
    scores = [math.floor(v * levels) / levels if levels else v for v in values[::2]]
    labels = [int(u < math.prod([s] * sharpness)) for s, u in zip(scores, values[1::2])]
    return np.array(scores, dtype=np.float32).astype(float), np.array(labels)


def calibration_error(scores, labels):
    """15 bins of equal mass; rows of one score lie in the bin of the last of them."""
    rows, end, b, sums = len(scores), 0, 0, [Fraction(0)] * 15
    for score in np.unique(scores):
        tied = np.flatnonzero(scores == score)
        end += len(tied)
        while b < 14 and end > (b + 1) * rows // 15:
            b += 1
        sums[b] += sum((Fraction(scores[i]) - int(labels[i]) for i in tied), Fraction(0))
    return float(sum(abs(part) for part in sums) / rows)


def print_case(rows, seed, levels, sharpness):
    scores, labels = sample(rows, seed, levels, sharpness)
    # scikit-learn clips at 2.2e-16, we at 1e-15.
    clipped = np.clip(scores, 1e-15, 1 - 1e-15)
    both = 0 < labels.sum() < rows
    values = [roc_auc_score(labels, scores) if both else math.nan,
              average_precision_score(labels, scores) if labels.any() else math.nan,
              log_loss(labels, clipped, labels=[0, 1]),
              brier_score_loss(labels, scores) if both else float(np.mean((scores - labels) ** 2)),
              calibration_error(scores, labels)]
    text = ", ".join("kNan" if math.isnan(v) else repr(float(v)) for v in values)
    print(f"    {{{rows}, {seed}, {levels}, {sharpness}, {int(labels.sum())}, {{{text}}}}},")


if __name__ == "__main__":
    print_case(1000, 1, 0, 1)
    print_case(1000, 2, 8, 1)
    print_case(5000, 3, 0, 3)
    print_case(4999, 4, 3, 2)
    print_case(7, 5, 0, 1)
    print_case(100, 6, 2, 400)
    print_case(40, 7, 0, 2000)
    print_case(200, 8, 1, 1)
    print_case(30, 9, 4, 0)
