"""Counts the questions whose answers differ in any of the columns that both files have, by value.

    compare.py OURS.parquet THEIRS.parquet      prints: columns rows different

Rows are compared by place: both files are in the order of questions. It fails where they have no column in common or
not as many rows. Floats are compared by their bits.
"""

import sys

import duckdb


def names_of(file):
    return [name for name, *_ in duckdb.sql(f"describe from '{file}'").fetchall()]


def main(ours, theirs):
    names = [name for name in names_of(theirs) if name in names_of(ours) and "." in name]
    (counts,) = duckdb.sql(f"select (select count(*) from '{ours}'), (select count(*) from '{theirs}')").fetchall()
    if not names or counts[0] != counts[1]:
        raise SystemExit(f"cannot be compared: columns {names}, rows {counts}")
    differs = " or ".join(f'(a."{n}" is distinct from b."{n}")' for n in names)
    ((rows, different),) = duckdb.sql(f"""select count(*), count(*) filter ({differs})
        from '{ours}' a positional join '{theirs}' b""").fetchall()
    print(len(names), rows, different)


if __name__ == "__main__":
    main(*sys.argv[1:])
