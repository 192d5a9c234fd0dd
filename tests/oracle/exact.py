"""Two exact programs for the 36 features: one plain, one quick. Counts and sums are integers, and a mean
is one division of integers below 2^53, hence correctly rounded.

An answer is {feature: (values, is_null)}.
"""

import numpy as np

from flights import VIEWS, WINDOWS


def answer(view, window, count, late, delay):
    empty = count == 0
    divisor = np.where(empty, 1, count)
    return {
        f"{view}.flights_{window}": (count, np.zeros(len(count), bool)),
        f"{view}.late_{window}": (late / divisor, empty),
        f"{view}.mean_delay_{window}": (delay / divisor, empty),
    }


def brute_force(flights, time, origin, destination):
    """The definition word by word: each question looks at every flight of [T - W, T) that is known before T."""
    answers = {}
    for view in VIEWS:
        entity_of = flights.entities(view)
        entity_asked = flights.entities(view, origin, destination)
        for window, width in WINDOWS.items():
            sums = np.zeros((3, len(time)), np.int64)
            for i, (t, entity) in enumerate(zip(time, entity_asked)):
                rows = slice(*np.searchsorted(flights.time, [t - width, t]))
                inside = (flights.known[rows] < t) & (entity_of[rows] == entity)
                sums[:, i] = inside.sum(), flights.late[rows][inside].sum(), flights.delay[rows][inside].sum()
            answers |= answer(view, window, *sums)
    return answers


class RunningTotals:
    """Totals of each entity's events whose moment is before a time, by binary search in sorted keys."""

    SPAN = 1 << 44  # microseconds: half a year, and room

    def __init__(self, flights, entity, moment):
        self.start = int(flights.time[0])
        keys = entity * self.SPAN + (moment - self.start)
        order = np.argsort(keys, kind="stable")
        self.keys = keys[order]
        self.totals = np.zeros((3, len(keys) + 1), np.int64)
        for total, column in zip(self.totals, (np.ones_like(keys), flights.late, flights.delay)):
            np.cumsum(column[order], out=total[1:])

    def before(self, entity, time):
        base = entity * self.SPAN
        first = np.searchsorted(self.keys, base)
        end = np.searchsorted(self.keys, base + np.clip(time - self.start, 0, self.SPAN - 1))
        return self.totals[:, end] - self.totals[:, first]


def running_totals(flights, time, origin, destination, views=VIEWS, known_by=0, left_by=0):
    """The same, by what had entered a window before T less what had left it. An event enters at the later of its
    time and its known time, and leaves when its time is out of reach. `known_by` and `left_by` shift these
    moments by microseconds: wrong on purpose, to see whether the questions would notice."""
    answers = {}
    for view in views:
        entity_of = flights.entities(view)
        entity_asked = flights.entities(view, origin, destination)
        enter = np.maximum(flights.time, flights.known) + known_by
        entered = RunningTotals(flights, entity_of, enter).before(entity_asked, time)
        for window, width in WINDOWS.items():
            leave = np.maximum(enter, flights.time + width + left_by)
            left = RunningTotals(flights, entity_of, leave).before(entity_asked, time)
            answers |= answer(view, window, *np.where(entity_asked < 0, 0, entered - left))
    return answers


def differences(ours, theirs):
    """How many answers differ in a bit, nulls included, by feature; only features that differ."""
    found = {}
    for name, (values, is_null) in theirs.items():
        our_values, our_null = ours[name]
        bits, our_bits = (np.ascontiguousarray(v).view(np.int64) for v in (values, our_values))
        differ = (is_null != our_null) | (~is_null & (bits != our_bits))
        if differ.any():
            found[name] = int(differ.sum())
    return found
