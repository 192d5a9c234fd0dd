"""CPU time that other readers take for the files of readers_bench, on one thread: FOLDER/rows.csv and rows.jsonl.

  readers_peers.py FOLDER     with the Python of a peer; tells of each library that it has
"""

import os
import resource
import sys

for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "ARROW_IO_THREADS"):
    os.environ[name] = "1"

FOLDER = sys.argv[1]
TYPES = {"flight": "BIGINT", "at": "TIMESTAMP", "carrier": "VARCHAR", "origin": "VARCHAR",
         "destination": "VARCHAR", "distance": "INTEGER", "delay": "DOUBLE", "price": "DOUBLE"}


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def report(name, path, read):
    best = 1e9
    for _ in range(3):
        before = cpu_seconds()
        read(path)
        best = min(best, cpu_seconds() - before)
    print(f"{name:28} {os.path.getsize(path) / 1e6 / best:7.0f} MB/s", flush=True)


def pyarrow_readers():
    import pyarrow
    import pyarrow.csv
    import pyarrow.json
    pyarrow.set_cpu_count(1)
    kinds = {"BIGINT": pyarrow.int64(), "TIMESTAMP": pyarrow.timestamp("us", "UTC"),
             "VARCHAR": pyarrow.string(), "INTEGER": pyarrow.int32(), "DOUBLE": pyarrow.float64()}
    types = {name: kinds[kind] for name, kind in TYPES.items()}
    report(f"pyarrow {pyarrow.__version__} CSV", FOLDER + "/rows.csv",
           lambda path: pyarrow.csv.read_csv(
               path, read_options=pyarrow.csv.ReadOptions(use_threads=False),
               convert_options=pyarrow.csv.ConvertOptions(column_types=types)))
    report(f"pyarrow {pyarrow.__version__} JSON", FOLDER + "/rows.jsonl",
           lambda path: pyarrow.json.read_json(
               path, read_options=pyarrow.json.ReadOptions(use_threads=False),
               parse_options=pyarrow.json.ParseOptions(explicit_schema=pyarrow.schema(types.items()))))


def polars_readers():
    import polars
    kinds = {"BIGINT": polars.Int64, "TIMESTAMP": polars.Datetime("us"), "VARCHAR": polars.String,
             "INTEGER": polars.Int32, "DOUBLE": polars.Float64}
    # Moments are read as strings and parsed: its own guess is slower.
    types = {name: polars.String if kind == "TIMESTAMP" else kinds[kind] for name, kind in TYPES.items()}
    moment = polars.col("at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us")
    report(f"Polars {polars.__version__} CSV", FOLDER + "/rows.csv",
           lambda path: polars.read_csv(path, schema_overrides=types).with_columns(moment))
    report(f"Polars {polars.__version__} JSON", FOLDER + "/rows.jsonl",
           lambda path: polars.read_ndjson(path, schema=types).with_columns(moment))


def duckdb_readers():
    import duckdb
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    columns = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in TYPES.items()) + "}"
    for form, call in (("CSV", "read_csv('{}', header = true, columns = {})"),
                       ("JSON", "read_json('{}', format = 'newline_delimited', columns = {})")):
        path = f"{FOLDER}/rows.{'csv' if form == 'CSV' else 'jsonl'}"
        report(f"DuckDB {duckdb.__version__} {form}", path,
               lambda path: connection.execute("CREATE OR REPLACE TEMP TABLE rows AS SELECT * FROM "
                                               + call.format(path, columns)))


def pandas_readers():
    import pandas
    types = {"BIGINT": "int64", "VARCHAR": "str", "DOUBLE": "float64", "INTEGER": "float64"}
    report(f"pandas {pandas.__version__} CSV", FOLDER + "/rows.csv",
           lambda path: pandas.read_csv(path, parse_dates=["at"],
                                        dtype={n: types[k] for n, k in TYPES.items() if k != "TIMESTAMP"}))


for readers in (pyarrow_readers, polars_readers, duckdb_readers, pandas_readers):
    try:
        readers()
    except ImportError:
        pass
