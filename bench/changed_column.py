#!/usr/bin/env python3
"""What a build of the flights does anew after a change: CPU seconds and wall time of its dataset step.

    changed_column.py [--coeval build/bin/coeval] [--runs 3] [CASE …]

Cases: `view`: another aggregate in view.origin, three columns of 44; `window`: another window there, three columns;
`split`: another date of the split, one column;
`nothing`: other parameters; `all`: the first build. Each run starts from a copy of a project whose dataset is there,
and is stopped where training would begin. Medians.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """What a process that has not ended yet has used, and those it waited for."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / TICKS


def changed(definition, case):
    if case in ("view", "window"):
        begin, end = definition.index("[view.origin]"), definition.index("[view.destination]")
        old, new = ('"mean(delay)"', '"mean(delay + 1)"') if case == "view" else ('"24h"', '"12h"')
        view = definition[begin:end].replace(old, new)
        return definition[:begin] + view + definition[end:]
    if case == "split":
        return definition.replace("validate_until = 2001-06-01", "validate_until = 2001-06-02")
    if case == "nothing":
        return definition.replace("rounds = 150", "rounds = 151")
    return definition


def dataset_step(coeval, project):
    """CPU seconds, wall seconds and output of a build up to its training."""
    started = time.monotonic()
    child = subprocess.Popen([coeval, "build", "-C", project, "late"], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
    lines = []
    for line in child.stdout:
        lines.append(line)
        if line.startswith("late: train "):
            found = cpu_seconds(child.pid), time.monotonic() - started
            child.kill()
            child.wait()
            return *found, "".join(lines)
    raise SystemExit("the build ended before its training:\n" + "".join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("cases", nargs="*", default=["view", "window", "split", "nothing"])
    parser.add_argument("--coeval", default=ROOT / "build/bin/coeval")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    definition = (ROOT / "examples/flights/coeval.toml").read_text()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder) / "examples"
        (pathlib.Path(folder) / "data").symlink_to(ROOT / "data")
        base = work / "flights"
        base.mkdir(parents=True)
        (base / "coeval.toml").write_text(definition)
        dataset_step(options.coeval, base)
        for case in options.cases:
            runs = []
            for _ in range(options.runs):
                project = work / "run"
                shutil.rmtree(project, ignore_errors=True)
                if case == "all":
                    project.mkdir()
                else:
                    shutil.copytree(base, project)
                (project / "coeval.toml").write_text(changed(definition, case))
                runs.append(dataset_step(options.coeval, project))
            cpu, wall = (statistics.median(run[place] for run in runs) for place in (0, 1))
            print(f"{case}: {cpu:.2f} CPU s, {wall:.2f} s wall, median of {len(runs)}")


if __name__ == "__main__":
    main()
