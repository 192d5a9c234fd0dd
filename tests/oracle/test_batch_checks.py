"""Checks of batches over generated frames beside DuckDB, numpy and exact fractions: the number that a check finds, the rows
that offend, and the verdict with the bound right at the number and just beyond it. Frames are read in shards that the
seed chooses, with memory and without, and all must say the same."""

import json
import math
import os
import pathlib
import random
import subprocess
import tempfile
import unittest
from decimal import Decimal
from fractions import Fraction

import duckdb
import numpy

PROBE = str(pathlib.Path(os.environ["COEVAL"]).resolve().parent / "coeval_batch_probe")
HOUR = 3_600_000_000
START = 990_000_000_000_000
COLUMNS = {"ts": "timestamp", "known": "timestamp", "id": "int64", "name": "string", "day": "string", "x": "float64",
           "amount": "decimal(12,2)", "kind": "string", "grade": "int64"}


def frame(rng, rows, shifted):
    """Rows as dicts; None is null. Times are mostly in order, ids mostly unique."""
    made, clock = [], START
    for _ in range(rows):
        clock += rng.choice([0, 1, 1_000_000, 60_000_000, 2 * HOUR if rng.random() < 0.01 else 5])
        at = clock - (rng.randrange(HOUR) if rng.random() < 0.05 else 0)
        maybe = lambda value: None if rng.random() < 0.04 else value
        made.append({
            "ts": at, "known": at + rng.choice([0, 1, HOUR, HOUR + 1, 3 * HOUR]),
            "id": maybe(rng.randrange(rows * 30)), "name": maybe(f"n{rng.randrange(40)}"),
            "day": maybe(f"d{rng.randrange(rows)}"),
            "x": maybe(rng.choice([round(rng.gauss(2 if shifted else 0, 5), 1), 1e17, -1e17, 0.1])),
            "amount": maybe(Decimal(rng.randrange(-10**6, 10**6)) / 100),
            "kind": maybe(rng.choice("aaabbc" + ("ddz" if shifted else "eeq"))),
            "grade": maybe(rng.choice([*range(12), -3, 40, 11] if shifted else range(12))),
        })
    return made


def write_csv(path, rows):
    cell = lambda value: "" if value is None else str(value)
    lines = [",".join(COLUMNS)] + [",".join(cell(row[c]) for c in COLUMNS) for row in rows]
    path.write_text("\n".join(lines) + "\n")


def table(rows):
    base = duckdb.connect()
    types = {"timestamp": "bigint", "int64": "bigint", "string": "varchar", "float64": "double",
             "decimal(12,2)": "decimal(12,2)"}
    base.execute("create table t (n bigint, " + ", ".join(f"{c} {types[t]}" for c, t in COLUMNS.items()) + ")")
    base.executemany("insert into t values (?" + ", ?" * len(COLUMNS) + ")",
                     [[n] + [row[c] for c in COLUMNS] for n, row in enumerate(rows)])
    return base


def one(base, query):
    return [row[0] for row in base.execute(query).fetchall()]


def repeats(base, columns):
    """Rows with an equal row before them; a comparison with null is not true."""
    equal = " and ".join(f"a.{c} = b.{c}" for c in columns)
    return one(base, f"select a.n from t a where exists (select 1 from t b where b.n < a.n and {equal}) order by a.n")


def exact_quantile(values, p):
    ordered = sorted(values)
    place = Fraction(p) * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return float(Fraction(ordered[low]) + (Fraction(ordered[high]) - Fraction(ordered[low])) * (place - low))


def gaps(base, span, key):
    by = f"partition by {key}" if key else ""
    where = f"where {key} is not null" if key else ""
    return one(base, f"""select n from (select n, ts - lag(ts) over ({by} order by ts, n) as gap from t {where})
                         where gap > {span} order by n""")


def out_of_order(base):
    return one(base, """select n from (select n, ts, max(ts) over (order by n rows between unbounded preceding and 1
                        preceding) as before from t) where ts < before order by n""")


def text_bins(before, now):
    """Counts of the reference and the batch: null, NaN, infinities, the reference's texts, other, unseen."""
    known = sorted({v for v in before if v is not None})
    count = lambda values: numpy.array([values.count(None), 0, 0, 0] + [values.count(v) for v in known]
                                       + [0, sum(v is not None and v not in known for v in values)], dtype=float)
    return count(before), count(now)


def psi(a, b):
    p, q = (a + 0.5) / (a.sum() + len(a) / 2), (b + 0.5) / (b.sum() + len(b) / 2)
    raw = float(((p - q) * numpy.log(p / q)).sum())
    bins = int(((a + b) > 0).sum())
    return max(0.0, raw - (bins - 1) * (1 / a.sum() + 1 / b.sum()))


def chi2(a, b):
    a, b = a[a + b > 0], b[a + b > 0]
    total = a.sum() + b.sum()
    return float(sum(((side - (a + b) * side.sum() / total) ** 2 / ((a + b) * side.sum() / total)).sum() for side in (a, b)))


def js(a, b):
    p, q = a / a.sum(), b / b.sum()
    middle = (p + q) / 2
    part = lambda s: float((s[s > 0] * numpy.log2(s[s > 0] / middle[s > 0])).sum())
    return math.sqrt((part(p) + part(q)) / 2)


def ks(before, now):
    """A bin for each value of the reference, which has all between its ends: the distance of the samples themselves."""
    before, now = (numpy.sort(numpy.array([v for v in values if v is not None])) for values in (before, now))
    every = numpy.union1d(before, now)
    share = lambda values: numpy.searchsorted(values, every, side="right") / len(values)
    return float(numpy.abs(share(before) - share(now)).max())


class Expected:
    """A check with its number, which is held against a bound: at the number it passes, beyond it fails."""

    def __init__(self, text, number, rows=None, exact=True):
        self.text, self.number, self.rows, self.exact = text, float(number), rows, exact

    def definitions(self, name):
        least = 5e-324 if self.number == 0 else abs(self.number) * (2**-52 if self.exact else 1e-9)
        loose = self.number if self.exact else self.number + least
        yield f"{name}_most", f"{{ {self.text}, max = {loose!r} }}", "passed"
        if "share" in self.text or "psi" in self.text or not self.exact or "gap" in self.text or "_values" in self.text:
            if self.number > 0:
                yield f"{name}_over", f"{{ {self.text}, max = {max(0.0, self.number - least)!r} }}", "failed"
            return
        yield f"{name}_least", f"{{ {self.text}, min = {self.number!r} }}", "passed"
        yield f"{name}_over", f"{{ {self.text}, max = {math.nextafter(self.number, -math.inf)!r} }}", "failed"
        yield f"{name}_under", f"{{ {self.text}, min = {math.nextafter(self.number, math.inf)!r} }}", "failed"


def expectations(before, rows):
    base, n = table(rows), len(rows)
    values = {c: [row[c] for row in rows if row[c] is not None] for c in COLUMNS}
    early, late = out_of_order(base), one(base, f"select n from t where known - ts > {HOUR} order by n")
    a, b = text_bins([row["kind"] for row in before], [row["kind"] for row in rows])
    held, met = {row["kind"] for row in before} - {None}, {row["kind"] for row in rows} - {None}
    fresh = [i for i, row in enumerate(rows) if row["kind"] is not None and row["kind"] not in held]
    reference = 'reference = "before.profile"'
    mean = lambda c: float(sum(map(Fraction, values[c])) / len(values[c]))
    return {
        "rows": Expected('rows = ""', n),
        "nulls": Expected('null_share = "name"', one(base, "select count(*) - count(name) from t")[0] / n),
        "names": Expected('distinct = "name"', one(base, "select count(distinct name) from t")[0]),
        "xs": Expected('distinct = "x"', one(base, "select count(distinct x) from t")[0]),
        "mean_x": Expected('mean = "x"', mean("x")),
        "mean_amount": Expected('mean = "amount"', mean("amount")),
        "tail_x": Expected('quantile = "x", p = 0.93', exact_quantile(values["x"], 0.93)),
        "middle": Expected('quantile = "amount", p = 0.5', exact_quantile(values["amount"], 0.5)),
        "late": Expected('late_share = "1h"', len(late) / n, late),
        "mixed": Expected('out_of_order_share = ""', len(early) / n, early),
        "gaps": Expected('gap = "1h"', len(gaps(base, HOUR, None)), gaps(base, HOUR, None)),
        "gaps_of": Expected('gap = "6h", by = ["name"]', len(gaps(base, 6 * HOUR, "name")), gaps(base, 6 * HOUR, "name")),
        "psi": Expected(f'psi = "kind", {reference}', psi(a, b), exact=False),
        "chi2": Expected(f'chi2 = "kind", {reference}', chi2(a, b), exact=False),
        "js": Expected(f'js = "kind", {reference}', js(a, b), exact=False),
        "linf": Expected(f'linf = "kind", {reference}', float(numpy.abs(a / a.sum() - b / b.sum()).max()), exact=False),
        "ks": Expected(f'ks = "grade", {reference}', ks([r["grade"] for r in before], [r["grade"] for r in rows]), exact=False),
        "new": Expected(f'new_values = "kind", {reference}', len(met - held), fresh),
        "vanished": Expected(f'vanished_values = "kind", {reference}', len(held - met)),
    }, {
        "id": ('unique = ["id"]', repeats(base, ["id"])),
        "day": ('unique = ["day"]', repeats(base, ["day"])),
        "pair": ('unique = ["name", "day"]', repeats(base, ["name", "day"])),
        "three": ('unique = ["kind", "id", "amount"]', repeats(base, ["kind", "id", "amount"])),
    }


def definition(checks):
    columns = "\n".join(f'{c} = {{ type = "{t}", nullable = {str(c not in ("ts", "known")).lower()} }}'
                        for c, t in COLUMNS.items() if c != "ts")
    source = lambda name: f'[source.{name}]\ntime = "ts"\nknown = "known"\n[source.{name}.columns]\nts = "timestamp"\n{columns}\n'
    return ('[project]\nname = "batches"\n' + source("rows") + source("ledger") + "[source.rows.checks]\n"
            + "\n".join(f"{name} = {text}" for name, text in checks.items()) + "\n")


class BatchChecks(unittest.TestCase):
    def run_probe(self, *words):
        ended = subprocess.run([PROBE, *map(str, words)], capture_output=True, text=True)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return [json.loads(line) for line in ended.stdout.splitlines()]

    def findings(self, folder, seed, memory, now=0):
        return {found["rule"].removeprefix("checks."): found
                for found in self.run_probe("check", folder, "rows", seed, memory, now)}

    def test_numbers_rows_and_verdicts(self):
        for seed in range(6):
            rng = random.Random(seed)
            before, rows = frame(rng, 400 + 100 * seed, False), frame(rng, [230, 700, 3000, 1500][seed % 4], seed % 3 == 1)
            numbers, keys = expectations(before, rows)
            checks, verdicts = {}, {}
            for name, expected in numbers.items():
                for key, text, verdict in expected.definitions(name):
                    checks[key], verdicts[key] = text, (verdict, expected)
            for name, (text, _) in keys.items():
                checks["unique_" + name] = f"{{ {text} }}"
            with tempfile.TemporaryDirectory() as name, self.subTest(seed=seed):
                folder = pathlib.Path(name)
                (folder / "coeval.toml").write_text(definition(checks))
                write_csv(folder / "before.csv", before)
                write_csv(folder / "rows.csv", rows)
                self.run_probe("profile", folder, "rows", folder / "before.csv", folder / "before.profile")
                found = self.findings(folder, seed, 1 << 30)
                for other in (seed + 11, seed + 14):
                    self.assertEqual(self.findings(folder, other, 0), found)
                for key, (verdict, expected) in verdicts.items():
                    one = found[key]
                    self.assertEqual(one["outcome"], verdict, (key, checks[key], one))
                    if expected.exact:
                        self.assertEqual(one["number"], expected.number, (key, one))
                    else:
                        self.assertAlmostEqual(one["number"], expected.number, delta=1e-10 * max(1, expected.number))
                    if expected.rows is not None:
                        self.same_rows(one, expected.rows)
                for key, (_, repeated) in keys.items():
                    one = found["unique_" + key]
                    self.assertEqual(one["outcome"], "failed" if repeated else "passed", one)
                    self.same_rows(one, repeated)
                    self.assertEqual([int(text.split()[1]) for text in one["examples"]], repeated[:5])

    def same_rows(self, found, expected):
        self.assertEqual(found["rows_count"], len(expected), found)
        self.assertEqual(found["rows"], sorted(set(found["rows"])))
        self.assertEqual(len(found["rows"]), min(20, len(expected)), found)
        self.assertLessEqual(set(found["rows"]), set(expected))

    def test_sums_of_two_sources(self):
        for seed in range(6):
            rng = random.Random(100 + seed)
            rows, ledger = frame(rng, 300, False), frame(rng, 200, False)
            off = abs(sum(Fraction(r["amount"] or 0) for r in rows) - sum(Fraction(r["amount"] or 0) for r in ledger))
            cents = int(off * 100)
            checks = {"near": f'{{ sum = "amount", equals = "ledger.amount", tolerance = {cents / 100!r} }}',
                      "far": f'{{ sum = "amount", equals = "ledger.amount", tolerance = {(cents - 1) / 100!r} }}'}
            with tempfile.TemporaryDirectory() as name, self.subTest(seed=seed, cents=cents):
                folder = pathlib.Path(name)
                (folder / "coeval.toml").write_text(definition(checks))
                write_csv(folder / "rows.csv", rows)
                write_csv(folder / "ledger.csv", ledger)
                found = self.findings(folder, seed, 0)
                self.assertEqual((found["near"]["outcome"], found["far"]["outcome"]), ("passed", "failed"), found)

    def test_freshness(self):
        rows = frame(random.Random(5), 50, False)
        newest, arrived = max(row["ts"] for row in rows), max(row["known"] for row in rows)
        checks = {"event": '{ freshness = "36h" }', "arrival": '{ freshness = "36h", of = "arrival" }',
                  "both": '{ freshness = "36h", of = "both" }'}
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "coeval.toml").write_text(definition(checks))
            write_csv(folder / "rows.csv", rows)
            for clock in (newest + 36 * HOUR, newest + 36 * HOUR + 1, arrived + 36 * HOUR, arrived + 36 * HOUR + 1):
                found = {key: one["outcome"] == "passed" for key, one in self.findings(folder, 3, 0, clock).items()}
                event, arrival = clock - newest <= 36 * HOUR, clock - arrived <= 36 * HOUR
                self.assertEqual(found, {"event": event, "arrival": arrival, "both": event and arrival})

    def test_volume(self):
        outcomes = set()
        for seed in range(12):
            rng = random.Random(200 + seed)
            history = {hour: rng.randrange(0, 60) for hour in range(-168 * rng.choice([2, 3, 5]), 0) if rng.random() < 0.9}
            first = START // HOUR
            history = {first + hour: rows for hour, rows in history.items()}
            counts = {first + i: rng.randrange(1, 90) for i in range(30) if rng.random() < 0.95 or i in (0, 29)}
            blank = dict.fromkeys(COLUMNS)
            rows = [blank | {"ts": hour * HOUR + i, "known": hour * HOUR + i} for hour, n in counts.items() for i in range(n)]
            ratio, unusual, compared = rng.choice([1.5, 3.0, 40.0]), 0, 0
            for hour in range(min(counts), max(counts) + 1):
                same = [history.get(hour - 168 * week, 0) for week in range(1, 5)
                        if min(history) <= hour - 168 * week <= max(history)]
                if len(same) < 3:
                    continue
                compared += 1
                share = Fraction(counts.get(hour, 0) + 1) / (Fraction(numpy.median(same)) + 1)
                ends = hour in (min(counts), max(counts))
                unusual += float(share) > ratio or (not ends and float(1 / share) > ratio)
            expected = "not evaluated" if compared == 0 else "failed" if unusual else "passed"
            with tempfile.TemporaryDirectory() as name, self.subTest(seed=seed):
                folder = pathlib.Path(name)
                (folder / "coeval.toml").write_text(definition({"usual": f'{{ volume = "4w", max_ratio = {ratio} }}'}))
                write_csv(folder / "rows.csv", rows)
                (folder / "history.txt").write_text("".join(f"{hour} {n}\n" for hour, n in history.items()))
                found = self.findings(folder, seed, 0)["usual"]
                self.assertEqual(found["outcome"], expected, found)
                if compared:
                    self.assertTrue(found["observed"].startswith(f"{unusual} of {compared} hour"), found)
                outcomes.add(expected)
        self.assertEqual(outcomes, {"passed", "failed", "not evaluated"})


if __name__ == "__main__":
    unittest.main()
