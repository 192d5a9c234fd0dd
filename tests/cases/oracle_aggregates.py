"""Aggregates and windows by looking at every row, for oracle.py."""

import datetime
import decimal
import math
import re
from fractions import Fraction

from oracle_cases import DAY_US, Dec, Unknown, decimal as exact_decimal, parse_duration, rounded
from oracle_expressions import Parser, civil, integer, is_int, utc_of


def exact_parts(values):
    """The sum of the finite ones as a fraction, and what the others make of it (or None)."""
    special = None
    if any(v != v for v in values) or (math.inf in values and -math.inf in values):
        special = math.nan
    elif math.inf in values:
        special = math.inf
    elif -math.inf in values:
        special = -math.inf
    return sum((Fraction(v) for v in values if math.isfinite(v)), Fraction(0)), special


def root(value):
    """The square root of a fraction, rounded once."""
    if value == 0:
        return 0.0
    # 2^(2k) scaling leaves far more than 53 bits; a sticky bit below them stands for the rest.
    shift = max(0, 160 - value.numerator.bit_length() + value.denominator.bit_length())
    shift += shift % 2
    scaled = (value.numerator << shift) // value.denominator
    whole = math.isqrt(scaled)
    exact = whole * whole == scaled and (value.numerator << shift) % value.denominator == 0
    return rounded(Fraction(2 * whole + (0 if exact else 1), 2 ** (shift // 2 + 1)))


def total_order(value):
    """NaN above everything, -0 below +0; text by its bytes."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, float):
        return (value != value, value, 0 if math.copysign(1, value) < 0 else 1)
    return value


def one_value(value):
    """What counts as one value: every NaN, and both zeros."""
    if isinstance(value, float):
        return "nan" if value != value else value + 0.0
    return value


class Window:
    """Rows of one window in T5's order: (time, value or values)."""

    def __init__(self, at, length, rows):
        self.at, self.length, self.rows = at, length, rows

    def values(self, index=0):
        return [values[index] for _, values in self.rows if values[index] is not None]

    def timed(self):
        return [(time, values[0]) for time, values in self.rows if values[0] is not None]


def numbers(values):
    return [int(v) if isinstance(v, bool) else v for v in values]


def moment_sums(window, offset, square=False):
    values = numbers(window.values())
    n = len(values)
    if n < 1 + offset:
        return None
    if any(isinstance(v, float) and not math.isfinite(v) for v in values):
        return math.nan
    s, q = sum(map(Fraction, values)), sum(Fraction(v) ** 2 for v in values)
    variance = (q - s * s / n) / (n - offset)
    return root(variance) if square else rounded(variance)


def agg_sum(window, _):
    values = numbers(window.values())
    if not values:
        return None
    if all(is_int(v) for v in values):
        return integer(sum(values))
    if not any(isinstance(v, float) for v in values):
        return exact_decimal(sum(map(Fraction, values)), max(getattr(v, "scale", 0) for v in values))
    exact, special = exact_parts(values)
    return special if special is not None else rounded(exact)


def agg_mean(window, _):
    values = numbers(window.values())
    if not values:
        return None
    exact, special = exact_parts(values)
    return special if special is not None else rounded(exact / len(values))


def agg_slope(window, _):
    points = [(Fraction(t), v) for t, v in window.timed()]
    if len({t for t, _ in points}) < 2:
        return None
    if any(isinstance(v, float) and not math.isfinite(v) for _, v in points):
        return math.nan
    points = [(t, Fraction(int(v) if isinstance(v, bool) else v)) for t, v in points]
    n = len(points)
    mt, mv = sum(t for t, _ in points) / n, sum(v for _, v in points) / n
    return rounded(sum((t - mt) * (v - mv) for t, v in points) / sum((t - mt) ** 2 for t, _ in points) * DAY_US)


def agg_quantile(window, constants):
    values = sorted(numbers(window.values()), key=total_order)
    if not values:
        return None
    if any(v != v for v in values):
        return math.nan  # as numpy has it
    place = Fraction(constants[0]) * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    part = place - low
    if part == 0:
        return float(values[low]) + 0.0  # both zeros are +0
    if not (math.isfinite(values[low]) and math.isfinite(values[high])):
        return values[low] * float(1 - part) + values[high] * float(part)  # IEEE: an infinity, or NaN between two
    return rounded(Fraction(values[low]) * (1 - part) + Fraction(values[high]) * part)


def agg_mode(window, _):
    counts = {}
    for value in window.values():
        key = one_value(value)
        counts.setdefault(key, [0, value])[0] += 1
    if not counts:
        return None
    most = max(count for count, _ in counts.values())
    found = min((v for count, v in counts.values() if count == most), key=total_order)
    return found + 0.0 if isinstance(found, float) else found  # both zeros are one value: +0


def agg_ratio(window, _):
    a, b = numbers(window.values(0)), numbers(window.values(1))
    if not a or not b:
        return None
    (x, special), (y, other) = exact_parts(a), exact_parts(b)
    if special is not None or other is not None:
        raise Unknown("ratio of infinities")
    return None if y == 0 else rounded(x / y)


def decay_factor(age, half_life):
    """2^-(age / half-life), far more exact than any term needs; None beyond the horizon of 64 half-lives."""
    if age > 64 * half_life:
        return None
    whole, rest = divmod(age, half_life)
    with decimal.localcontext(prec=120):
        part = decimal.Decimal(2) ** (-decimal.Decimal(rest) / decimal.Decimal(half_life)) if rest else 1
    return Fraction(part) / 2**whole


def decayed(window, constants):
    """Exact sums of the terms and of their weights, each rounded once; None where nothing is within the horizon."""
    terms = []
    for time, value in window.timed():
        factor = decay_factor(window.at - time, constants[0])
        if factor is None:
            continue
        if not math.isfinite(value):
            raise Unknown("a decayed infinity")
        if isinstance(value, Dec):
            value = rounded(value)  # a decayed sum takes the nearest float
        terms.append((rounded(Fraction(value) * factor), rounded(factor)))
    if not terms:
        return None
    if any(math.isinf(term) for term, _ in terms):
        raise Unknown("a term beyond the largest float")
    return sum(Fraction(t) for t, _ in terms), sum(Fraction(w) for _, w in terms)


def agg_decayed_sum(window, constants):
    found = decayed(window, constants)
    return found and rounded(found[0])


def agg_decayed_mean(window, constants):
    found = decayed(window, constants)
    return found and rounded(found[0] / found[1])


def since(window, index):
    if not window.rows:
        return None
    return rounded(Fraction(window.at - window.rows[index][0], 10**6))


def agg_rate(window, _):
    if window.length is None:
        raise Unknown("rate without a length")
    return rounded(Fraction(len(window.rows)) * 3_600_000_000 / window.length) if window.rows else None


AGGREGATES = {
    "count": lambda w, _: len(w.values()),
    "sum": agg_sum,
    "mean": agg_mean,
    "var": lambda w, _: moment_sums(w, 1),
    "std": lambda w, _: moment_sums(w, 1, True),
    "var_pop": lambda w, _: moment_sums(w, 0),
    "std_pop": lambda w, _: moment_sums(w, 0, True),
    "min": lambda w, _: min(w.values(), key=total_order, default=None),
    "max": lambda w, _: max(w.values(), key=total_order, default=None),
    "first": lambda w, _: next(iter(w.values()), None),
    "last": lambda w, _: next(iter(reversed(w.values())), None),
    "latest": lambda w, _: w.rows[-1][1][0] if w.rows else None,
    "lag": lambda w, c: v[-1 - c[0]] if len(v := w.values()) > c[0] else None,
    "distinct": lambda w, _: len({one_value(v) for v in v}) if (v := w.values()) else None,
    "quantile": agg_quantile,
    "mode": agg_mode,
    "any": lambda w, _: any(v) if (v := w.values()) else None,
    "all": lambda w, _: all(v) if (v := w.values()) else None,
    "ratio": agg_ratio,
    "rate": agg_rate,
    "slope": agg_slope,
    "since_last": lambda w, _: since(w, -1),
    "since_first": lambda w, _: since(w, 0),
    "decayed_sum": agg_decayed_sum,
    "decayed_mean": agg_decayed_mean,
}
CONSTANT_ARGUMENTS = {"lag", "quantile", "decayed_sum", "decayed_mean"}


def split_outside(text, separator):
    """Splits where the separator stands outside of parentheses and quotes."""
    parts, depth, quote, begin = [], 0, None, 0
    for i, c in enumerate(text):
        if quote:
            quote = None if c == quote else quote
        elif c in "'\"":
            quote = c
        elif c in "()":
            depth += 1 if c == "(" else -1
        elif depth == 0 and text.startswith(separator, i):
            parts.append(text[begin:i])
            begin = i + len(separator)
    return parts + [text[begin:]]


class Aggregate:
    def __init__(self, text, zone):
        whole, *where = split_outside(text, " where ")
        match = re.fullmatch(r"\s*(\w+)\s*\((.*)\)\s*", whole, re.S)
        if not match or match[1] not in AGGREGATES:
            raise Unknown(f"aggregate {text!r}")
        self.name = match[1]
        arguments = [a for a in split_outside(match[2], ",") if a.strip()]
        self.constants = []
        if self.name in CONSTANT_ARGUMENTS:
            constant = arguments.pop().strip()
            is_length = re.fullmatch(r"\d+(us|ms|s|min|h|d|w)", constant)
            self.constants = [parse_duration(constant) if is_length else
                              int(constant) if constant.isdigit() else Fraction(float(constant))]
        self.arguments = [Parser(a, zone).parse() for a in arguments] or [lambda env: True]
        self.where = Parser(where[0], zone).parse() if where else None

    def kept(self, rows):
        """Times of the rows that take part."""
        return [time for time, env in rows if (self.where is None or self.where(env) is True)
                and all(a(env) is not None for a in self.arguments)]

    def value(self, at, length, rows):
        inside = [(time, [a(env) for a in self.arguments]) for time, env in rows
                  if self.where is None or self.where(env) is True]
        return AGGREGATES[self.name](Window(at, length, inside), self.constants)


def period_begin(at, period, zone):
    local = civil(at, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "this_week":
        local -= datetime.timedelta(days=local.weekday())
    elif period == "this_month":
        local = local.replace(day=1)
    elif period != "today":
        raise Unknown(f"window {period}")
    return utc_of(local, zone)


def window_bounds(text, at, zone):
    """[begin, end) and the length, None where it has none."""
    if text == "all":
        return -math.inf, at, None
    if match := re.fullmatch(r"(\w+) offset (\w+)", text):
        length, offset = parse_duration(match[1]), parse_duration(match[2])
        return at - offset - length, at - offset, length
    if re.fullmatch(r"\d+\w+", text):
        length = parse_duration(text)
        return at - length, at, length
    return period_begin(at, text, zone), at, None
