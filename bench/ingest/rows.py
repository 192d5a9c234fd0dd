"""The rows of the table about ingestion: `coeval ingest` of three million rows beside DuckDB and Pandera."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from process import measure, median_use

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
COEVAL = ROOT / "build/bin/coeval"
DATA = ROOT / "build/bench/ingest"
PANDERA = ROOT / "third_party/peers/pandera/bin/python"
ROWS, QUICK_ROWS = 3_000_000, 300_000
FORMATS = {"parquet": "Parquet", "csv": "CSV", "jsonl": "JSON lines"}
GOAL_EVENTS = 1e6
GOAL_MEGABYTES = {"csv": 300, "jsonl": 500}


def say(text):
    print(text, file=sys.stderr, flush=True)


def counts_of(output):
    """`R read = A accepted + …` of coeval, `R A` of a peer."""
    words = output.split()
    if "accepted" in words:
        return int(words[words.index("read") - 1]), int(words[words.index("accepted") - 1])
    return int(words[-2]), int(words[-1])


class Bench:
    def __init__(self, table, options, folder):
        self.table, self.folder = table, folder
        self.runs = options.runs
        self.peer_runs = options.duckdb_runs
        self.rows = QUICK_ROWS if options.quick else ROWS
        self.files = DATA / str(self.rows)
        self.project = folder / "project"
        self.project.mkdir()
        shutil.copy(HERE / "coeval.toml", self.project)
        self.outputs = {}
        self.different = 0

    def file(self, form):
        return self.files / f"rows.{form}"

    def make_files(self):
        if self.file("jsonl").exists():
            return
        say("writing the rows")
        self.files.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, HERE / "generate.py", self.files, str(self.rows)], check=True)

    def clear(self):
        shutil.rmtree(self.project / ".coeval", ignore_errors=True)
        (self.folder / "peer.db").unlink(missing_ok=True)

    def measure_all(self, programs):
        """Programs take turns. Says of each its median use, and compares how many rows it found good."""
        uses = {name: [] for name in programs}
        for run in range(self.runs):
            for name, command in programs.items():
                if run >= (self.runs if name.startswith("coeval") else self.peer_runs):
                    continue
                say(f"{name}, run {run + 1}")
                self.clear()
                output = self.folder / "output"
                uses[name].append(measure(["sh", "-c", 'exec "$@" > "$0"', output, *command]))
                self.outputs.setdefault(name, counts_of(output.read_text()))
        return {name: median_use(each) for name, each in uses.items() if each}

    def verdicts(self, what, names):
        found = {self.outputs[name] for name in names if name in self.outputs}
        agree = len(found) == 1
        self.different += 0 if agree else 1
        self.table.add(f"{what}: rows read, and good", " / ".join(f"{read:,}, {good:,}" for read, good in found),
                       goal="the same for all", met=agree)

    def ingest(self, form):
        ingest = [COEVAL, "ingest", "-C", self.project, "orders", self.file(form)]
        duckdb = [sys.executable, HERE / "duckdb_plan.py"]
        ours, copy, check = "coeval ingest", "DuckDB, copied", "DuckDB, checked and sorted"
        programs = {ours: ingest, copy: [*duckdb, "copy", self.file(form), self.folder / "peer.db"],
                    check: [*duckdb, "check", self.file(form), self.folder / "peer.db"]}
        use = self.measure_all(programs)
        rate = self.rows / use[ours].wall_seconds
        self.table.add(f"{FORMATS[form]} into the log, {self.rows / 1e6:g} M events, full segments sealed", f"{rate / 1e6:.2f} M/s",
                       goal=">= 1 M/s" if form == "parquet" else "", met=rate >= GOAL_EVENTS if form == "parquet" else None)
        self.beside(use, ours, (copy, check))
        self.verdicts(FORMATS[form], (ours, check))

    def short(self):
        """Fewer events than fill a segment of the log, so that none is sealed at the end."""
        rows = self.rows * 2 // 3
        program = [COEVAL, "ingest", "-C", self.project, "orders", self.files / "short.parquet"]
        use = self.measure_all({"coeval ingest, short": program})["coeval ingest, short"]
        rate = rows / use.wall_seconds
        self.table.add(f"Parquet into the log, {rows / 1e6:g} M events, none sealed", f"{rate / 1e6:.2f} M/s",
                       goal=">= 1 M/s", met=rate >= GOAL_EVENTS)
        self.table.add("— wall, CPU, peak memory", f"{use.wall_seconds:.2f} s, {use.cpu_seconds:.2f} s, "
                       f"{use.peak_bytes / 1e9:.2f} GB")

    def check(self, form):
        """Parsed, typed and checked, written nowhere."""
        ours = "coeval ingest --dry-run"
        programs = {ours: [COEVAL, "ingest", "-C", self.project, "orders", self.file(form), "--dry-run"],
                    "DuckDB, counted": [sys.executable, HERE / "duckdb_plan.py", "check", self.file(form)]}
        if form == "csv" and PANDERA.exists():
            programs["pandas and Pandera"] = ["env", "-u", "PYTHONPATH", PANDERA, HERE / "pandera_plan.py", self.file(form)]
        use = self.measure_all(programs)
        rate = self.file(form).stat().st_size / 1e6 / use[ours].cpu_seconds
        self.table.add(f"{FORMATS[form]} parsed and checked, MB a second of CPU time", f"{rate:.0f} MB/s",
                       goal=f">= {GOAL_MEGABYTES[form]} MB/s", met=rate >= GOAL_MEGABYTES[form])
        self.beside(use, ours, [name for name in programs if name != ours])
        self.verdicts(f"{FORMATS[form]}, only checked", list(programs))

    def seal(self):
        say("coeval log seal")
        self.clear()
        measure([COEVAL, "ingest", "-C", self.project, "orders", self.file("parquet")])
        log = self.project / ".coeval/log"
        uses = []
        for _ in range(self.runs):
            shutil.rmtree(log / "sealed", ignore_errors=True)
            uses.append(measure([COEVAL, "log", "seal", "-C", self.project]))
        use = median_use(uses)
        segments = sum(path.stat().st_size for path in log.glob("*.seg"))
        tables = sum(path.stat().st_size for path in log.glob("sealed/*/*.parquet"))
        self.table.add("sealing these events: wall, CPU", f"{use.wall_seconds:.2f} s, {use.cpu_seconds:.2f} s")
        self.table.add("segments, tables beside them", f"{segments / 1e6:.0f} MB, {tables / 1e6:.0f} MB",
                       f"DuckDB's file of the rows: {self.file('parquet').stat().st_size / 1e6:.0f} MB",
                       f"{segments / tables:.1f} x")

    def beside(self, use, ours, peers):
        for peer in peers:
            if peer not in use:
                continue
            for what, value in (("wall", lambda one: one.wall_seconds), ("CPU", lambda one: one.cpu_seconds)):
                self.table.add(f"— {what}", f"{value(use[ours]):.2f} s", f"{peer}: {value(use[peer]):.2f} s",
                               f"{value(use[peer]) / value(use[ours]):.1f} x")
        self.table.add("— peak memory", f"{use[ours].peak_bytes / 1e9:.2f} GB", ", ".join(
            f"{peer}: {use[peer].peak_bytes / 1e9:.2f} GB" for peer in peers if peer in use))


def add_rows(table, options):
    """Returns how many counts differ between the programs."""
    with tempfile.TemporaryDirectory(prefix="coeval-bench-", dir=os.environ.get("TMPDIR")) as name:
        bench = Bench(table, options, pathlib.Path(name))
        bench.make_files()
        for form in FORMATS:
            bench.ingest(form)
        bench.short()
        for form in GOAL_MEGABYTES:
            bench.check(form)
        bench.seal()
        return bench.different
