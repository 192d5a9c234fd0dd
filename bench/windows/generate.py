"""Writes the events and questions of a shape as Parquet, the same rows that windows/shapes.cc makes.

    generate.py FOLDER --events N --keys N --questions N --days N [--hot] [--sources N]

FOLDER/events_K.parquet: ts (timestamp, us), key (int64), amount (int64), item (int32), in order of time, for each
source K. FOLDER/questions.parquet: key (int64), at (timestamp, us), in order of time. Row i is a hash of i, so that
files of any size are written row group by row group. Needs numpy and pyarrow.
"""

import argparse
import pathlib

import numpy
import pyarrow
import pyarrow.parquet

START_US = 1_735_689_600_000_000  # 2025-01-01
DAY_US = 86_400_000_000
HOT_KEYS = 5
CHUNK_ROWS = 1_000_000
EVENT_TIME, KEY, AMOUNT, ITEM, QUESTION_TIME, QUESTION_KEY = range(1, 7)


def draw(what, source, rows):
    """SplitMix64's finaliser over a counter, one for each row."""
    u = numpy.uint64
    z = rows.astype(u) + u((((what + 16 * source) << 40) + 0x9E3779B97F4A7C15) % 2**64)
    z = (z ^ (z >> u(30))) * u(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> u(27))) * u(0x94D049BB133111EB)
    return z ^ (z >> u(31))


def times(what, source, rows, days, count):
    step = days * DAY_US // count
    jitter = draw(what, source, rows) % numpy.uint64(step)
    return (START_US + rows * step + jitter.astype(numpy.int64)).astype("datetime64[us]")


def keys(what, source, rows, count, hot):
    h = draw(what, source, rows)
    if hot:
        ten = numpy.uint64(10)
        ids = numpy.where(h % ten < HOT_KEYS, h % ten, HOT_KEYS + h // ten % numpy.uint64(count - HOT_KEYS))
    else:
        ids = h % numpy.uint64(count)
    return ids.astype(numpy.int64) * 1_000_003 + 17


def write(path, count, make):
    writer = None
    unfinished = path.with_suffix(".part")
    for start in range(0, count, CHUNK_ROWS):
        table = pyarrow.table(make(numpy.arange(start, min(start + CHUNK_ROWS, count), dtype=numpy.int64)))
        writer = writer or pyarrow.parquet.ParquetWriter(unfinished, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=CHUNK_ROWS)
    writer.close()
    unfinished.rename(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    for name in ("events", "keys", "questions", "days"):
        parser.add_argument("--" + name, type=int, required=True)
    parser.add_argument("--hot", action="store_true")
    parser.add_argument("--sources", type=int, default=1)
    o = parser.parse_args()
    o.folder.mkdir(parents=True, exist_ok=True)
    for source in range(o.sources):
        write(o.folder / f"events_{source}.parquet", o.events, lambda rows: {
            "ts": times(EVENT_TIME, source, rows, o.days, o.events),
            "key": keys(KEY, source, rows, o.keys, o.hot),
            "amount": 1 + (draw(AMOUNT, source, rows) % numpy.uint64(100_000)).astype(numpy.int64),
            "item": (draw(ITEM, source, rows) % numpy.uint64(50)).astype(numpy.int32)})
    write(o.folder / "questions.parquet", o.questions, lambda rows: {
        "key": keys(QUESTION_KEY, 0, rows, o.keys, o.hot),
        "at": times(QUESTION_TIME, 0, rows, o.days, o.questions)})


if __name__ == "__main__":
    main()
