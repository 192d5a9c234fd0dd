"""Makes what `coeval check --data` is measured on for wide tables: two Parquet files of 1,000 numbers and a time, about 1 % null, and
a definition with a range for each column and, once there is a reference, a PSI for each.

    third_party/peers/pandas/bin/python bench/wide_table.py FOLDER        # 4.3 GB
    coeval profile -C FOLDER wide reference.parquet --out FOLDER/reference.profile
    third_party/peers/pandas/bin/python bench/wide_table.py FOLDER --checks
    coeval check -C FOLDER --data wide=FOLDER/wide.parquet --json
"""

import pathlib
import sys

COLUMNS, GROUP = 1000, 50_000


def write(path, rows):
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(7)
    fields = [("ts", pa.timestamp("us", tz="UTC"))] + [(f"c{i}", pa.float64()) for i in range(COLUMNS)]
    schema = pa.schema(fields)
    start = 1_704_067_200_000_000
    with pq.ParquetWriter(path, schema, compression="snappy") as writer:
        for at in range(0, rows, GROUP):
            count = min(GROUP, rows - at)
            columns = [pa.array(start + (at + np.arange(count)) * 1_000_000, fields[0][1])]
            for i in range(COLUMNS):
                values = np.round(rng.standard_normal(count, dtype=np.float32).astype(np.float64) * 3 + i % 10, 3)
                columns.append(pa.array(values, mask=rng.random(count, dtype=np.float32) < 0.01))
            writer.write_table(pa.Table.from_arrays(columns, schema=schema), row_group_size=GROUP)


def definition(with_checks):
    lines = ['[project]', 'name = "wide"', '[source.wide]', 'path  = "reference.parquet"', 'time  = "ts"', 'known = "event time"',
             '[source.wide.columns]', 'ts = { type = "timestamp", known = "ts" }']
    lines += [f'c{i} = {{ type = "float64", known = "ts", nullable = true, min = -40, max = 60 }}' for i in range(COLUMNS)]
    if with_checks:
        lines.append('[source.wide.checks]')
        lines += [f'd{i} = {{ psi = "c{i}", reference = "reference.profile", max = 0.2 }}' for i in range(COLUMNS)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    checks = "--checks" in sys.argv
    (folder / "coeval.toml").write_text(definition(checks))
    if not checks:
        write(folder / "reference.parquet", 100_000)
        write(folder / "wide.parquet", 1_300_000)
