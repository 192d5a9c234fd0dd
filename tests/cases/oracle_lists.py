"""Functions and aggregates of lists, for oracle.py. A list is a Python list; lists of texts and numbers alike."""

import math
from fractions import Fraction

from oracle_aggregates import AGGREGATES, CONSTANT_ARGUMENTS, one_value, root, total_order
from oracle_cases import Unknown, rounded
from oracle_expressions import FUNCTIONS


def last_k(window, constants):
    return window.values()[::-1][:constants[0]] or None


def top_k(window, constants):
    counts = {}
    for value in window.values():
        counts.setdefault(one_value(value), [0, value])[0] += 1
    if len(counts) > 1024:
        raise Unknown("top_k above the cap")
    found = sorted(counts.values(), key=lambda pair: (-pair[0], total_order(one(pair[1]))))
    return [one(value) for _, value in found[:constants[0]]] or None


def one(value):
    return value + 0.0 if isinstance(value, float) else value  # both zeros are one value: +0


AGGREGATES |= {"last_k": last_k, "top_k": top_k}
CONSTANT_ARGUMENTS |= {"last_k", "top_k"}


def element(_, values, index):
    return values[index] if 0 <= index < len(values) else None


def special_sum(terms):
    """What IEEE makes of terms of which some are not finite, whatever their order; None where all are."""
    odd = [term for term in terms if not math.isfinite(term)]
    if not odd:
        return None
    return odd[0] if len(set(odd)) == 1 and odd[0] == odd[0] else math.nan


def exact_dot(a, b):
    """The sum of products, and what is not finite in it."""
    odd = special_sum([x * y for x, y in zip(a, b) if not (math.isfinite(x) and math.isfinite(y))])
    finite = [(x, y) for x, y in zip(a, b) if math.isfinite(x) and math.isfinite(y)]
    return sum((Fraction(x) * Fraction(y) for x, y in finite), Fraction(0)), odd


def dot(_, a, b):
    if len(a) != len(b):
        return None
    exact, odd = exact_dot(a, b)
    return rounded(exact) if odd is None else odd


def l2(_, a, b):
    if len(a) != len(b):
        return None
    odd = special_sum([(x - y) * (x - y) for x, y in zip(a, b) if not (math.isfinite(x) and math.isfinite(y))])
    return odd if odd is not None else root(sum(((Fraction(x) - Fraction(y)) ** 2 for x, y in zip(a, b)), Fraction(0)))


def cosine(_, a, b):
    if len(a) != len(b):
        return None
    (product, _), (square_a, odd_a), (square_b, odd_b) = exact_dot(a, b), exact_dot(a, a), exact_dot(b, b)
    if odd_a is not None or odd_b is not None or not square_a or not square_b:
        return math.nan
    if not (1e-140 < square_a < 1e140 and 1e-140 < square_b < 1e140):
        raise Unknown("a cosine of very large or small numbers")
    return max(-1.0, min(1.0, rounded(product) / math.sqrt(rounded(square_a) * rounded(square_b))))


FUNCTIONS |= {"element": element, "dot": dot, "l2": l2, "cosine": cosine}
