"""Prints the sum of all answers' bits in a file of `coeval dataset`, as windows_bench does of those in memory.

    checksum.py ANSWERS.parquet         16 hexadecimal digits; nulls and lists add nothing
"""

import sys

import duckdb
import numpy


def bits(db, file, name, kind):
    values = db.sql(f'select "{name}" as v from \'{file}\' where "{name}" is not null').fetchnumpy()["v"]
    values = numpy.ma.getdata(values)
    values = values.astype(numpy.float64) if kind == "DOUBLE" else values.astype(numpy.int64)
    return int(values.view(numpy.uint64).sum(dtype=numpy.uint64))


def main(file):
    db = duckdb.connect()
    total = 0
    for name, kind, *_ in db.sql(f"describe from '{file}'").fetchall():
        if "." in name and not kind.endswith("[]"):
            total = (total + bits(db, file, name, kind)) % 2**64
    print(f"{total:016x}")


if __name__ == "__main__":
    main(*sys.argv[1:])
