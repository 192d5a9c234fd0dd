"""One task of bench/quality_table.py, done by a peer in its own environment.

    peer.py (duckdb | pandera | great_expectations | evidently) TASK FOLDER

Tasks: `profile` (numbers.csv: range, nulls, moments, 20 bins), `pattern` and `distinct` (texts.csv: 1 M texts of 20 bytes),
`csv` (rows.csv, read and checked, in order), `wide` (reference.csv, slice.csv: ranges, nulls, and drift where the peer has
it). Prints as JSON the CPU and wall seconds of the work alone: not of starting, nor of loading but for `csv`, whose work it
is. A task that the peer cannot do is no task of it.
"""

import json
import pathlib
import sys
import time

PATTERN = r"[\p{L} .'-]{1,40}"
PYTHON_PATTERN = r"^[A-Za-z .'-]{1,40}$"  # Python's re knows no \p{L}; the texts are ASCII


def timed(work):
    cpu, wall = time.process_time(), time.monotonic()
    work()
    return {"cpu": time.process_time() - cpu, "wall": time.monotonic() - wall}


def duckdb_task(task, folder):
    import duckdb

    connection = duckdb.connect()
    run = connection.execute

    def load(name):
        run(f"create table {name} as from read_csv('{folder}/{name}.csv', header = true)")

    def all_of(sql):
        return lambda: run(sql).fetchall()

    if task == "profile":
        load("numbers")
        return timed(all_of("""with r as (select min(v) low, max(v) high from numbers)
            select count(*), count(v), min(v), max(v), avg(v), stddev(v), count(*) filter (v between -40 and 60),
                   histogram(least(19, floor(20 * (v - low) / (high - low)))::int) from numbers, r"""))
    load("texts") if task in ("pattern", "distinct") else None
    if task == "pattern":
        quoted = PATTERN.replace("'", "''")
        return timed(all_of(f"select count(*) filter (not regexp_full_match(t, '{quoted}')) from texts"))
    if task == "distinct":
        return timed(all_of("select approx_count_distinct(t) from texts"))
    if task == "wide":
        load("slice")
        names = [name for name, *_ in run("describe slice").fetchall()]
        columns = ", ".join(f"count({n}), min({n}), max({n}), avg({n}), stddev({n}), count(*) filter ({n} between -40 and 60)"
                            for n in names)
        return timed(all_of(f"select {columns} from slice"))
    raise SystemExit("no such task")


def pandera_task(task, folder):
    import pandas as pd
    import pandera.pandas as pa

    def checked(schema, rows):
        return timed(lambda: schema.validate(rows, lazy=True))

    if task == "profile":
        column = pa.Column("float64", pa.Check.in_range(-40, 60), nullable=False)
        return checked(pa.DataFrameSchema({"v": column}), pd.read_csv(f"{folder}/numbers.csv"))
    if task == "pattern":
        column = pa.Column("str", pa.Check.str_matches(PYTHON_PATTERN))
        return checked(pa.DataFrameSchema({"t": column}), pd.read_csv(f"{folder}/texts.csv", dtype="str"))
    if task == "csv":
        sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "ingest"))
        import pandera_plan

        sys.argv = ["pandera_plan.py", f"{folder}/rows.csv"]
        sys.stdout, stdout = sys.stderr, sys.stdout
        try:
            return timed(pandera_plan.main)
        finally:
            sys.stdout = stdout
    if task == "wide":
        rows = pd.read_csv(f"{folder}/slice.csv")
        column = pa.Column("float64", pa.Check.in_range(-40, 60), nullable=True)
        return checked(pa.DataFrameSchema({name: column for name in rows.columns}), rows)
    raise SystemExit("no such task")


def great_expectations_task(task, folder):
    import great_expectations as gx
    import great_expectations.expectations as gxe
    import pandas as pd

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("memory")
    batch = source.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")

    def validate(rows, expectations):
        suite = gx.ExpectationSuite(name="suite", expectations=expectations)
        result = batch.get_batch(batch_parameters={"dataframe": rows}).validate(suite)
        errors = [r.exception_info for r in result.results if "raised_exception" in str(r.exception_info) and
                  str(r.exception_info).find("'raised_exception': True") >= 0]
        if errors:
            raise SystemExit(f"an expectation failed to run: {errors[0]}")

    def ranged(name):
        return [gxe.ExpectColumnValuesToBeBetween(column=name, min_value=-40, max_value=60)]

    if task == "profile":
        rows = pd.read_csv(f"{folder}/numbers.csv")
        moments = [gxe.ExpectColumnValuesToNotBeNull(column="v"),
                   gxe.ExpectColumnMeanToBeBetween(column="v", min_value=-9, max_value=9),
                   gxe.ExpectColumnStdevToBeBetween(column="v", min_value=0, max_value=9)]
        return timed(lambda: validate(rows, ranged("v") + moments))
    if task in ("pattern", "distinct"):
        rows = pd.read_csv(f"{folder}/texts.csv", dtype="str")
        expectation = (gxe.ExpectColumnValuesToMatchRegex(column="t", regex=PYTHON_PATTERN) if task == "pattern" else
                       gxe.ExpectColumnUniqueValueCountToBeBetween(column="t", min_value=1))
        return timed(lambda: validate(rows, [expectation]))
    if task == "wide":
        rows = pd.read_csv(f"{folder}/slice.csv")
        return timed(lambda: validate(rows, [one for name in rows.columns for one in ranged(name)]))
    raise SystemExit("no such task")


def evidently_task(task, folder):
    import pandas as pd
    from evidently import Report
    from evidently.presets import DataDriftPreset, DataSummaryPreset, ValueStats

    if task == "profile":
        rows = pd.read_csv(f"{folder}/numbers.csv")
        return timed(lambda: Report([ValueStats(column="v")]).run(rows, None))
    if task == "wide":
        rows, reference = pd.read_csv(f"{folder}/slice.csv"), pd.read_csv(f"{folder}/reference.csv")
        report = Report([DataSummaryPreset(), DataDriftPreset(method="psi")])
        return timed(lambda: report.run(rows, reference))
    raise SystemExit("no such task")


if __name__ == "__main__":
    peer, task, folder = sys.argv[1:]
    result = globals()[f"{peer}_task"](task, folder)
    print(json.dumps(result))
