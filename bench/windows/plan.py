"""What the plans of all peers share: the windows, and how a plan is timed. Each plan is a program

    PEER_plan.py FOLDER PLAN OUT.parquet|- THREADS

that loads FOLDER/events_0.parquet and questions.parquet, times the query alone, prints one line of JSON, and then
writes the answers in the order of questions under the names that coeval gives them.
"""

import json
import os
import resource
import sys
import time

HOUR_US = 3_600_000_000
WINDOWS = {"1h": HOUR_US, "6h": 6 * HOUR_US, "1d": 24 * HOUR_US, "7d": 7 * 24 * HOUR_US, "30d": 30 * 24 * HOUR_US}
COLUMNS = [f"v0.{name}_{window}" for name in ("events", "mean", "total") for window in WINDOWS]


def arguments():
    folder, plan, out, threads = sys.argv[1:]
    return folder, plan, out, int(threads)


def cpu_seconds():
    use = resource.getrusage(resource.RUSAGE_SELF)
    return use.ru_utime + use.ru_stime


def timed(peer, plan, query):
    wall, cpu = time.monotonic(), cpu_seconds()
    result = query()
    wall, cpu = time.monotonic() - wall, cpu_seconds() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"peer": peer, "plan": plan, "wall": wall, "cpu": cpu, "peak_bytes": peak}), flush=True)
    return result


def single_threaded_maths():
    """Before numpy is imported: idle threads of BLAS would be counted as the peer's."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
