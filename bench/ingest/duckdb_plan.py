"""The same rows into a DuckDB file, which is durable when this ends.

    duckdb_plan.py (copy | check) FILE [DATABASE]

`copy` takes them as they are. `check` asks the rules of coeval.toml: good rows, with their known time, in order of it;
bad rows apart, each with the rules that it breaks. Without DATABASE it only counts. Prints how many rows were read, and
how many are good.
"""

import pathlib
import sys

import duckdb

COLUMNS = {"number": "BIGINT", "ts": "TIMESTAMP", "carrier": "VARCHAR", "origin": "VARCHAR", "destination": "VARCHAR",
           "tail": "VARCHAR", "distance": "INTEGER", "seats": "INTEGER", "delay": "DOUBLE", "price": "DOUBLE"}
RULES = {
    "number": "number >= 0",
    "carrier": "carrier in ('AA', 'AS', 'B6', 'DL', 'UA', 'WN')",
    "origin": "regexp_full_match(origin, '[A-Z]{3}')",
    "destination": "regexp_full_match(destination, '[A-Z]{3}')",
    "tail": "regexp_full_match(tail, 'N[0-9]{5}')",
    "distance": "distance between 0 and 6000",
    "seats": "seats between 1 and 900",
    "delay": "delay is null or (delay between -120 and 3000 and isfinite(delay))",
    "price": "price >= 0 and isfinite(price)",
    "route": "origin <> destination",
    "null": " and ".join(f"{name} is not null" for name in COLUMNS if name != "delay"),
}


def reader(path):
    types = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items()) + "}"
    return {".parquet": f"read_parquet('{path}')", ".csv": f"read_csv('{path}', header = true, columns = {types})",
            ".jsonl": f"read_json('{path}', format = 'newline_delimited', columns = {types})"}[pathlib.Path(path).suffix]


def main():
    plan, path, *database = sys.argv[1:]
    connection = duckdb.connect(*database)
    connection.execute("set enable_progress_bar = false")
    broken = " || ".join(f"case when {rule} then '' else '{name} ' end" for name, rule in RULES.items())
    checked = f"""select *, ts + to_microseconds((60000000 * (40 + distance / 7.5))::bigint) as known, {broken} as broken
                  from {reader(path)}"""
    if plan == "copy":
        connection.execute(f"create table rows as from {reader(path)}")
        read = good = connection.execute("select count(*) from rows").fetchone()[0]
    elif not database:
        read, good = connection.execute(f"select count(*), count(*) filter (broken = '') from ({checked})").fetchone()
    else:
        connection.execute(f"create temp table checked as {checked}")
        connection.execute("create table bad as from checked where broken <> ''")
        connection.execute("create table rows as select * exclude (broken) from checked where broken = '' order by known")
        read = connection.execute("select count(*) from checked").fetchone()[0]
        good = connection.execute("select count(*) from rows").fetchone()[0]
    connection.close()
    print(read, good)


if __name__ == "__main__":
    main()
