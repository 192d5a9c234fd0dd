"""The flights as numpy arrays, read by DuckDB: nothing here comes from coeval."""

import pathlib

import duckdb
import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
FILE = ROOT / "data/flights-3m.parquet"
HOUR = 3_600_000_000
WINDOWS = {"3h": 3 * HOUR, "24h": 24 * HOUR, "14d": 14 * 24 * HOUR}
AGGREGATES = ("flights", "late", "mean_delay")
VIEWS = ("origin", "destination", "route", "everywhere")


def connect():
    db = duckdb.connect()
    db.execute("set threads = 2; set TimeZone = 'UTC'")
    return db


def feature_names():
    return [f"{view}.{aggregate}_{window}" for view in VIEWS for aggregate in AGGREGATES for window in WINDOWS]


def hash_of(numbers):
    """A 64-bit mix of each number (the finaliser of MurmurHash3)."""
    h = numbers.astype(np.uint64)
    for multiplier in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        h ^= h >> np.uint64(33)
        h *= np.uint64(multiplier)
    return h ^ (h >> np.uint64(33))


def chosen_by_hash(rows_count, count, seed=0):
    """The `count` row numbers with the smallest hashes, ascending."""
    h = hash_of(np.arange(1, rows_count + 1, dtype=np.uint64) + np.uint64(seed << 40))
    return np.sort(np.argpartition(h, count)[:count])


class Flights:
    """One array per column, in the order of the file. Rows with a delay below -120 are bad data."""

    def __init__(self, file=FILE):
        db = connect()
        db.execute(f"""create type airport as enum (select distinct unnest([origin, destination]) as name
                       from read_parquet('{file}') order by name)""")
        columns = db.execute(f"""
            select epoch_us(date) as time, distance::bigint as distance, delay::bigint as delay,
                   enum_code(origin::airport)::bigint as origin, enum_code(destination::airport)::bigint as destination
            from read_parquet('{file}') where delay >= -120""").fetchnumpy()
        self.time, self.distance, self.delay, self.origin, self.destination = (
            np.asarray(columns[name]) for name in ("time", "distance", "delay", "origin", "destination"))
        names = db.execute("select unnest(enum_range(null::airport))").fetchall()
        self.airports = [name for (name,) in names]
        self.late = (self.delay >= 15).astype(np.int64)
        # minutes(40 + distance / 7.5) is a whole number of microseconds: 8 seconds a mile.
        self.known = self.time + 40 * 60_000_000 + 8_000_000 * self.distance

    def __len__(self):
        return len(self.time)

    def entities(self, view, origin=None, destination=None):
        """The entity of each event, or of each question whose airports are given; -1: never seen."""
        origin = self.origin if origin is None else origin
        destination = self.destination if destination is None else destination
        if view == "everywhere":
            return np.zeros(len(origin), np.int64)
        if view == "route":
            return np.where((origin < 0) | (destination < 0), -1, origin * len(self.airports) + destination)
        return origin if view == "origin" else destination
