#!/usr/bin/env python3
"""Prints the expected values of correlation_test.cc: exact fractions, and numpy where it can.

    pip install numpy && python3 src/quality/make_expected_correlation.py
"""

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np

from make_expected_profile import draws


def print_case(rows, seed, weight, scale, offset):
    """x a draw times scale plus offset; y another draw times (1 − weight) plus x's draw times weight."""
    u = list(draws(2 * rows, seed))
    x = [a * scale + offset for a in u[::2]]
    y = [b * (1 - weight) + a * weight for a, b in zip(u[::2], u[1::2])]
    fx, fy, n = [Fraction(v) for v in x], [Fraction(v) for v in y], rows
    sx, sy = sum(fx), sum(fy)
    xy = n * sum(a * b for a, b in zip(fx, fy)) - sx * sy
    xx = n * sum(a * a for a in fx) - sx * sx
    yy = n * sum(b * b for b in fy) - sy * sy
    square = Fraction(xy * xy, 1) / (xx * yy)
    with localcontext() as context:
        context.prec = 60
        value = float((Decimal(square.numerator) / Decimal(square.denominator)).sqrt())
    value = -value if xy < 0 else value
    if 1e-100 < abs(scale) < 1e100 and abs(offset) < 1e5:
        assert abs(value - np.corrcoef(x, y)[0, 1]) < 1e-9
    print(f"    {{{rows}, {seed}, {weight!r}, {float(scale)!r}, {float(offset)!r}, {value!r}}},")


if __name__ == "__main__":
    print_case(2, 1, 0.5, 1.0, 0.0)
    print_case(1000, 2, 0.0, 100.0, 3.0)
    print_case(1000, 3, 0.5, 1.0, 0.0)
    print_case(2000, 4, 0.875, 1e6, -1e12)
    print_case(500, 5, 1.0, 0.25, 7.0)
    print_case(500, 6, 0.75, -1e-200, 0.0)
    print_case(500, 7, 0.25, 1e250, 1e251)
