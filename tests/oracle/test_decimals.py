"""Decimals against DuckDB's: arithmetic, casts and comparison row by row, and exact sums over windows. Both give the
same scales; where DuckDB would give a wider type or round a mean in several steps, the exact value is made here."""

import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import unittest
from decimal import Decimal
from fractions import Fraction

from flights import connect

COEVAL = os.environ["COEVAL"]
ROWS, QUESTIONS = 20_000, 3_000

DEFINITION = """[project]
name = "decimals"
[source.payments]
path = "payments.parquet"
time = "ts"
known = "event time"
[source.payments.columns]
ts     = "timestamp"
card   = "int64"
small  = { type = "decimal(12,2)", nullable = true }
amount = { type = "decimal(12,2)", nullable = true }
wide   = { type = "decimal(12,2)", nullable = true }
rate   = { type = "decimal(9,6)", nullable = true }
[view.card]
from = "payments"
by = ["card"]
windows = ["1h", "all"]
n = "count(amount)"
small = "sum(small)"
amount = "sum(amount)"
wide = "sum(wide)"
product = "sum(small * rate)"
mean = "mean(amount)"
least = "min(amount)"
most = "max(wide)"
large = "count() where amount > 5000 and rate < decimal '0.5'"
[features]
"""

# (ours, DuckDB's where it differs); a: decimal(12,2), b: decimal(9,4), c: decimal(18,3), n: int64.
EXPRESSIONS = [
    ("a + b", None), ("a - b", None), ("a * b", None), ("-a", None), ("abs(b)", None), ("b + b - a", None),
    ("a = b", None), ("a < b", None), ("a >= b", None), ("a <> c", None), ("a < n", None), ("c >= n", None),
    ("a between b and c", None), ("a is distinct from b", None), ("a in (b, c, 5)", None),
    ("sign(a)", "cast(sign(a) as bigint)"), ("floor(a)", None), ("ceil(b)", None), ("trunc(b)", None),
    ("round(b, 2)", None), ("round(c, 1)", None), ("round(a)", None),
    ("coalesce(a, b)", None), ("if(a > b, a, b)", "case when a > b then a else b end"),
    ("nullif(a, b)", "cast(nullif(a, b) as decimal(14,4))"),
    ("cast(a as string)", "cast(a as varchar)"), ("cast(b as string)", "cast(b as varchar)"),
    ("cast(a as decimal(18,6))", None), ("cast(n as decimal(18,2))", None), ("cast(a as bool)", "a <> 0"),
    ("try_cast(a as decimal(6,2))", None), ("try_cast(cast(c as string) as decimal(18,3))", "c"),
    ("cast(a as float64)", "cast(cast(a as varchar) as double)"),
    ("cast(c as float32)", "cast(cast(c as varchar) as float)"),
    ("least(a, b)", "case when a is null or b is null then null when a < b then a else b end"),
    ("greatest(a, c)", "case when a is null or c is null then null when a > c then a else c end"),
]
TYPES = {"a": "decimal(12,2)", "b": "decimal(9,4)", "c": "decimal(18,3)", "n": "bigint"}


def some(rng, precision, scale):
    if rng.random() < 0.1:
        return None
    digits = rng.randrange(precision + 1)
    return Decimal(rng.randrange(-10**digits + 1, 10**digits)).scaleb(-scale)


class Decimals(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="coeval-oracle-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def dataset(self, features, questions, out):
        done = subprocess.run([COEVAL, "dataset", "-C", self.folder, "--features", ",".join(features), "--questions",
                               questions, "--out", out], capture_output=True, text=True, timeout=600,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_expressions_are_those_of_duckdb(self):
        rng, db = random.Random(21), connect()
        db.execute("create table given (id bigint, a decimal(12,2), b decimal(9,4), c decimal(18,3), n bigint)")
        db.executemany("insert into given values (?, ?, ?, ?, ?)",
                       [(i, some(rng, 12, 2), some(rng, 9, 4), some(rng, 18, 3), rng.randrange(-10**15, 10**15)
                         if rng.random() < 0.5 else rng.randrange(-9, 10)) for i in range(2_000)])
        db.execute("update given set b = a where id % 5 = 0 and abs(a) < 10000")
        features = "\n".join(f'o{i} = "{ours}"' for i, (ours, _) in enumerate(EXPRESSIONS))
        columns = "".join(f'{name} = {{ type = "{kind.replace("bigint", "int64")}", known = "ts", nullable = true }}\n'
                          for name, kind in TYPES.items())
        (self.folder / "coeval.toml").write_text(
            f'[project]\nname = "e"\n[source.rows]\ntime = "ts"\nknown = "event time"\n[source.rows.columns]\n'
            f'ts = "timestamp"\n{columns}[view.none]\nfrom = "rows"\nby = []\nwindows = ["1h"]\nrows = "count()"\n'
            f"[features]\n{features}\n")
        questions, out = self.folder / "questions.parquet", self.folder / "out.parquet"
        db.execute(f"""copy (select timestamp '2001-01-01' + to_microseconds(id) as "at", * from given order by id)
                       to '{questions}' (format parquet)""")
        self.dataset([f"o{i}" for i in range(len(EXPRESSIONS))] + ["none.rows_1h"], questions, out)
        ours = ", ".join(f"o{i}" for i in range(len(EXPRESSIONS)))
        theirs = ", ".join(f"try({theirs or ours}) as t{i}" for i, (ours, theirs) in enumerate(EXPRESSIONS))
        answers = db.execute(f"select {ours}, {theirs} from '{out}' order by id").fetchall()
        self.assertEqual(len(answers), 2_000)
        for i, (ours, theirs) in enumerate(EXPRESSIONS):
            answer = [(row[i], row[len(EXPRESSIONS) + i]) for row in answers]
            different = [(a, b) for a, b in answer if repr(a) != repr(b)]
            self.assertEqual(different[:3], [], f"{ours} against {theirs or ours}: {len(different)} differ")
            self.assertGreater(len({row[i] for row in answers}), 1, ours)
        print(f"{len(EXPRESSIONS)} expressions over decimals, {2_000 * len(EXPRESSIONS)} values equal to DuckDB's")

    def test_sums_over_windows_are_exact_whatever_the_file_stores_them_in(self):
        rng, db = random.Random(22), connect()
        # 32, 64 and 128 bits in the file.
        db.execute("""create table payments (ts timestamp, card bigint, small decimal(7,2), amount decimal(12,2),
                      wide decimal(30,2), rate decimal(9,6))""")
        rows = []
        for _ in range(ROWS):
            seconds = rng.randrange(5 * 86_400)
            rows.append((seconds, rng.randrange(40), some(rng, 7, 2), some(rng, 12, 2), some(rng, 12, 2),
                         some(rng, 9, 6)))
        rows.sort(key=lambda row: row[0])
        db.executemany("insert into payments values (timestamp '2001-01-01' + to_seconds(?), ?, ?, ?, ?, ?)", rows)
        db.execute(f"copy payments to '{self.folder / 'payments.parquet'}' (format parquet)")
        (self.folder / "coeval.toml").write_text(DEFINITION)
        questions, out = self.folder / "questions.parquet", self.folder / "out.parquet"
        db.execute(f"""create table asked as select range as id, timestamp '2001-01-01' + to_seconds(
                       (hash(range) % {6 * 86_400})::bigint) as "at", (hash(range + 7) % 42)::bigint as card
                       from range({QUESTIONS})""")
        db.execute(f"copy (from asked order by id) to '{questions}' (format parquet)")
        names = [f"card.{feature}_{window}" for window in ("1h", "all")
                 for feature in ("n", "small", "amount", "wide", "product", "mean", "least", "most", "large")]
        self.dataset(names, questions, out)
        for window, begin in (("1h", 'a."at" - interval 1 hour'), ("all", "timestamp '1970-01-01'")):
            theirs = db.execute(f"""select a.id, count(p.amount), sum(p.small), sum(p.amount), sum(p.wide),
                sum(p.small * p.rate), min(p.amount), max(p.wide),
                count(p.ts) filter (where p.amount > 5000 and p.rate < 0.5::decimal(2,1))
                from asked a left join payments p on p.card = a.card and p.ts < a."at" and p.ts >= {begin}
                group by a.id order by a.id""").fetchall()
            columns = ", ".join(f'"card.{feature}_{window}"' for feature in
                                ("n", "small", "amount", "wide", "product", "least", "most", "large", "mean"))
            ours = db.execute(f"select id, {columns} from '{out}' order by id").fetchall()
            self.assertEqual([row[:-1] for row in ours], theirs)
            means = [float(Fraction(row[3]) / row[1]) if row[1] else None for row in theirs]
            self.assertEqual([row[-1] for row in ours], means)
            self.assertGreater(sum(row[2] is not None for row in ours), QUESTIONS // 10)
        types = dict(row[:2] for row in db.execute(f"describe from '{out}'").fetchall())
        self.assertEqual(types["card.amount_1h"], "DECIMAL(18,2)")
        self.assertEqual(types["card.least_all"], "DECIMAL(12,2)")
        self.assertEqual(types["card.product_1h"], "DECIMAL(18,8)")
        print(f"{QUESTIONS} questions about {ROWS} payments, {2 * 9 * QUESTIONS} answers equal to DuckDB's")


if __name__ == "__main__":
    unittest.main()
