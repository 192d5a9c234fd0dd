"""Count, sum and mean over five windows in Polars, in memory. See plan.py for the arguments.

Exact, as duckdb_plan.py is. The faster plan is the peer; bench/README.md has the times of both:

  asof     running sums by key, looked up by one join_asof for each of the six bounds
  rolling  questions among the events, one rolling group-by for each window
"""

import os
import sys

os.environ["POLARS_MAX_THREADS"] = sys.argv[4]

import polars as pl  # noqa: E402: reads the number of threads when it is imported

import plan as bench  # noqa: E402


def features(found):
    """`found` has a row a question, with counts c1, c2, … and sums s1, s2, … of the windows."""
    columns = []
    for i, window in enumerate(bench.WINDOWS, 1):
        c, s = pl.col(f"c{i}"), pl.col(f"s{i}")
        columns += [c.alias(f"v0.events_{window}"), pl.when(c > 0).then(s).alias(f"v0.total_{window}"),
                    pl.when(c > 0).then(s / c).alias(f"v0.mean_{window}")]
    return found.select(columns)


def asof(events, questions):
    running = events.select("key", "t", n=pl.int_range(1, pl.len() + 1).over("key"),
                            a=pl.col("amount").cum_sum().over("key"))
    found = []
    for i, bound in enumerate([0, *bench.WINDOWS.values()]):
        joined = questions.select("key", t=pl.col("t") - bound).join_asof(
            running, on="t", by="key", allow_exact_matches=False, check_sortedness=False)
        found.append(joined.select(pl.col("n").fill_null(0).alias(f"n{i}"), pl.col("a").fill_null(0).alias(f"a{i}")))
    together = pl.concat(found, how="horizontal")
    return features(together.select(
        expression for i in range(1, len(found))
        for expression in ((pl.col("n0") - pl.col(f"n{i}")).alias(f"c{i}"),
                           (pl.col("a0") - pl.col(f"a{i}")).alias(f"s{i}"))))


def rolling(events, questions):
    rows = pl.concat([events.select("key", "t", "amount", q=pl.lit(None, pl.UInt32)),
                      questions.select("key", "t", amount=pl.lit(None, pl.Int64), q="q")]).sort("key", "t")
    picked = None
    for i, window in enumerate(bench.WINDOWS.values(), 1):
        some = rows.rolling("t", period=f"{window}i", closed="left", group_by="key").agg(
            pl.col("amount").count().cast(pl.Int64).alias(f"c{i}"), pl.col("amount").sum().alias(f"s{i}"))
        picked = rows.select("q") if picked is None else picked
        picked = picked.with_columns(some[f"c{i}"], some[f"s{i}"])
    return features(picked.filter(pl.col("q").is_not_null()).sort("q"))


def main():
    folder, plan, out, _ = bench.arguments()
    events = pl.read_parquet(f"{folder}/events_0.parquet", columns=["ts", "key", "amount"])
    events = events.select(pl.col("ts").dt.epoch("us").alias("t"), "key", "amount").set_sorted("t")
    questions = pl.read_parquet(f"{folder}/questions.parquet").with_row_index("q")
    questions = questions.select("q", "key", pl.col("at").dt.epoch("us").alias("t")).set_sorted("t")
    plans = {"asof": asof, "rolling": rolling}
    answers = bench.timed(f"Polars {pl.__version__}", plan, lambda: plans[plan](events, questions))
    if out != "-":
        answers.write_parquet(out)


if __name__ == "__main__":
    main()
