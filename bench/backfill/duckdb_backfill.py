"""The backfill of examples/flights in DuckDB: 3 M questions x 36 point-in-time features, Parquet to Parquet.

    duckdb_backfill.py FLIGHTS.parquet OUT.parquet [asof|steps] [THREADS]

An event counts for T in (enter, time + W], enter = max(time, known): a running total that rises at `enter`
and falls at `leave = max(enter, time + W)`, both exclusive. Sums are of BIGINT, so the plan is exact; a mean is
one division of two integers below 2^53, hence correctly rounded.

Two plans, the faster one is the peer:
  asof   running totals by enter and by leave, looked up by ASOF joins (1 + 3 a view)
  steps  one union of rises, falls and questions a view, one sort, nine window sums
"""

import sys

import duckdb

VIEWS = {"origin": ["origin"], "destination": ["destination"], "route": ["origin", "destination"], "everywhere": []}
WINDOWS = {"3h": 3, "24h": 24, "14d": 14 * 24}
HOUR = 3_600_000_000


def prepare(db, flights):
    db.execute(f"""
        create table flights as select
          row_number() over () as q, epoch_us(date) as t,
          epoch_us(date) + cast(round_even((40 + distance / 7.5::double) * 60000000::double, 0) as bigint) as known,
          origin, destination, cast(delay >= 15 as bigint) as late, delay
        from read_parquet('{flights}') where delay >= -120""")


def columns_of(view):
    names = []
    for name in ("flights", "late", "mean_delay"):
        names += [f"{view}.{name}_{window}" for window in WINDOWS]
    return names


def features(window, count, late, delay):
    return (f"coalesce({count}, 0) as \"flights_{window}\", "
            f"{late}::double / nullif({count}, 0) as \"late_{window}\", "
            f"{delay}::double / nullif({count}, 0) as \"mean_delay_{window}\"")


def asof(db, view, keys):
    by = ", ".join(keys)
    comma = ", " + by if keys else ""
    partition = f"partition by {by}" if keys else ""
    on = "".join(f"q.{key} = x.{key} and " for key in keys)

    def totals(name, moment):
        db.execute(f"""
            create or replace temp table {name} as select {moment} as m{comma},
              count(*) over w as c, sum(late) over w as l, sum(delay) over w as d
            from flights window w as ({partition} order by {moment} range unbounded preceding)""")

    totals("rise", "greatest(t, known)")
    db.execute(f"create or replace temp table base as select q.q, q.t{comma.replace(' ', ' q.')}, x.c, x.l, x.d "
               f"from flights q asof left join rise x on {on} q.t > x.m")
    picked = []
    for window, hours in WINDOWS.items():
        totals("fall", f"greatest(t, known, t + {hours * HOUR})")
        db.execute(f"""
            create or replace temp table w{window} as select q.q,
              {features(window, "(q.c - coalesce(x.c, 0))", "(q.l - coalesce(x.l, 0))", "(q.d - coalesce(x.d, 0))")}
            from base q asof left join fall x on {on} q.t > x.m""")
        picked.append(window)
    db.execute(f"create table v_{view} as select w3h.*, " +
               ", ".join(f"w{w}.* exclude (q)" for w in picked[1:]) + " from w3h " +
               " ".join(f"join w{w} using (q)" for w in picked[1:]))


def steps(db, view, keys):
    by = ", ".join(keys)
    comma = ", " + by if keys else ""
    partition = f"partition by {by}" if keys else ""
    zero = ["0, 0, 0"] * 3
    union = [f"select t as m, 0 as o, q{comma}, {', '.join(zero)} from flights",
             f"select greatest(t, known), 1, null{comma}, {', '.join(['1, late, delay'] * 3)} from flights"]
    for i, hours in enumerate(WINDOWS.values()):
        delta = zero.copy()
        delta[i] = "-1, -late, -delay"
        union.append(f"select greatest(t, known, t + {hours * HOUR}), 1, null{comma}, {', '.join(delta)} from flights")
    names = [f"{n}{i}" for i in range(3) for n in "cld"]
    sums = ", ".join(f"sum({n}) over w as {n}" for n in names)
    rows = " union all ".join(union)
    picked = ", ".join(features(window, f"c{i}", f"l{i}", f"d{i}") for i, window in enumerate(WINDOWS))
    header = f"m, o, q{comma}, {', '.join(names)}"
    db.execute(f"""
        create table v_{view} as select q, {picked} from (
          select q, {sums} from ({rows}) as u({header})
          window w as ({partition} order by m, o rows unbounded preceding))
        where q is not null""")


def write(db, out):
    picked = ", ".join(f'v_{view}."{column.split(".")[1]}" as "{column}"' for view in VIEWS
                       for column in columns_of(view))
    joins = " ".join(f"join v_{view} on v_{view}.q = flights.q" for view in VIEWS)
    db.execute(f"""copy (select flights.q, flights.t, {picked} from flights {joins} order by flights.q)
                   to '{out}' (format parquet, compression zstd, row_group_size 1000000)""")


def main(flights, out, plan="asof", threads="2"):
    db = duckdb.connect()
    db.execute(f"set threads = {threads}; set preserve_insertion_order = true")
    prepare(db, flights)
    for view, keys in VIEWS.items():
        (asof if plan == "asof" else steps)(db, view, keys)
    write(db, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
