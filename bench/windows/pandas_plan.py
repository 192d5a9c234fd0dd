"""Count, sum and mean over five windows in pandas, in memory. See plan.py for the arguments.

Exact, as duckdb_plan.py is. One plan:

  asof  running sums by key, looked up by one merge_asof for each of the six bounds
"""

import plan as bench

bench.single_threaded_maths()

import numpy  # noqa: E402
import pandas  # noqa: E402
import pyarrow  # noqa: E402
import pyarrow.parquet  # noqa: E402


def asof(events, questions):
    by_key = events.groupby("key", sort=False)["amount"]
    running = pandas.DataFrame({"key": events["key"], "t": events["t"], "n": by_key.cumcount() + 1,
                                "a": by_key.cumsum()})
    counts, sums = [], []
    for bound in (0, *bench.WINDOWS.values()):
        left = pandas.DataFrame({"key": questions["key"], "t": questions["t"] - bound})
        found = pandas.merge_asof(left, running, on="t", by="key", allow_exact_matches=False)
        counts.append(found["n"].fillna(0).to_numpy().astype(numpy.int64))
        sums.append(found["a"].fillna(0).to_numpy().astype(numpy.int64))
    columns = {}
    for i, window in enumerate(bench.WINDOWS, 1):
        count, total = counts[0] - counts[i], sums[0] - sums[i]
        empty = count == 0
        columns[f"v0.events_{window}"] = (count, None)
        columns[f"v0.total_{window}"] = (total, empty)
        columns[f"v0.mean_{window}"] = (total / numpy.where(empty, 1, count), empty)
    return columns


def main():
    folder, plan, out, _ = bench.arguments()
    events = pandas.read_parquet(f"{folder}/events_0.parquet", columns=["ts", "key", "amount"])
    events["t"] = events.pop("ts").astype("int64")
    questions = pandas.read_parquet(f"{folder}/questions.parquet")
    questions["t"] = questions.pop("at").astype("int64")
    plans = {"asof": asof}
    columns = bench.timed(f"pandas {pandas.__version__}", plan, lambda: plans[plan](events, questions))
    if out != "-":
        table = {name: pyarrow.array(values, mask=empty) for name, (values, empty) in columns.items()}
        pyarrow.parquet.write_table(pyarrow.table(table), out)


if __name__ == "__main__":
    main()
