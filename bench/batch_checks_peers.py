"""The uniqueness checks of bench/batch_checks_bench.cc in DuckDB and pandas, on the same rows and one thread: CPU ns a row,
best of three. Run it with pandas' Python: third_party/peers/pandas/bin/python bench/batch_checks_peers.py [ROWS]"""

import pathlib
import sys
import time

import numpy
import pandas

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "third_party/oracles/duckdb"))
import duckdb  # noqa: E402


def best(name, work):
    taken = []
    for _ in range(3):
        before = time.process_time_ns()
        repeats = work()
        taken.append((time.process_time_ns() - before) / rows)
        assert repeats == 0, repeats
    print(f"{name} {min(taken):.1f} ns/row", flush=True)


rows = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
i = numpy.arange(rows, dtype=numpy.uint64)
frame = pandas.DataFrame({
    "id": ((i * numpy.uint64(0x9E3779B97F4A7C15)) >> numpy.uint64(1)).astype(numpy.int64),
    "flight": [f"FL{n % 20011}" for n in range(rows)],
    "day": [f"day {n // 20011}" for n in range(rows)],
})
best("pandas_unique_integer", lambda: int(frame["id"].duplicated().sum()))
best("pandas_unique_two_texts", lambda: int(frame.duplicated(["flight", "day"]).sum()))

base = duckdb.connect()
base.execute("set threads = 1")
base.execute("create table flights as select * from frame")
QUERY = "select coalesce(sum(n - 1), 0) from (select count(*) n from flights group by {} having count(*) > 1)"
best("duckdb_unique_integer", lambda: int(base.execute(QUERY.format("id")).fetchone()[0]))
best("duckdb_unique_two_texts", lambda: int(base.execute(QUERY.format("flight, day")).fetchone()[0]))
