#!/usr/bin/env python3
"""Writes maths_tables.h: the constants and tables of the elementary functions, as hex floats.

    python3 src/exact/maths_tables.py > src/exact/maths_tables.h      (needs mpmath; only its author runs it)

Everything is computed with 400 bits and rounded to nearest once for each float64 that is written.
"""

import re

from mpmath import mp, mpf

mp.prec = 400

LOG_FIRST_INTERVAL = 76  # intervals of 2^45 units in the last place below the one around 1
ARC_DEGREE = 9


def double(value):
    return float(mpf(value))  # mpmath rounds half to even


def with_bits(value, bits):
    """value rounded to `bits` significant bits."""
    with mp.workprec(bits):
        return +mpf(value)


def multiple(value, exponent):
    """value rounded to a multiple of 2^exponent."""
    return mp.ldexp(mp.nint(mp.ldexp(mpf(value), -exponent)), exponent)


def pair(value, head=None):
    """(hi, lo) with hi + lo = value to 2^-53 of lo; head rounds the first part."""
    hi = mpf(double(value)) if head is None else head(value)
    return [double(hi), double(value - hi)]


def head26(value):
    return with_bits(value, 26)


def written(x):
    return "0.0" if x == 0 else re.sub(r"\.?0+p", "p", float(x).hex())


def braces(values, indent):
    lines, line = [], ""
    for text in (written(v) for v in values):
        if line and len(indent) + len(line) + len(text) + 4 > 98:
            lines.append(line)
            line = ""
        line += (" " if line else "") + text + ","
    lines.append(line)
    body = ("\n" + indent).join(lines)
    return "{" + body.removesuffix(",") + "}"


def table(kind, name, rows, comment):
    print(f"\n// {comment}")
    print(f"inline constexpr std::array<{kind}, {len(rows)}> {name}{{{{")
    for row in rows:
        print(f"    {braces(row, '     ')},")
    print("}};")


def constant_pair(name, values, comment):
    print(f"inline constexpr Pair {name}{braces(values, '    ')};  ///< {comment}")


def constant(name, value, comment):
    print(f"inline constexpr double {name} = {written(double(value))};  ///< {comment}")


def two_to_the_parts():
    return [pair(mpf(2) ** (mpf(j) / 128)) for j in range(128)]


def log_rows():
    rows = []
    for i in range(128):
        from_one = i - LOG_FIRST_INTERVAL  # in intervals; they are half as wide below 1
        centre = 1 + mpf(from_one) / (128 if from_one > 0 else 256)
        reciprocal = multiple(1 / centre, -10)
        rows.append([double(reciprocal)] +
                    pair(-mp.log(reciprocal), lambda v: multiple(v, -42)))
    return rows


def circle_rows():
    return [pair(mp.sin(mpf(i) / 64), head26) + pair(mp.cos(mpf(i) / 64), head26)
            for i in range(52)]


def arc_rows(function, last):
    rows = []
    for i in range(last + 1):
        c = mp.taylor(function, mpf(i) / 64, ARC_DEGREE)
        c = [mpf(0) if abs(v) < mpf(2) ** -200 else v for v in c]
        rows.append(pair(c[0]) + pair(c[1], head26) + [double(v) for v in c[2:]])
    return rows


def cut(value, bits, parts):
    """value as `parts` floats of at most `bits` bits, and a last one of 53."""
    result = []
    for _ in range(parts):
        result.append(with_bits(value, bits))
        value -= result[-1]
    return [double(v) for v in result + [value]]


def two_over_pi_words(count):
    with mp.workprec(64 * count + 64):
        bits = int(mp.floor(mp.ldexp(2 / mp.pi, 64 * count)))
    return [(bits >> (64 * (count - 1 - i))) & (2**64 - 1) for i in range(count)]


def main():
    print("""#pragma once

// Written by maths_tables.py with mpmath at 400 bits; do not edit. Each number is the exact value
// rounded once to the nearest float64 (or to the bits its comment states).

#include <array>
#include <cstdint>

#include "exact/maths_pair.h"

// clang-format off
namespace coeval::exact::maths {
""")
    ln2 = mp.log(2)
    constant("kSteps", 128 / ln2, "128 / ln 2")
    constant_pair("kStep", pair(ln2 / 128, lambda v: with_bits(v, 35)), "ln 2 / 128; hi has 35 bits")
    constant_pair("kLn2", pair(ln2, lambda v: multiple(v, -42)), "ln 2; hi is a multiple of 2^-42")
    constant_pair("kPerLn2", pair(1 / ln2), "1 / ln 2")
    constant_pair("kPerLn10", pair(1 / mp.log(10)), "1 / ln 10")
    constant_pair("kPi", pair(mp.pi), "π")
    constant_pair("kHalfPi", pair(mp.pi / 2), "π / 2")
    constant_pair("kQuarterPi", pair(mp.pi / 4), "π / 4")
    constant_pair("kThreeQuartersPi", pair(3 * mp.pi / 4), "3π / 4")
    constant("kPerHalfPi", 2 / mp.pi, "2 / π")

    print("\n// π / 2 in parts of 33 bits and a last one of 53.")
    print(f"inline constexpr std::array<double, 4> kHalfPiParts"
          f"{braces(cut(mp.pi / 2, 33, 3), '    ')};")

    words = [0] + two_over_pi_words(20)
    print("\n// The bits of 2 / π after the binary point, behind one word of zeros.")
    print(f"inline constexpr std::array<std::uint64_t, {len(words)}> kTwoOverPi{{")
    for start in range(0, len(words), 4):
        print("    " + " ".join(f"{w:#018x}," for w in words[start:start + 4]))
    print("};")

    table("Pair", "kTwoToThe", two_to_the_parts(), "2^(j / 128).")
    print("\n// The interval of kLogs that has 1 in its middle.")
    print(f"inline constexpr int kLogOfOne = {LOG_FIRST_INTERVAL};")
    table("LogRow", "kLogs", log_rows(),
          "About 1 / (middle of interval i), a multiple of 2^-10, and −log of it; hi is a multiple of 2^-42.")
    table("CircleRow", "kCircle", circle_rows(), "sin and cos of i / 64; hi has 26 bits.")
    table("ArcRow", "kArcTangents", arc_rows(mp.atan, 64),
          "Taylor coefficients of atan at i / 64: value, slope (hi has 26 bits), orders 2 to 9.")
    table("ArcRow", "kArcSines", arc_rows(mp.asin, 32),
          "Taylor coefficients of asin at i / 64: value, slope (hi has 26 bits), orders 2 to 9.")
    print("\n}  // namespace coeval::exact::maths\n// clang-format on")


main()
