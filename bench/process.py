"""Runs a program and tells what it used. Imports little: a child's peak memory starts at its parent's."""

import os
import subprocess
import sys
import time
from typing import NamedTuple


class Use(NamedTuple):
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


def measure(arguments):
    """The use of a program that succeeds; its output is shown when it fails."""
    start = time.monotonic()
    with open(os.devnull, "rb") as nothing:
        child = subprocess.Popen([str(a) for a in arguments], stdin=nothing, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT)
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - start
    if child.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, arguments))}: exit {child.returncode}\n{output.decode()}")
    return Use(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


FIND_MEMORY = """
import ctypes, mmap
size = {bytes}
memory = mmap.mmap(-1, size)
ctypes.memset(ctypes.addressof(ctypes.c_char.from_buffer(memory)), 1, size)
"""


def find_memory(size=6 << 30):
    """Touches memory and gives it back. The host of a virtual machine takes pages away that were idle, and finding them
    again costs whoever comes next up to 3 s of system time, ours and peers alike."""
    subprocess.run([sys.executable, "-c", FIND_MEMORY.format(bytes=size)], check=True)


def median(values):
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def median_use(uses):
    return Use(*(median(values) for values in zip(*uses)))
