#!/usr/bin/env python3
"""Prints the expected values of profile_test.cc, from numpy, pandas, math.fsum and fractions.

    pip install numpy pandas && python3 src/quality/make_expected_profile.py
"""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pandas as pd

MASK = (1 << 64) - 1
PS = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]


def draws(count, seed):
    """The same generator as in profile_test.cc: 24-bit numbers below 1."""
    state = seed
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) & MASK
        yield (state >> 40) / 2**24


def sample(rows, seed, levels, scale, offset):
    """Floats: a product of two draws, down to so many levels, times scale, plus offset. A draw below
    1/16 makes a null."""
    u = list(draws(3 * rows, seed))
    values = []
    for a, b, c in zip(u[::3], u[1::3], u[2::3]):
        x = a * b
        if levels:
            x = math.floor(x * levels) / levels
        values.append(None if c < 1 / 16 else x * scale + offset)
    return values


def root(fraction):
    with localcontext() as context:
        context.prec = 60
        return float((Decimal(fraction.numerator) / Decimal(fraction.denominator)).sqrt())


def text(x):
    return ("-" if x < 0 else "") + "kInfinity" if math.isinf(x) else repr(x)


def print_case(rows, seed, levels, scale, offset):
    series = pd.Series(sample(rows, seed, levels, scale, offset), dtype="float64")
    values = series.dropna().tolist()
    n = len(values)
    exact = [Fraction(v) for v in values]
    total, squares = sum(exact), sum(v * v for v in exact)
    deviation = root((squares - total * total / n) / (n - 1))
    if scale < 1e300:  # beyond, pandas overflows
        assert math.isclose(deviation, series.std(), rel_tol=1e-9, abs_tol=1e-12)
        assert math.fsum(values) == float(total)
    summed = float(total) if abs(total) < 2**1023 else math.inf * (1 if total > 0 else -1)
    numbers = [min(values), max(values), summed, float(total / n), deviation]
    quantiles = [float(q) for q in np.quantile(np.array(values), PS)]
    facts = [int(series.isna().sum()), sum(v == 0 for v in values), sum(v < 0 for v in values),
             int(series.nunique())]
    top = series.value_counts().reset_index().sort_values(["count", "index"], ascending=[False, True])
    print(f"    {{{rows}, {seed}, {levels}, {float(scale)!r}, {float(offset)!r},")
    print("     {" + ", ".join(map(str, facts)) + "},")
    print("     {" + ", ".join(map(text, numbers)) + "},")
    print("     {" + ", ".join(map(repr, quantiles)) + "},")
    print(f"     {float(top['index'].iloc[0])!r}, {int(top['count'].iloc[0])}}},")


if __name__ == "__main__":
    print_case(1000, 1, 0, 100.0, 0.0)
    print_case(3000, 2, 40, 1000.0, -125.0)
    print_case(9000, 3, 0, 1e6, -1e5)
    print_case(20000, 4, 0, 1e-3, 1013.25)
    print_case(20000, 5, 0, 1e15, 0.0)
    print_case(15000, 6, 6000, 1e-300, 0.0)
    print_case(12000, 7, 0, 1e308, -5e307)
