#!/usr/bin/env python3
"""Random definitions, events and questions: every path of coeval_cases against the brute force of tests/cases.

    differential.py PROGRAM [--seconds N] [--seed N] [--keep FOLDER]

Makes one case after the other for N seconds (20), plays them in batches, and stops at the first difference: the case
stays in FOLDER (build/differential), ready to be played alone or to be kept in tests/cases. Equal seeds make equal
cases.
"""

import argparse
import datetime
import pathlib
import random
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/cases"))
import oracle  # noqa: E402

BATCH = 20
MINUTE = 60_000_000

# Moments about which events happen, with the zone whose clocks do something there.
PLACES = [("UTC", "2024-01-01T10:00:00"), ("UTC", "2024-02-29T22:00:00"), ("Europe/Berlin", "2024-03-30T22:00:00"),
          ("Europe/Berlin", "2024-10-26T22:00:00"), ("America/Sao_Paulo", "2018-11-04T01:00:00"),
          ("Asia/Kathmandu", "2023-12-31T17:00:00"), ("UTC", "1969-12-31T22:00:00")]
COLUMNS = [("k", "k", "string"), ("j", "j:int64", "int64"), ("n", "n:int32!", "int32"), ("m", "m:int64", "int64"),
           ("x", "x:float64", "float64"), ("g", "g:float32", "float32"), ("b", "b:bool", "bool"), ("t", "t", "string"),
           ("d", "d:decimal(12,2)", "decimal"), ("e", "e:decimal(18,6)", "decimal")]
KEYS = [["k"], ["k"], ["k", "j"], ["j"], []]
WINDOWS = ["1us", "1min", "10min", "1h", "90min", "3h", "24h", "2d", "all", "today", "this_week", "this_month",
           "1h offset 1h", "30min offset 2h", "1d offset 1min"]
LATENESS = ["0s", "10min", "2h", "1d"]
NUMBERS = ["n", "m", "x", "g", "n * 3 + 1", "x / 3", "m - n", "coalesce(m, n)", "n % (n - 5)", "abs(n)",
           "d", "e", "d * 3 + e", "d - n", "d / e", "-d", "round(e, 1)", "d * x"]
CONDITIONS = ["b", "n > 5", "x > 0.5", "t = 'a'", "m is null", "b or n > 10", "not b", "n between 0 and 10",
              "t in ('a', 'b')", "x <> x", "t like 'a%'", "d > e", "d >= n", "e < x", "d = decimal '1.5'"]
OVER_NUMBERS = ["sum", "mean", "var", "std", "var_pop", "std_pop", "slope"]
OVER_ANYTHING = ["count", "min", "max", "first", "last", "distinct", "mode"]
WITH_CONSTANTS = ["decayed_sum({0}, 1h)", "decayed_mean({0}, 90min)", "lag({0}, 0)", "lag({0}, 1)", "lag({0}, 3)",
                  "quantile({0}, 0.5)", "quantile({0}, 0.25)", "quantile({0}, 1)", "latest({0})"]
FLOATS = ["x", "g", "x / 3"]
LISTS = ["last_k({0}, 1)", "last_k({0}, 3)", "top_k({0}, 2)", "top_k({0}, 5)"]
PLAIN = ["count()", "rate()", "since_last()", "since_first()"]


def random_aggregate(rng):
    kind = rng.randrange(14)
    if kind == 0:
        text = rng.choice(PLAIN)
    elif kind <= 3:
        text = f"{rng.choice(OVER_NUMBERS)}({rng.choice(NUMBERS)})"
    elif kind <= 7:
        text = f"{rng.choice(OVER_ANYTHING)}({rng.choice(NUMBERS + ['t', 't', 'b', 'lower(t)'])})"
    elif kind == 8:
        text = f"{rng.choice(['any', 'all'])}({rng.choice(CONDITIONS)})"
    elif kind == 9:
        text = f"{rng.choice(['sum', 'mean', 'count'])}({rng.choice(CONDITIONS)})"
    elif kind == 10:
        text = f"ratio({rng.choice(NUMBERS)}, {rng.choice(NUMBERS)})"
    elif kind == 11:
        text = rng.choice(WITH_CONSTANTS).format(rng.choice(NUMBERS))
    else:
        over = rng.choice(FLOATS if kind == 12 else NUMBERS + ["t", "b", "ts"])
        text = rng.choice(LISTS).format(over)
    return text + (f" where {rng.choice(CONDITIONS)}" if rng.random() < 0.4 else "")


def readings(rng, aggregates, windows):
    """What a model can read of the aggregates: them, but of lists what is taken out of them."""
    names, vectors = [], []
    for i, text in enumerate(aggregates):
        for window in windows:
            name = f"a{i}_{window.replace(' ', '_')}"
            if not text.startswith(("last_k", "top_k")):
                names.append(name)
                continue
            over = text.partition(" where ")[0].partition("(")[2].rpartition(",")[0]
            # Of a time only whether it is there is compared: the oracle shows no times.
            taken = "(element(v.{0}, {1})) is null" if over == "ts" else "element(v.{0}, {1})"
            names += [f"length(v.{name})"] + [taken.format(name, place) for place in range(3)]
            vectors += ["v." + name] if over in FLOATS else []
    for _ in range(2 if vectors else 0):
        a, b = rng.choice(vectors), rng.choice(vectors)
        names.append(f"{rng.choice(['dot', 'l2', 'cosine'])}({a}, {b})")
    return list(dict.fromkeys(names))


def quoted(name):
    return f'"{name}"' if " " in name else name


def random_value(rng, column, nans):
    if not column.endswith("!") and rng.random() < 0.15:
        return "null"
    kind = column.rstrip("!").partition(":")[2] or "string"
    if kind == "string":
        return rng.choice(["a", "b", "ab", '""', "größe"] if column == "t" else ["a", "b", "c", "ab"])
    if kind == "bool":
        return rng.choice(["true", "false"])
    if column.startswith("j"):
        return str(rng.randrange(3))
    if kind.startswith("decimal"):
        scale = 2 if kind.endswith("2)") else 6
        digits = rng.choice([1, 3, 3, 5, 12 if scale == 2 else 18])
        return oracle.decimal_text(oracle.Dec(oracle.Fraction(rng.randrange(-10**digits + 1, 10**digits), 10**scale),
                                              scale))
    if kind == "int32":
        return str(rng.randrange(-5, 20))
    if kind == "int64":
        return str(rng.choice([2**63 - 1, -2**63, 2**53 + 1]) if rng.random() < 0.1 else rng.randrange(-50, 50))
    special = ["9e12", "-9e12", "1e308", "-0.0", "3e-310", "0.1"] if kind == "float64" else ["-0.0", "1e38", "1e-45"]
    if nans:
        special += ["nan", "inf", "-inf"]
    return rng.choice(special) if rng.random() < 0.25 else repr(rng.randrange(-900, 1100) / 1000)


def time_text(us):
    return (oracle.EPOCH + datetime.timedelta(microseconds=us)).isoformat()


def random_events(rng, begin, count, spread, nans):
    """(event time, known time, cells), and the moments worth a question."""
    rows, moments = [], []
    known = begin
    for _ in range(count):
        if rng.random() < 0.75:
            known += rng.randrange(2 * spread)
        if rng.random() < 0.4:
            known -= known % MINUTE
        delay = rng.choice([0, 0, rng.randrange(4 * spread), rng.randrange(40 * spread), -rng.randrange(3 * spread)])
        happened = known - delay
        happened -= happened % MINUTE
        rows.append((happened, known, [random_value(rng, heading, nans) for _, heading, _ in COLUMNS]))
        moments += [known, happened]
    return rows, moments


class RandomNames:
    """Ids of events, some used again; what they replace, and which are deletions."""

    def __init__(self, rng):
        self.rng, self.integers = rng, rng.random() < 0.3
        self.corrects = rng.random() < 0.85
        self.reuse, self.correct = rng.choice([0.05, 0.2, 0.5]), rng.choice([0.1, 0.4, 0.7])
        self.lines = ["[source.events]", 'id = "id"']
        if rng.random() < 0.5:
            self.lines.append(f'dedup = "{rng.choice(["1us", "1min", "10min", "3h"])}"')
        if self.corrects:
            self.lines.append('replaces = "r"')
            if rng.random() < 0.8:
                self.lines.append(f'deleted = "{rng.choice(["gone", "gone", "gone and n > 5", "not gone"])}"')

    def heads(self):
        kind = ":int64" if self.integers else ""
        return ["id" + kind + "!", "r" + kind, "gone:bool"]

    def name(self, number):
        return str(number) if self.integers else f"e{number}"

    def cells(self, count):
        """Three cells for each of so many events."""
        rows = []
        for number in range(count):
            used = number if self.rng.random() >= self.reuse else self.rng.randrange(max(1, number))
            replaces = "null"
            if self.corrects and self.rng.random() < self.correct:
                # Mostly an event that came lately; now and then one that is still to come, or never does.
                named = self.rng.choice([number - 1, number - 2, self.rng.randrange(number + 1), used, number + 3])
                replaces = self.name(max(0, named))
            rows.append([self.name(used), replaces, self.rng.choice(["true", "false", "false", "null"])])
        return rows


def random_questions(rng, moments, windows, keys, count):
    lengths = [oracle.parse_duration(word) for window in windows for word in window.split()
               if word[0].isdigit()] or [MINUTE]
    rows = []
    for _ in range(count):
        at = rng.choice(moments) + rng.choice([0, 0, 1, -1, rng.choice(lengths), rng.choice(lengths) + 1, 7 * MINUTE])
        rows.append([time_text(at)] + [random_value(rng, dict((n, h) for n, h, _ in COLUMNS)[key], False)
                                       for key in keys])
    return rows


def table(rows):
    return "\n".join("  ".join(row) for row in rows)


def random_case(rng, number):
    zone, place = rng.choice(PLACES)
    keys, nans = rng.choice(KEYS), rng.random() < 0.3
    windows = rng.sample(WINDOWS, rng.randrange(1, 5))
    aggregates = [random_aggregate(rng) for _ in range(rng.randrange(1, 7))]
    spread = rng.choice([MINUTE, 10 * MINUTE, 60 * MINUTE])
    events, moments = random_events(rng, oracle.parse_time(place), rng.choice([5, 30, 80]), spread, nans)
    questions = random_questions(rng, moments, windows, keys, rng.choice([4, 12]))
    spans = ", ".join(f'"{window}"' for window in windows)
    lines = [f"== random {number}", "[project]", f'zone = "{zone}"', "[view.v]",
             "by = [" + ", ".join(f'"{key}"' for key in keys) + "]", f"windows = [{spans}]",
             f'lateness = "{rng.choice(LATENESS)}"']
    lines += [f'a{i} = "{text}"' for i, text in enumerate(aggregates)]
    heads = ["ts", "known"] + [heading for _, heading, _ in COLUMNS]
    rows = [[time_text(ts), time_text(known)] + cells for ts, known, cells in events]
    if rng.random() < 0.5:
        names = RandomNames(rng)
        lines[3:3] = names.lines
        heads += names.heads()
        rows = [row + cells for row, cells in zip(rows, names.cells(len(rows)))]
    lines += ["", "events", table([heads] + rows), ""]
    return "\n".join(lines), keys, readings(rng, aggregates, windows), questions


def answered(path, text, keys, names, questions):
    """The case with the oracle's answers; without the features that it does not know, or nothing."""
    head = ["at"] + keys + ["|"]
    path.write_text(text + "\nask\n" + table([head + [quoted(name) for name in names]] + [q + ["|"] + ["?"] * len(names) for q in questions]))
    case = oracle.read_cases(path)[0]
    world = oracle.World(case)
    columns = {}
    for name in names:
        try:
            columns[name] = []
            for _, cells in case.ask.rows:
                question = {column: oracle.read_value(cell, kind)
                            for (column, kind), cell in zip(case.ask.columns, cells)}
                columns[name].append(oracle.shown(world.feature(name, question)))
        except oracle.Unknown:
            del columns[name]
    if not columns:
        return None, 0
    rows = [q + ["|"] + [column[i] for column in columns.values()] for i, q in enumerate(questions)]
    return text + "\nask\n" + table([head + [quoted(name) for name in columns]] + rows) + "\n", len(rows) * len(columns)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", type=pathlib.Path, default=ROOT / "build/differential")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(2**32)
    options.keep.mkdir(parents=True, exist_ok=True)
    question = options.keep / f"question-{seed}.case"
    rng, until = random.Random(seed), time.monotonic() + options.seconds
    cases = values = 0
    while time.monotonic() < until or cases == 0:
        texts = []
        for _ in range(BATCH):
            text, count = answered(question, *random_case(rng, cases))
            cases += 1
            values += count
            if text:
                texts.append(text)
        path = options.keep / f"seed-{seed}.case"
        path.write_text("\n".join(texts))
        played = subprocess.run([str(options.program), str(path)], stdout=subprocess.PIPE, text=True, timeout=300)
        if played.returncode != 0:
            print(played.stdout[:6000])
            print(f"differential: seed {seed} differs from the oracle; the cases are in {path}")
            return 1
        path.unlink()
    question.unlink()
    print(f"{cases} random cases, {values} values, each on every path as the oracle says (seed {seed})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
