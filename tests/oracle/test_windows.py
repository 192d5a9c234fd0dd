"""Window features of three million flights against exact oracles, compared by bits."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy as np

import exact
from flights import FILE, ROOT, WINDOWS, Flights, chosen_by_hash, connect, feature_names

COEVAL = os.environ["COEVAL"]
QUESTIONS = 100_000
DUCKDB_ROWS = 250_000  # 15 days, so that flights leave the widest window too
UNKNOWN_AIRPORTS = ["ZZZ", "QQQ", "000", "X9X", "AAA"]  # that the declared pattern allows


def read_features(db, query):
    columns = db.execute(query).fetchnumpy()
    return {name: (np.ma.getdata(columns[name]), np.ma.getmaskarray(columns[name])) for name in feature_names()}


def quoted_features():
    return ", ".join(f'"{name}"' for name in feature_names())


class Windows(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="coeval-oracle-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        definition = (ROOT / "examples/flights/coeval.toml").read_text()
        path = '"../../data/flights-3m.parquet"'
        assert path in definition
        (cls.folder / "coeval.toml").write_text(definition.replace(path, f'"{FILE}"'))
        cls.flights = Flights()

    def dataset(self, *arguments):
        done = subprocess.run([COEVAL, "dataset", "-C", self.folder, *arguments], capture_output=True, text=True,
                              timeout=900, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def assert_equal_bits(self, ours, theirs, what):
        found = exact.differences(ours, theirs)
        rows = len(next(iter(theirs.values()))[0])
        empty = sum(int((values == 0).sum()) for name, (values, _) in theirs.items() if ".flights_" in name)
        null = sum(int(is_null.sum()) for _, is_null in theirs.values())
        print(f"{what}: {rows} questions, {rows * len(theirs)} answers, {empty} empty windows, {null} nulls; "
              f"{sum(found.values())} differ")
        self.assertEqual(found, {})
        self.assertGreater(empty, 0)
        self.assertGreater(null, 0)

    def test_the_quick_oracle_equals_the_definition_word_by_word(self):
        flights = self.flights
        rows = chosen_by_hash(len(flights), 1000, seed=1)
        # Flights land at any second, take off at whole minutes: ask half of the questions off the minute.
        time = flights.time[rows] + np.where(np.arange(len(rows)) % 2 == 0, 0, 37_000_001)
        asked = (time, flights.origin[rows], flights.destination[rows])
        self.assert_equal_bits(exact.running_totals(flights, *asked), exact.brute_force(flights, *asked),
                               "oracle against brute force")

    def test_a_hundred_thousand_questions_chosen_by_hash(self):
        flights = self.flights
        rows = chosen_by_hash(len(flights), QUESTIONS)
        out = self.folder / "late.parquet"
        self.dataset("late", "--out", out)
        db = connect()
        self.assertEqual(db.execute(f"select count(*) from '{out}'").fetchone(), (len(flights),))
        numbers = {"row": rows}  # DuckDB finds it by its name
        db.execute("create temp table chosen as select * from numbers")
        query = f"""from read_parquet('{out}', file_row_number = true) f join chosen c on f.file_row_number = c.row
                    order by c.row"""
        asked = db.execute("select epoch_us(date) as time, origin, destination, label " + query).fetchnumpy()
        airports = np.array(flights.airports, object)
        np.testing.assert_array_equal(asked["time"], flights.time[rows])
        np.testing.assert_array_equal(asked["origin"], airports[flights.origin[rows]])
        np.testing.assert_array_equal(asked["destination"], airports[flights.destination[rows]])
        np.testing.assert_array_equal(asked["label"], flights.late[rows] == 1)
        ours = read_features(db, f"select {quoted_features()} " + query)
        out.unlink()
        theirs = exact.running_totals(flights, flights.time[rows], flights.origin[rows], flights.destination[rows])
        self.assert_equal_bits(ours, theirs, "questions of the model")

    def questions_at_the_edges(self):
        """(time, origin, destination): a microsecond before, at and after each moment that matters to a flight."""
        flights = self.flights
        rows = chosen_by_hash(len(flights), 2000, seed=2)
        moments = [flights.known[rows], flights.time[rows]]
        moments += [flights.time[rows] + width for width in WINDOWS.values()]
        time = np.concatenate([moment + step for moment in moments for step in (-1, 0, 1)])
        origin, destination = (np.tile(column[rows], len(moments) * 3)
                               for column in (flights.origin, flights.destination))
        # Long before the first flight, and long after the last.
        for moment in (0, int(flights.time[0]), int(flights.known.max()) + 400 * 24 * WINDOWS["3h"]):
            time = np.append(time, np.full(10, moment))
            origin, destination = np.append(origin, origin[:10]), np.append(destination, destination[:10])
        # An unknown airport at one end or the other.
        for i in range(1000):
            time = np.append(time, flights.known[rows[i]] + 1)
            origin = np.append(origin, -1 - i % len(UNKNOWN_AIRPORTS) if i % 2 else flights.origin[rows[i]])
            destination = np.append(destination, flights.destination[rows[i]] if i % 3 else -1 - i % 5)
        return time, origin, destination

    def test_questions_of_a_user_at_the_edges(self):
        flights = self.flights
        time, origin, destination = self.questions_at_the_edges()
        names = flights.airports + UNKNOWN_AIRPORTS[::-1]  # -1 is the first of the unknown ones
        db = connect()
        # In an order that is not the order of time: coeval sorts, and the id says which is which.
        order = np.argsort(np.arange(len(time)) * 7919 % len(time))
        questions = {"id": order, "us": time[order], "origin": np.array([names[i] for i in origin[order]], object),
                     "destination": np.array([names[i] for i in destination[order]], object)}
        file, out = self.folder / "questions.parquet", self.folder / "features.parquet"
        db.execute(f"""copy (select id, make_timestamp(us) as "at", origin, destination from questions)
                       to '{file}' (format parquet)""")
        self.dataset("--features", "origin.*,destination.*,route.*,everywhere.*", "--questions", file, "--out", out)
        ours = read_features(db, f"select {quoted_features()} from '{out}' order by id")
        origin, destination = np.maximum(origin, -1), np.maximum(destination, -1)
        self.assert_equal_bits(ours, exact.running_totals(flights, time, origin, destination), "questions at the edges")
        for what, shift in {"events visible at their known time": {"known_by": -1},
                            "events visible a microsecond late": {"known_by": 1},
                            "windows open at their start": {"left_by": -1},
                            "windows a microsecond too wide": {"left_by": 1}}.items():
            wrong = exact.running_totals(flights, time, origin, destination, views=["origin"], **shift)
            noticed = exact.differences(ours, wrong)
            print(f"{what} would be noticed in {sum(noticed.values())} answers")
            self.assertEqual(len(noticed), len(wrong))

    def test_the_plan_of_duckdb_that_bench_times_is_exact(self):
        flights_file, out = self.folder / "first.parquet", self.folder / "duckdb.parquet"
        db = connect()
        db.execute(f"copy (from read_parquet('{FILE}') limit {DUCKDB_ROWS}) to '{flights_file}' (format parquet)")
        subprocess.run([sys.executable, ROOT / "bench/backfill/duckdb_backfill.py", flights_file, out],
                       check=True, timeout=900, stdin=subprocess.DEVNULL)
        flights = Flights(flights_file)
        ours = read_features(db, f"select {quoted_features()} from '{out}' order by q")
        self.assert_equal_bits(exact.running_totals(flights, flights.time, flights.origin, flights.destination), ours,
                               "DuckDB's plan")


if __name__ == "__main__":
    unittest.main()
