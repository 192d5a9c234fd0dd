"""Times coeval beside its peers and prints one table. bench/run.sh builds what it needs.

Programs take turns, so that a slow minute of the machine hits both; each figure is the median of its runs.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

from ingest import rows as ingest_rows
from process import measure, median_use
from windows import rows as windows_rows

ROOT = pathlib.Path(__file__).parents[1]
BIN = ROOT / "build/bin"
FLIGHTS = ROOT / "data/flights-3m.parquet"
CORES = len(os.sched_getaffinity(0))

COUNT_DIFFERENCES = """
import duckdb, sys
ours, theirs = sys.argv[1:]
names = [n for (n, *_) in duckdb.sql(f"describe from '{theirs}'").fetchall() if "." in n]
differs = " or ".join(f'(a."{n}" is distinct from b."{n}")' for n in names)
((rows, different),) = duckdb.sql(f'''select count(*), count(*) filter ({differs})
    from '{ours}' a positional join '{theirs}' b''').fetchall()
print(len(names), rows, different)
"""


def say(text):
    print(text, file=sys.stderr, flush=True)


def output_of(*arguments):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Table:
    """Rows of (what, coeval, peer, ratio, goal)."""

    def __init__(self):
        self.rows = []

    def add(self, what, ours, theirs="", ratio="", goal="", met=None):
        verdict = {None: "", True: ": met", False: ": MISSED"}[met]
        self.rows.append((what, ours, theirs, ratio, goal + verdict))

    def print(self):
        header = ("", "coeval", "peer", "ratio", "goal")
        for row in [header, ("---",) * len(header), *self.rows]:
            print("| " + " | ".join(row) + " |")


def describe_machine():
    model = re.search(r"Model name:\s*(.+)", output_of("lscpu")).group(1)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    load = os.getloadavg()[0]
    print(f"machine: {model}, {CORES} cores, {memory:.0f} GB; load {load:.2f} before; "
          f"{output_of(BIN / 'coeval', '--version').strip()}")
    if load > CORES:
        print("the machine is busy: wall times say little, CPU times and ratios more")


def copy_of_example(folder):
    definition = (ROOT / "examples/flights/coeval.toml").read_text()
    (folder / "coeval.toml").write_text(definition.replace('"../../data/flights-3m.parquet"', f'"{FLIGHTS}"'))


def backfill(folder, runs, duckdb_runs, table):
    ours_file, theirs_file = folder / "coeval.parquet", folder / "duckdb.parquet"
    ours, theirs = [], []
    for i in range(max(runs, duckdb_runs)):
        if i < runs:
            say(f"backfill, coeval, run {i + 1} of {runs}")
            ours.append(measure([BIN / "coeval", "dataset", "late", "-C", folder, "--threads", CORES,
                                 "--out", ours_file]))
        if i < duckdb_runs:
            say(f"backfill, DuckDB, run {i + 1} of {duckdb_runs}")
            theirs.append(measure([sys.executable, ROOT / "bench/backfill/duckdb_backfill.py", FLIGHTS, theirs_file,
                                   "asof", CORES]))
    our = median_use(ours)
    peer = median_use(theirs) if theirs else None
    version = output_of(sys.executable, "-c", "import duckdb; print(duckdb.__version__)").strip()

    def row(what, unit, value, goal="", met=None):
        mine = value(our)
        if peer is None:
            table.add(what, f"{mine:.2f} {unit}", goal=goal, met=met)
        else:
            table.add(what, f"{mine:.2f} {unit}", f"DuckDB {version}: {value(peer):.2f} {unit}",
                      f"{value(peer) / mine:.1f} x", goal, met)

    row("backfill 3 M flights x 36, wall", "s", lambda use: use.wall_seconds,
        "<= 3 s on 2 cores", our.wall_seconds <= 3)
    row("backfill, CPU", "s", lambda use: use.cpu_seconds)
    row("backfill, peak memory", "GB", lambda use: use.peak_bytes / 1e9, "<= 1.5 GB", our.peak_bytes <= 1.5e9)
    if not theirs:
        return 0
    say("comparing the answers of both")
    names, rows, different = map(int, output_of(sys.executable, "-c", COUNT_DIFFERENCES, ours_file,
                                                theirs_file).split())
    table.add(f"backfill, rows that differ in any of {names}", f"{different} of {rows}", goal="0", met=different == 0)
    return different


def check(folder, table):
    uses = [measure([BIN / "coeval", "check", "-C", folder]) for _ in range(15)]
    milliseconds = median_use(uses).wall_seconds * 1e3
    table.add("check", f"{milliseconds:.1f} ms", goal="< 50 ms", met=milliseconds < 50)


def forest(table):
    say("forests, beside XGBoost and LightGBM")
    output = output_of(BIN / "forest_bench")
    # A model a paragraph: its name, then a figure a line.
    for part in re.split(r"^(?=\S)", output, flags=re.MULTILINE)[1:]:
        name, library = part.split(":")[0], part.split(",")[0]

        def figure(label, part=part):
            return float(re.search(rf"^ +{label} +([0-9.]+)", part, re.MULTILINE).group(1))

        goal = float(re.search(r"goal ([0-9]+)\)", part).group(1))
        ours, theirs, ratio = figure("one row, coeval"), figure("one row, library"), figure("ratio")
        table.add(f"forest of {name}, one row", f"{ours:.2f} us", f"{library}: {theirs:.2f} us", f"{ratio:.1f} x",
                  f">= {goal:g} x", ratio >= goal)
        table.add(f"forest of {name}, 64 rows, per row", f"{figure('64 rows, coeval, per row'):.2f} us",
                  f"{library}: {figure('64 rows, library, per row'):.2f} us")
        load, memory = figure("load"), figure("memory / file")
        table.add(f"forest of {name}, load", f"{load:.1f} ms", "", "", "<= 20 ms", load <= 20)
        table.add(f"forest of {name}, memory / file", f"{memory:.2f}", "", "", "<= 1.5", memory <= 1.5)
    return output


def serve_june(table):
    """June as live traffic: the questions and events of a month, one after the other, over HTTP."""
    project = ROOT / "build/bench"
    project.mkdir(exist_ok=True)
    copy_of_example(project)
    say("building the model that is served (the first time takes minutes)")
    output_of(BIN / "coeval", "build", "-C", project, "late")
    output_of(BIN / "coeval", "promote", "-C", project, "late", "--reason", "bench")
    for stale in ("log", "state"):
        shutil.rmtree(project / ".coeval" / stale, ignore_errors=True)
    server = subprocess.Popen([BIN / "coeval", "serve", "-C", project, "--as-of", "2001-06-01", "--clock", "data",
                               "--port", "0"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    try:
        url = next(line.split()[-1] for line in server.stdout if line.startswith("serving at"))
        say(f"replaying June at {url}")
        played = json.loads(output_of(BIN / "coeval", "replay", "-C", project, "late", "--from", "2001-06-01", "--to",
                                      "2001-07-01", "--url", url, "--json"))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
    questions = played["models"]["late"]["questions_count"]
    table.add("June over HTTP: questions and events, each acknowledged", f"{played['seconds']:.1f} s")
    table.add("June over HTTP, questions", f"{questions / played['seconds']:,.0f} a second")


def flights(options, table, details):
    """The example: its backfill, its check, a forest and a server. Returns how many rows differ from DuckDB's."""
    with tempfile.TemporaryDirectory(prefix="coeval-bench-") as name:
        folder = pathlib.Path(name)
        copy_of_example(folder)
        different = backfill(folder, options.runs, options.duckdb_runs, table)
        check(folder, table)
    details.append(forest(table))
    if options.serve:
        serve_june(table)
    for program in ([] if options.quick else ["kernel_bench", "serving_bench"]):
        say(program)
        details.append(output_of(BIN / program))
    return different


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("part", nargs="?", choices=["flights", "ingest", "windows"], help="only these rows")
    parser.add_argument("--quick", action="store_true", help="one run of each, and none of peers (minutes of CPU); "
                        "windows and ingest at a tenth of the size")
    parser.add_argument("--all-plans", action="store_true", help="all plans of each peer of windows, not just the best")
    parser.add_argument("--serve", action="store_true", help="also replay June against a server")
    parser.add_argument("--runs", type=int, default=3, help="runs of coeval's backfill (default 3)")
    parser.add_argument("--duckdb-runs", type=int, default=1, help="runs of DuckDB's (default 1)")
    options = parser.parse_args()
    if options.quick:
        options.runs, options.duckdb_runs = 1, 0
    describe_machine()
    table, details = Table(), []
    different = 0
    if options.part in (None, "flights"):
        different += flights(options, table, details)
    if options.part in (None, "ingest"):
        different += ingest_rows.add_rows(table, options)
    if options.part in (None, "windows"):
        rows_that_differ, figures = windows_rows.add_rows(table, options, CORES)
        different += rows_that_differ
        details.append(figures)
    print()
    table.print()
    for detail in details:
        print("\n" + detail.rstrip())
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
