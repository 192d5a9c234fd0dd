"""The rules of coeval.toml asked by Pandera of a CSV file that pandas reads; only counts.

    pandera_plan.py FILE

Prints how many rows were read, and how many are good. All failures are collected (lazy), as coeval does.
"""

import sys

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

TYPES = {"number": "int64", "carrier": "str", "origin": "str", "destination": "str", "tail": "str", "distance": "int32",
         "seats": "int32", "delay": "float64", "price": "float64"}


def schema():
    def column(kind, *checks, **options):
        return pa.Column(kind, list(checks), **options)

    airport = pa.Check.str_fullmatch("[A-Z]{3}") if hasattr(pa.Check, "str_fullmatch") else pa.Check.str_matches("^[A-Z]{3}$")
    return pa.DataFrameSchema({
        "number": column("int64", pa.Check.ge(0)),
        "ts": column("datetime64[us, UTC]"),
        "carrier": column("str", pa.Check.isin(["AA", "AS", "B6", "DL", "UA", "WN"])),
        "origin": column("str", airport),
        "destination": column("str", airport),
        "tail": column("str", pa.Check.str_matches("^N[0-9]{5}$")),
        "distance": column("int32", pa.Check.in_range(0, 6000)),
        "seats": column("int32", pa.Check.in_range(1, 900)),
        "delay": column("float64", pa.Check.in_range(-120, 3000), nullable=True),
        "price": column("float64", pa.Check.ge(0)),
    }, checks=pa.Check(lambda rows: rows["origin"] != rows["destination"], name="route"))


def main():
    rows = pd.read_csv(sys.argv[1], dtype=TYPES)
    rows["ts"] = pd.to_datetime(rows["ts"], format="%Y-%m-%dT%H:%M:%SZ", utc=True).astype("datetime64[us, UTC]")
    bad = set()
    try:
        schema().validate(rows, lazy=True)
    except SchemaErrors as broken:
        cases = broken.failure_cases
        whole = cases[cases["index"].isna()]
        if len(whole):
            raise SystemExit(f"the table as a whole was refused:\n{whole}")
        bad = set(cases["index"])
    print(len(rows), len(rows) - len(bad))


if __name__ == "__main__":
    main()
