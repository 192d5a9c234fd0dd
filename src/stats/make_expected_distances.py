#!/usr/bin/env python3
"""Prints the expected values of distances_test.cc, from scipy 1.17 and numpy.

    pip install scipy numpy && python3 src/stats/make_expected_distances.py
"""

import numpy as np
from scipy.spatial.distance import jensenshannon
from scipy.special import chdtrc, kolmogorov
from scipy.stats import chi2_contingency, ks_2samp

MASK = (1 << 64) - 1


def draws(count, seed):
    """The same generator as in distances_test.cc: 24-bit numbers below 1."""
    state = seed
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) & MASK
        yield (state >> 40) / 2**24


def counts(bins, rows, seed, lean):
    """`rows` draws into `bins` bins; the higher `lean`, the more of them lie in the first ones."""
    found = [0] * bins
    for u in draws(rows, seed):
        x = 1.0
        for _ in range(lean):
            x *= u
        found[int(x * bins)] += 1
    return found


def index(a, b):
    p = (np.array(a) + 0.5) / (sum(a) + len(a) / 2)
    q = (np.array(b) + 0.5) / (sum(b) + len(b) / 2)
    return float(np.sum((p - q) * np.log(p / q)))


def print_counts(bins, n, m, seed, lean):
    a, b = counts(bins, n, seed, 1), counts(bins, m, seed + 1000, lean)
    used = [i for i in range(bins) if a[i] + b[i] > 0]
    table = np.array([[a[i] for i in used], [b[i] for i in used]])
    chi = chi2_contingency(table, correction=False)
    p, q = np.array(a) / n, np.array(b) / m
    ks = float(np.max(np.abs(np.cumsum(p) - np.cumsum(q))))
    values = [index(a, b), chi.statistic, chi.pvalue, ks, kolmogorov(np.sqrt(n * m / (n + m)) * ks),
              float(np.max(np.abs(p - q))), jensenshannon(a, b, base=2)]
    text = ", ".join(repr(float(v)) for v in values)
    print(f"    {{{bins}, {n}, {m}, {seed}, {lean}, {chi.dof}, {{{text}}}}},")


def print_samples(n, m, seed, shift, levels):
    def rounded(u):
        return np.floor(u * levels) / levels if levels else u
    a = [float(rounded(u)) for u in draws(n, seed)]
    b = [float(rounded(u)) + shift for u in draws(m, seed + 1000)]
    statistic = float(ks_2samp(a, b, method="asymp").statistic)
    p = float(kolmogorov(np.sqrt(n * m / (n + m)) * statistic))
    print(f"    {{{n}, {m}, {seed}, {shift}, {levels}, {statistic!r}, {p!r}}},")


if __name__ == "__main__":
    print("// bins, n, m, seed, lean, freedom, {index, chi2, its p, KS, its p, L-infinity, JS}")
    print_counts(10, 1000, 1000, 1, 1)
    print_counts(10, 1000, 500, 2, 2)
    print_counts(16, 30, 40, 3, 3)
    print_counts(40, 25, 10, 4, 1)
    print_counts(3, 100000, 7, 5, 1)
    print_counts(12, 200000, 150000, 6, 1)
    print("// n, m, seed, shift, levels, statistic, p")
    print_samples(100, 100, 1, 0.0, 0)
    print_samples(1000, 333, 2, 0.0625, 0)
    print_samples(500, 700, 3, 0.125, 8)
    print_samples(5, 2, 4, 0.5, 0)
    print("// x, degrees of freedom, P(X > x)")
    for x, df in [(0.5, 1), (3.841458820694124, 1), (30.0, 1), (1e-8, 2), (5.0, 2), (700.0, 2),
                  (1.0, 7), (15.5, 8), (9.0, 25), (30.0, 25), (90.0, 25), (900.0, 1000),
                  (1000.0, 1000), (1300.0, 1000), (10100.0, 10000), (300.0, 15)]:
        print(f"    {{{x!r}, {df}, {float(chdtrc(df, x))!r}}},")
    print("// x, P(K > x)")
    for x in [0.05, 0.1, 0.3, 0.5, 0.8, 0.82, 0.9, 1.0, 1.36, 2.0, 5.0, 10.0]:
        print(f"    {{{x!r}, {float(kolmogorov(x))!r}}},")
