"""The speed goals of ingestion and data quality beside the peers that do the same work, in one table.

    bench/quality_table.py [--runs 5] [--peer-runs 3] [--wide] [--quick]

Needs build/ with COEVAL_BENCH=ON (coeval, coeval_parquet_module, profile_bench, checks_bench, serving_bench) and
`tools/setup.sh data oracles pandera evidently great-expectations`. Programs take turns; figures are medians, least and most of
the runs in brackets. `--wide` adds 1,000 columns x 1.3 M rows, without peers (minutes, 4.3 GB in TMPDIR); the peers of that
shape get a slice of 20 columns x 130,000 rows, and so does coeval. Nothing is extrapolated.
"""

import argparse
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

from ingest.rows import DATA, ROWS, counts_of
from process import measure, median
from table import Table, describe_machine

ROOT = pathlib.Path(__file__).parents[1]
HERE = ROOT / "bench"
BIN = ROOT / "build/bin"
PEERS = ROOT / "third_party/peers"
FLIGHTS = ROOT / "data/flights-3m.parquet"
PYTHON = {"duckdb": sys.executable, "pandera": PEERS / "pandera/bin/python",
          "great_expectations": PEERS / "great-expectations/bin/python", "evidently": PEERS / "evidently/bin/python"}
NAMES = {"duckdb": "DuckDB", "pandera": "Pandera", "great_expectations": "Great Expectations", "evidently": "Evidently"}
WIDE_COLUMNS, WIDE_ROWS = 20, 130_000


def say(text):
    print(text, file=sys.stderr, flush=True)


def environment(peer):
    """DuckDB and numpy are found by PYTHONPATH; the other peers have environments of their own."""
    values = {**os.environ, "PYTHONWARNINGS": "ignore", "TQDM_DISABLE": "1", "DO_NOT_TRACK": "1", "GX_ANALYTICS_ENABLED": "false"}
    values.pop("PYTHONPATH", None)
    if peer == "duckdb":
        oracles = ROOT / "third_party/oracles"
        values["PYTHONPATH"] = f"{oracles / 'duckdb'}:{oracles / 'numpy'}"
    return values


def ask_peer(peer, task, folder):
    done = subprocess.run([PYTHON[peer], HERE / "quality/peer.py", peer, task, folder], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, env=environment(peer))
    if done.returncode != 0:
        raise SystemExit(f"{peer} {task}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def spread(values, form):
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def make_inputs(folder, rows):
    """Numbers and texts that all peers read. Numbers are normal, rounded to three places, as the wide table's are."""
    source = random.Random(7)
    with open(folder / "numbers.csv", "w") as out:
        out.write("v\n" + "".join(f"{source.gauss(0, 3):.3f}\n" for _ in range(rows)))
    with open(folder / "texts.csv", "w") as out:
        out.write("t\n" + "".join(f"{''.join(source.choices('abcdefghij', k=9))} {''.join(source.choices('klmnopqrst', k=10))}\n"
                                  for _ in range(rows)))
    names = ",".join(f"c{i}" for i in range(WIDE_COLUMNS))
    for name, count in (("reference", 100_000 * WIDE_ROWS // 1_300_000), ("slice", WIDE_ROWS)):
        with open(folder / f"{name}.csv", "w") as out:
            out.write(names + "\n")
            for _ in range(count):
                out.write(",".join(f"{source.gauss(0, 3) + i % 10:.3f}" if source.random() > 0.01 else ""
                                   for i in range(WIDE_COLUMNS)) + "\n")


class QualityTable:
    def __init__(self, options, folder):
        self.options, self.folder, self.table = options, folder, Table()
        self.rows = 100_000 if options.quick else 1_000_000

    def peers(self, task, names):
        found = {name: [] for name in names}
        for run in range(self.options.peer_runs):
            for name in names:
                say(f"{NAMES[name]}, {task}, run {run + 1}")
                found[name].append(ask_peer(name, task, self.folder))
        return found

    def beside(self, ours, found, count, unit, what):
        """`ours` and the peers' CPU seconds as ns a value."""
        for name, runs in found.items():
            values = [one["cpu"] / count * 1e9 for one in runs]
            self.table.add(f"— {what[name]}", "", f"{NAMES[name]}: {spread(values, '.0f')} {unit}", f"{median(values) / ours:.1f} x")

    def bench_lines(self, program, arguments, pattern):
        found = []
        for run in range(self.options.runs):
            say(f"{program}, run {run + 1}")
            output = subprocess.run([BIN / program, *map(str, arguments)], capture_output=True, text=True, check=True).stdout
            found.append({match[1].strip(): float(match[2]) for match in re.finditer(pattern, output, re.MULTILINE)})
        return {name: [run[name] for run in found] for name in found[0]}

    def profile(self):
        lines = self.bench_lines("profile_bench", [0, 600_000, 1], r"^(.+?) +([0-9.]+) ns a value")
        whole = lines["float64, normal"]
        net = [a - b for a, b in zip(whole, lines["  distinct".strip()])]
        self.table.add("numeric profile: range, nulls, exact moments, histogram, quantiles, distinct; CPU ns a value",
                       spread(whole, ".1f"), goal="<= 10", met=median(whole) <= 10)
        self.table.add("— less its distinct count", spread(net, ".1f"), goal="<= 10", met=median(net) <= 10)
        found = self.peers("profile", ["duckdb", "evidently", "great_expectations", "pandera"])
        self.beside(median(whole), found, self.rows, "ns", {
            "duckdb": "counts, range, moments, 20 bins in SQL", "evidently": "ValueStats: counts, range, mean, std, quantiles",
            "great_expectations": "range, null, mean, std", "pandera": "range and null only"})
        distinct = lines["distinct alone"]
        self.table.add("distinct of texts of 20 bytes, all different; CPU ns a value", spread(distinct, ".1f"), goal="<= 25",
                       met=median(distinct) <= 25)
        found = self.peers("distinct", ["duckdb", "great_expectations"])
        self.beside(median(distinct), found, self.rows, "ns", {
            "duckdb": "approx_count_distinct", "great_expectations": "unique value count: exact"})

    def patterns(self):
        found, beside = {}, {}
        for run in range(self.options.runs):
            say(f"checks_bench, run {run + 1}")
            output = subprocess.run([BIN / "checks_bench", "200000"], capture_output=True, text=True, check=True).stdout
            for match in re.finditer(r"^(\S.*?) +([0-9.]+) ns a value, RE2 +([0-9.]+)", output, re.MULTILINE):
                found.setdefault(match[1], []).append(float(match[2]))
                beside.setdefault(match[1], []).append(float(match[3]))
        for what, name in (("median of the shapes", sorted(found, key=lambda one: median(found[one]))[len(found) // 2]),
                           ("the slowest shape", max(found, key=lambda one: median(found[one])))):
            ours = median(found[name])
            self.table.add(f"pattern over texts of 20 bytes, {what} of {len(found)}; CPU ns a value", spread(found[name], ".1f"),
                           f"RE2's call alone: {spread(beside[name], '.1f')} ns", f"{median(beside[name]) / ours:.1f} x", "<= 60",
                           ours <= 60)
        ours = median(found["[\\p{L} .'-]{1,40}"])
        self.table.add("— `[\\p{L} .'-]{1,40}`, texts with four letters beyond ASCII", f"{ours:.1f}", goal="<= 60", met=ours <= 60)
        runs = self.peers("pattern", ["duckdb", "great_expectations", "pandera"])
        self.beside(ours, runs, self.rows, "ns", {
            "duckdb": "the same pattern over ASCII texts, regexp_full_match", "great_expectations": "the like for Python, ASCII texts",
            "pandera": "the like for Python, ASCII texts"})

    def ingest(self, source, file, what, goal, dry, peers=()):
        project = self.folder / source
        project.mkdir(exist_ok=True)
        if source == "orders":
            shutil.copy(HERE / "ingest/coeval.toml", project)
        else:
            text = (ROOT / "examples/flights/coeval.toml").read_text()
            (project / "coeval.toml").write_text("".join(line for line in text.splitlines(True) if not line.startswith("path ")))
        uses, theirs = [], {name: [] for name in peers}
        for run in range(self.options.runs):
            say(f"coeval, {what}, run {run + 1}")
            shutil.rmtree(project / ".coeval", ignore_errors=True)
            uses.append(measure([BIN / "coeval", "ingest", "-C", project, source, file, *(["--dry-run"] if dry else [])]))
            for name in peers if run < self.options.peer_runs else ():
                plan = "copy" if name == "copied, unchecked" else "check"
                database = self.folder / "peer.db"
                database.unlink(missing_ok=True)
                say(f"DuckDB, {name}, run {run + 1}")
                theirs[name].append(measure(["env", f"PYTHONPATH={environment('duckdb')['PYTHONPATH']}", sys.executable,
                                             HERE / "ingest/duckdb_plan.py", plan, file, *([] if dry else [database])]))
        cpu = median([use.cpu_seconds for use in uses])
        if dry:
            rates = [file.stat().st_size / 1e6 / use.cpu_seconds for use in uses]
            self.table.add(f"{what}, parsed and checked, MB a second of CPU", spread(rates, ".0f"), goal=f">= {goal}",
                           met=median(rates) >= goal)
        else:
            rates = [3e6 / use.wall_seconds / 1e6 for use in uses]
            self.table.add(f"{what}, durable and sealed where full, M events a second of wall", spread(rates, ".2f"),
                           goal=f">= {goal}", met=median(rates) >= goal)
            self.table.add("— wall, CPU seconds", f"{spread([u.wall_seconds for u in uses], '.2f')}, {cpu:.2f}")
        for name, runs in theirs.items():
            values = [use.cpu_seconds for use in runs]
            self.table.add("— CPU seconds", f"{cpu:.2f}", f"DuckDB, {name}: {spread(values, '.2f')}", f"{median(values) / cpu:.1f} x")
        return cpu

    def files(self):
        folder = DATA / str(ROWS)
        if not (folder / "rows.jsonl").exists():
            folder.mkdir(parents=True, exist_ok=True)
            subprocess.run([sys.executable, HERE / "ingest/generate.py", folder, str(ROWS)], check=True, env=environment("duckdb"))
        cpu = self.ingest("orders", folder / "rows.csv", "CSV", 300, True, ["checked"])
        (self.folder / "rows.csv").symlink_to(folder / "rows.csv")
        say("Pandera, csv")
        pandera = ask_peer("pandera", "csv", self.folder)["cpu"]  # one run: it takes long
        self.table.add("— CPU seconds", f"{cpu:.2f}", f"pandas and Pandera, one run: {pandera:.1f}", f"{pandera / cpu:.1f} x")
        self.ingest("orders", folder / "rows.jsonl", "JSON lines", 500, True, ["checked"])
        self.ingest("flights", FLIGHTS, "Parquet, 3 M flights of five columns", 1, False)
        self.ingest("orders", folder / "rows.parquet", "Parquet, 3 M orders of ten columns", 1, False,
                    ["copied, unchecked", "checked and sorted"])

    def http(self):
        lines = self.bench_lines("serving_bench", ["batches", 5000, 40], r"^(events, .+?): +([0-9]+) /s")
        for name, values in lines.items():
            self.table.add(f"HTTP, {name}, fsynced; a second of wall", spread(values, ",.0f"), goal=">= 200,000",
                           met=median(values) >= 200_000)

    def slice(self):
        project = self.folder / "wide"
        project.mkdir()
        shutil.copy(self.folder / "slice.csv", project)
        columns = [f'c{i} = {{ type = "float64", known = "ts", nullable = true, min = -40, max = 60 }}' for i in range(WIDE_COLUMNS)]
        checks = [f'd{i} = {{ psi = "c{i}", reference = "reference.profile", max = 0.2 }}' for i in range(WIDE_COLUMNS)]
        head = ['[project]', 'name = "wide"', '[source.wide]', 'time = "ts"', 'known = "event time"', '[source.wide.columns]',
                'ts = { type = "timestamp", known = "ts" }']
        for name in ("reference", "slice"):  # coeval's rows have a time, as those of the whole shape
            with open(self.folder / f"{name}.csv") as rows, open(project / f"{name}.csv", "w") as out:
                out.write("ts," + next(rows))
                out.writelines(f"2024-01-01T{i // 3600 % 24:02}:{i // 60 % 60:02}:{i % 60:02}Z,{row}" for i, row in enumerate(rows))
        (project / "coeval.toml").write_text("\n".join(head + columns) + "\n")
        measure([BIN / "coeval", "profile", "-C", project, "wide", project / "reference.csv", "--out", project / "reference.profile"])
        (project / "coeval.toml").write_text("\n".join(head + columns + ["[source.wide.checks]"] + checks) + "\n")
        uses = [measure([BIN / "coeval", "check", "-C", project, "--data", f"wide={project / 'slice.csv'}"])
                for _ in range(self.options.runs)]
        ours = [use.cpu_seconds for use in uses]
        self.table.add(f"{WIDE_COLUMNS} columns x {WIDE_ROWS:,} rows checked, profiled, PSI; CPU seconds, ours with reading its CSV",
                       spread(ours, ".2f"))
        found = self.peers("wide", ["evidently", "great_expectations", "pandera", "duckdb"])
        what = {"evidently": "summary and PSI drift, in memory", "great_expectations": "ranges, in memory",
                "pandera": "ranges, in memory", "duckdb": "ranges and moments, in memory"}
        for name, runs in found.items():
            values = [one["cpu"] for one in runs]
            self.table.add(f"— {what[name]}", "", f"{NAMES[name]}: {spread(values, '.2f')} s", f"{median(values) / median(ours):.1f} x")

    def wide(self):
        folder, coeval = self.folder / "whole", BIN / "coeval"
        maker = [PEERS / "pandera/bin/python", HERE / "wide_table.py", folder]
        if subprocess.run([maker[0], "-c", "import pyarrow"], capture_output=True, check=False).returncode != 0:
            maker[0] = PEERS / "pandas/bin/python"
        say("writing 1,000 columns x 1.3 M rows")
        measure(maker)
        measure([coeval, "profile", "-C", folder, "wide", folder / "reference.parquet", "--out", folder / "reference.profile"])
        measure([*maker, "--checks"])
        uses = [measure([coeval, "check", "-C", folder, "--data", f"wide={folder / 'wide.parquet'}", "--json"])
                for _ in range(self.options.runs)]
        walls = [use.wall_seconds for use in uses]
        self.table.add("1,000 columns x 1.3 M rows checked, profiled, PSI: wall seconds", spread(walls, ".1f"), goal="< 30",
                       met=median(walls) < 30)
        self.table.add("— CPU seconds, peak memory", f"{spread([u.cpu_seconds for u in uses], '.0f')}, "
                       f"{max(u.peak_bytes for u in uses) / 1e9:.1f} GB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peer-runs", type=int, default=3)
    parser.add_argument("--wide", action="store_true", help="also 1,000 columns x 1.3 M rows")
    parser.add_argument("--quick", action="store_true", help="peers get a tenth of the values")
    options = parser.parse_args()
    describe_machine()
    with tempfile.TemporaryDirectory(prefix="coeval-quality-") as name:
        quality = QualityTable(options, pathlib.Path(name))
        say("writing what the peers read")
        make_inputs(quality.folder, quality.rows)
        try:
            for part in (quality.profile, quality.patterns, quality.files, quality.http, quality.slice):
                part()
            if options.wide:
                quality.wide()
        finally:  # what was measured before a failure is told
            print(f"load after: {os.getloadavg()[0]:.2f}\n")
            quality.table.print()


if __name__ == "__main__":
    main()
