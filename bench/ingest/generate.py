"""Writes the same rows as rows.parquet, rows.csv and rows.jsonl, and two thirds of them as short.parquet.

    generate.py FOLDER ROWS

Row i is made of hashes of i, in order of event time; about one in three hundred breaks a rule of coeval.toml. Needs
DuckDB, of whose version the hashes are.
"""

import sys

import duckdb

MACROS = """
create macro draw(i, what, count) as (hash(i * 16 + what) % count)::int;
create macro airport(n) as chr(65 + n % 26) || chr(65 + n // 26) || chr(65 + n * 7 % 26);
"""
MOMENT = "%Y-%m-%dT%H:%M:%SZ"
ROWS = """
create table rows as
select draw(i, 1, 10000000)::bigint as number,
       timestamp '2001-06-01' + to_seconds(13 * i) as ts,
       ['AA', 'AS', 'B6', 'DL', 'UA', 'WN'][1 + draw(i, 2, 6)] as carrier,
       airport(draw(i, 3, 300)) as origin,
       airport(draw(i, 4, 300)) as destination,
       'N' || (10000 + draw(i, 5, 20000)) as tail,
       draw(i, 6, 4962) as distance,
       case when draw(i, 7, 20000) > 0 then 50 + draw(i, 8, 300) else 0 end as seats,
       case when draw(i, 9, 50) > 0 then draw(i, 10, 2000) / 10.0 - 30 end as delay,
       draw(i, 11, 100000) / 100.0 as price
from range({rows}) r(i)
"""


def main():
    folder, rows = sys.argv[1], int(sys.argv[2])
    connection = duckdb.connect()
    connection.execute(MACROS)
    connection.execute(ROWS.format(rows=rows))
    text = f"""select * replace (strftime(ts, '{MOMENT}') as ts) from rows"""
    connection.execute(f"copy rows to '{folder}/rows.parquet' (compression zstd)")
    connection.execute(f"copy (from rows limit {rows * 2 // 3}) to '{folder}/short.parquet' (compression zstd)")
    connection.execute(f"copy ({text}) to '{folder}/rows.csv' (header)")
    connection.execute(f"copy ({text}) to '{folder}/rows.jsonl' (format json)")


if __name__ == "__main__":
    main()
