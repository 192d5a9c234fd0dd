"""The rows of the table about window features: windows_bench in memory, `coeval dataset` from files, and the peers."""

import collections
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

from process import find_memory, measure, median, median_use

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
BIN = ROOT / "build/bin"
DATA = ROOT / "data/bench"
PEERS = ROOT / "third_party/peers"
SMALL_MEMORY = "4GB"

# The plans of each peer, the fastest first: only that one is run, but for --all-plans. Plans that take many minutes at
# full size are not here; README.md says how long.
PLANS = {
    "backfill_sums": {"duckdb": ["asof_once", "sweep", "pairs", "asof", "frames"], "polars": ["asof", "rolling"],
                      "pandas": ["asof"]},
    "backfill_hot": {"duckdb": ["asof_once", "sweep", "asof"], "polars": ["asof", "rolling"], "pandas": ["asof"]},
    "backfill_views": {"feast": ["duckdb"]},
}


def say(text):
    print(text, file=sys.stderr, flush=True)


def output_of(*arguments, environment=None):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env=environment)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def peer_python(name):
    """DuckDB is an oracle too and lies on PYTHONPATH; the others have an environment of their own."""
    if name == "duckdb":
        return sys.executable, None
    return PEERS / name / "bin/python", {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}


class Figures:
    """What windows_bench prints: the median of each figure over its runs."""

    def __init__(self):
        self.values = collections.defaultdict(list)
        self.output = ""

    def run(self, quick, row):
        say(f"windows_bench {row}")
        find_memory()
        output = output_of(BIN / "windows_bench", *(["--quick"] if quick else []), row)
        for line in output.splitlines():
            name, figure, value, *_ = line.split()
            self.values[name, figure].append(value if figure == "checksum" else float(value))
        self.output += output

    def __call__(self, name, figure):
        return median(self.values[name, figure])

    def checksums(self, name):
        return set(self.values[name, "checksum"])


class Shapes:
    """The data of each shape in data/bench/, made when it is missing or another size is wanted."""

    def __init__(self):
        self.arguments = {}
        for quick in (False, True):
            for line in output_of(BIN / "windows_bench", *(["--quick"] if quick else []), "--shapes").splitlines():
                name, *rest = shlex.split(line)
                self.arguments[name + ("_tenth" if quick else "")] = rest

    def folder(self, name):
        folder, wanted = DATA / name, " ".join(self.arguments[name])
        stamp = folder / "made"
        if not stamp.exists() or stamp.read_text() != wanted:
            say(f"making {folder}")
            stamp.unlink(missing_ok=True)
            python, environment = peer_python("polars")
            output_of(python, HERE / "generate.py", folder, *self.arguments[name], environment=environment)
            stamp.write_text(wanted)
        definition = output_of(BIN / "windows_bench", "--definition", name.removesuffix("_tenth"), ".")
        (folder / "coeval.toml").write_text(definition)
        return folder


def dataset(folder, threads, *more):
    """`coeval dataset` from Parquet to FOLDER/answers.parquet."""
    find_memory()
    return measure([BIN / "coeval", "dataset", "-C", folder, "--features", "*.*", "--questions",
                    folder / "questions.parquet", "--threads", threads, "--out", folder / "answers.parquet", *more])


def run_plan(peer, plan, folder, out, threads):
    say(f"{folder.name}, {peer}, {plan}")
    python, environment = peer_python(peer)
    find_memory()
    output = output_of(python, HERE / f"{peer}_plan.py", folder, plan, out, threads, environment=environment)
    return json.loads(output.splitlines()[-1])


class Rows:
    def __init__(self, table, options, cores):
        self.table, self.options, self.cores = table, options, cores
        self.figures, self.shapes = Figures(), None if options.quick else Shapes()
        self.different = 0

    def met(self, verdict):
        """Goals are for full size."""
        return None if self.options.quick else verdict

    def goal(self, text):
        return text + (" (full size)" if self.options.quick and text else "")

    def add(self, what, ours, goal="", met=None):
        self.table.add(what, ours, goal=self.goal(goal), met=self.met(met))

    def in_memory(self):
        for row in ("backfill_sums", "backfill_hot", "backfill_wide", "backfill_views"):
            for _ in range(self.options.runs):
                self.figures.run(self.options.quick, row)
        f = self.figures
        size = "1 M events, 10 k keys, 90 d; 100 k" if self.options.quick else "10 M events, 100 k keys, 90 d; 1 M"
        wall = f("backfill_sums", "wall")
        self.add(f"windows: {size} questions x 15, in memory, wall", f"{wall:.2f} s", "<= 0.8 s on 2 cores",
                 wall <= 0.8)
        self.add("the same, CPU", f"{f('backfill_sums', 'cpu'):.2f} s")
        self.peers("backfill_sums", "the same", 10)
        self.add("the same with 100 keys, wall", f"{f('backfill_hot', 'wall'):.2f} s")
        self.add("100 keys, CPU", f"{f('backfill_hot', 'cpu'):.2f} s")
        self.peers("backfill_hot", "100 keys", 40)
        wall = f("backfill_wide", "wall")
        self.add("the same events and questions x 100 (20 aggregates), wall", f"{wall:.2f} s", "<= 4 s", wall <= 4)
        self.add("x 100, CPU", f"{f('backfill_wide', 'cpu'):.2f} s")
        questions = "1,700" if self.options.quick else "17,000"
        self.add(f"{questions} questions x 1,000 over 10 views, in memory, wall",
                 f"{f('backfill_views', 'wall'):.2f} s")

    def same_answers(self, name, folder):
        """The answers in memory must be those that are compared with the peers'."""
        ours = output_of(sys.executable, HERE / "checksum.py", folder / "answers.parquet").strip()
        if self.figures.checksums(name) != {ours}:
            say(f"{name}: the answers in memory {self.figures.checksums(name)} are not those of coeval dataset, {ours}")
            self.different += 1

    def best_plan(self, peer, plans, folder):
        """The plan that takes the least CPU time, and its answers compared; of the others only the time is kept."""
        best, out = None, pathlib.Path(self.scratch) / "theirs.parquet"
        for plan in plans if self.options.all_plans else plans[:1]:
            use = run_plan(peer, plan, folder, out, self.cores)
            columns, rows, different = map(int, output_of(sys.executable, HERE / "compare.py",
                                                          folder / "answers.parquet", out).split())
            self.table.add(f"{folder.name}, {use['peer']} {plan}: rows that differ in any of {columns}",
                           f"{different} of {rows}", f"{use['wall']:.2f} s, {use['cpu']:.2f} CPU s, "
                           f"{use['peak_bytes'] / 1e9:.2f} GB", goal="0", met=different == 0)
            self.different += different
            best = use if best is None or use["cpu"] < best["cpu"] else best
        return best

    def peers(self, name, what, duckdb_goal):
        if self.options.quick:
            return
        folder = self.shapes.folder(name)
        use = dataset(folder, self.cores)
        self.table.add(f"{what}, Parquet to Parquet, wall / CPU / peak",
                       f"{use.wall_seconds:.2f} s / {use.cpu_seconds:.2f} s / {use.peak_bytes / 1e9:.2f} GB")
        self.same_answers(name, folder)
        cpu, wall = self.figures(name, "cpu"), self.figures(name, "wall")
        for peer, plans in PLANS[name].items():
            best = self.best_plan(peer, plans, folder)
            is_goal = peer == "duckdb"
            self.table.add(f"{what}, CPU beside {best['peer']} ({best['plan']})", f"{cpu:.2f} s",
                           f"{best['cpu']:.2f} s", f"{best['cpu'] / cpu:.1f} x",
                           f">= {duckdb_goal} x" if is_goal else "",
                           best["cpu"] >= duckdb_goal * cpu if is_goal else None)
            self.table.add(f"{what}, wall beside {best['peer']}", f"{wall:.2f} s", f"{best['wall']:.2f} s",
                           f"{best['wall'] / wall:.1f} x")

    def views(self):
        if self.options.quick:
            return
        folder = self.shapes.folder("backfill_views")
        say("backfill_views, coeval dataset")
        use = median_use([dataset(folder, self.cores) for _ in range(self.options.runs)])
        self.same_answers("backfill_views", folder)
        best = self.best_plan("feast", PLANS["backfill_views"]["feast"], folder)
        name = f"{best['peer']} ({best['plan']})"
        self.table.add("17,000 x 1,000 over 10 views, Parquet to Parquet, wall", f"{use.wall_seconds:.2f} s",
                       f"{name}, of finished features: {best['wall']:.2f} s",
                       f"{best['wall'] / use.wall_seconds:.1f} x", "<= 2 s", use.wall_seconds <= 2)
        self.table.add("17,000 x 1,000, CPU", f"{use.cpu_seconds:.2f} s", f"{name}: {best['cpu']:.2f} s",
                       f"{best['cpu'] / use.cpu_seconds:.1f} x")
        self.table.add("17,000 x 1,000, peak memory", f"{use.peak_bytes / 1e9:.2f} GB",
                       f"{name}: {best['peak_bytes'] / 1e9:.2f} GB", f"{best['peak_bytes'] / use.peak_bytes:.1f} x",
                       "<= 1 GB", use.peak_bytes <= 1e9)

    def large(self):
        if self.options.quick:
            return
        what = f"100 M events, 10 M questions x 20 windows, Parquet to Parquet in {SMALL_MEMORY}"
        if "--memory" not in output_of(BIN / "coeval", "dataset", "--help"):
            self.table.add(what, "not run: no memory limit yet", goal="completes, linear, peak under the limit")
            return
        limit = ("--memory", SMALL_MEMORY)
        say("backfill_large_tenth, coeval dataset")
        folder, checksums = self.shapes.folder("backfill_large_tenth"), set()
        for more in ((), limit):
            small = dataset(folder, self.cores, *more)
            checksums.add(output_of(sys.executable, HERE / "checksum.py", folder / "answers.parquet"))
        self.table.add("10 M events: answers with the limit and without",
                       "the same" if len(checksums) == 1 else "DIFFER", goal="the same", met=len(checksums) == 1)
        self.different += len(checksums) - 1
        say("backfill_large, coeval dataset")
        folder = self.shapes.folder("backfill_large")
        use = dataset(folder, self.cores, *limit)
        (folder / "answers.parquet").unlink()
        self.table.add(what + ", wall / CPU", f"{use.wall_seconds:.0f} s / {use.cpu_seconds:.0f} s", goal="completes",
                       met=True)
        growth = use.cpu_seconds / small.cpu_seconds
        self.table.add("100 M events: CPU time, as a multiple of 10 M events'", f"{growth:.1f} x", goal="<= 12 x",
                       met=growth <= 12)
        self.table.add("100 M events: peak memory", f"{use.peak_bytes / 1e9:.2f} GB", goal=f"<= {SMALL_MEMORY}",
                       met=use.peak_bytes <= 4e9)

    def server(self):
        f, quick = self.figures, self.options.quick
        for what in ("sums", "twenty", "wide"):
            for row in ("apply_", "hotkey_"):
                f.run(quick, row + what)
        counts = {"sums": 15, "twenty": 20, "wide": 100}
        for what, features in counts.items():
            goal = what == "twenty"
            rate = f(f"apply_{what}", "rate")
            self.add(f"apply one event to {features} features, keys beyond the cache", f"{rate:.2f} M/s a core",
                     ">= 1 M/s" if goal else "", rate >= 1 if goal else None)
            p50, p99 = f(f"ask_{what}", "question_p50"), f(f"ask_{what}", "question_p99")
            self.add(f"ask {features} window features of a key with 100 events, p50 / p99", f"{p50:.1f} / {p99:.1f} us",
                     "<= 3 / 10 us" if goal else "", p50 <= 3 and p99 <= 10 if goal else None)
            p99, seldom = f(f"hotkey_{what}", "question_p99"), f(f"hotkey_{what}", "seldom_p99")
            self.add(f"ask {features} of a key with 1 M events, p99 / after 1,000 events each",
                     f"{p99:.1f} / {seldom:.1f} us", "<= 30 us" if goal else "", max(p99, seldom) <= 30 if goal else None)
        for what, columns in (("sums", 1), ("wide", 2)):
            for events in (100, 10):
                each = f(f"state_{what}_{events}", "beside_keys")
                self.add(f"state, {columns} column(s) and time, {events} events a key, beside 100 B a key",
                         f"{each:.1f} B an event", "<= 16 B", each <= 16)

    def run(self):
        with tempfile.TemporaryDirectory(prefix="coeval-bench-") as self.scratch:
            self.in_memory()
            self.views()
            self.large()
            self.server()
        return self.different


def add_rows(table, options, cores):
    """Adds all rows. Returns how many answers differ, and what windows_bench printed."""
    rows = Rows(table, options, cores)
    return rows.run(), rows.figures.output
