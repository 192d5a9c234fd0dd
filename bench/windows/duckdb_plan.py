"""Count, sum and mean over five windows in DuckDB, in memory. See plan.py for the arguments.

An event counts for T in [T - W, T). Sums are of BIGINT, so that every plan is exact; a mean is one division of two
integers below 2^53, hence correctly rounded. The fastest plan is the peer; bench/README.md has the times of all:

  sweep      the six bounds of every question among the events, one sort by key and time, one running sum
  asof       running sums by key, looked up by one ASOF join for each of the six bounds
  asof_once  the same, all bounds in one ASOF join
  frames     questions among the events, a window function with a RANGE frame for each window
  pairs      every question with every event of its key in the longest window, grouped (keys with few events only)
"""

import duckdb

import plan as bench

BOUNDS = [0, *bench.WINDOWS.values()]


def features(count, total):
    """Expressions of all columns: `count` and `total` take the number of a window, from 1."""
    made = []
    for i, window in enumerate(bench.WINDOWS, 1):
        c, s = f"coalesce({count(i)}, 0)", total(i)
        made += [f'{c}::bigint as "v0.events_{window}"',
                 f'(case when {c} > 0 then {s} end)::bigint as "v0.total_{window}"',
                 f'({s})::double / nullif({c}, 0)::double as "v0.mean_{window}"']
    return ", ".join(made)


def differences(name):
    return lambda i: f"coalesce({name}0, 0) - coalesce({name}{i}, 0)"


RUNNING = """select key, t, count(*) over w as c, (sum(amount) over w)::bigint as s from e
             window w as (partition by key order by t range unbounded preceding)"""
EACH_BOUND = "(select q, key, b.i as i, t - b.d as t from q, (values " + ", ".join(
    f"({i}, {d})" for i, d in enumerate(BOUNDS)) + ") b(i, d))"
BY_QUESTION = ", ".join(f"max(c) filter (i = {i}) as c{i}, max(s) filter (i = {i}) as s{i}" for i in range(len(BOUNDS)))


def sweep():
    return f"""
        with marks as (
            select key, t, 1 as o, null as q, null as i, 1 as n, amount from e
            union all select key, t, 0, q, i, 0, 0 from {EACH_BOUND}),
        sums as (
            select q, i, sum(n) over w as c, (sum(amount) over w)::bigint as s from marks
            window w as (partition by key order by t, o rows unbounded preceding)),
        picked as (select q, {BY_QUESTION} from sums where q is not null group by q)
        select q, {features(differences("c"), differences("s"))} from picked"""


def asof():
    joins = "".join(f" asof left join running r{i} on q.key = r{i}.key and q.t - {d} > r{i}.t"
                    for i, d in enumerate(BOUNDS))
    picked = ", ".join(f"r{i}.c as c{i}, r{i}.s as s{i}" for i in range(len(BOUNDS)))
    return f"""
        with running as materialized ({RUNNING}), picked as (select q, {picked} from q{joins})
        select q, {features(differences("c"), differences("s"))} from picked"""


def asof_once():
    return f"""
        with running as ({RUNNING}),
        found as (select m.q, m.i, r.c, r.s from {EACH_BOUND} m
                  asof left join running r on m.key = r.key and m.t > r.t),
        picked as (select q, {BY_QUESTION} from found group by q)
        select q, {features(differences("c"), differences("s"))} from picked"""


def frames():
    over = [f"(partition by key order by t range between {d} preceding and 1 preceding)"
            for d in bench.WINDOWS.values()]
    sums = ", ".join(f"count(amount) over w{i} as c{i}, (sum(amount) over w{i})::bigint as s{i}"
                     for i in range(1, len(BOUNDS)))
    named = ", ".join(f"w{i} as {frame}" for i, frame in enumerate(over, 1))
    return f"""
        with rows as (select key, t, null as q, amount from e union all select key, t, q, null from q),
        picked as (select q, {sums} from rows window {named})
        select q, {features(lambda i: f"c{i}", lambda i: f"s{i}")} from picked where q is not null"""


def pairs():
    grouped = ", ".join(f"count(e.t) filter (e.t >= q.t - {d}) as c{i}, "
                        f"(sum(e.amount) filter (e.t >= q.t - {d}))::bigint as s{i}"
                        for i, d in enumerate(bench.WINDOWS.values(), 1))
    return f"""
        with picked as (
            select q.q, {grouped} from q left join e on q.key = e.key and e.t < q.t and e.t >= q.t - {BOUNDS[-1]}
            group by q.q)
        select q, {features(lambda i: f"c{i}", lambda i: f"s{i}")} from picked"""


PLANS = {"sweep": sweep, "asof": asof, "asof_once": asof_once, "frames": frames, "pairs": pairs}


def main():
    folder, plan, out, threads = bench.arguments()
    db = duckdb.connect()
    db.execute(f"set threads = {threads}; set memory_limit = '6GB'; set preserve_insertion_order = false")
    db.execute(f"""create table e as select epoch_us(ts) as t, key, amount
                   from read_parquet('{folder}/events_0.parquet')""")
    db.execute(f"""create table q as select file_row_number as q, key, epoch_us("at") as t
                   from read_parquet('{folder}/questions.parquet', file_row_number = true)""")
    bench.timed(f"DuckDB {duckdb.__version__}", plan,
                lambda: db.execute(f"create table answers as {PLANS[plan]()}"))
    if out != "-":
        names = ", ".join(f'"{name}"' for name in bench.COLUMNS)
        db.execute(f"copy (select {names} from answers order by q) to '{out}' (format parquet)")


if __name__ == "__main__":
    main()
