#!/usr/bin/env python3
"""Breaks the kernel in the ways of tools/mutants.toml, one at a time, and shows which tests notice.

    mutants.py [--despite-failures] [TEXT]     mutants whose name has TEXT; all if there is none
    mutants.py --places                        only whether each still has its place in the sources

Works on a copy of the sources in build/mutants, so the working tree is never broken. Each mutant is compiled into
coeval_cases; where all cases still pass, into kernel_test too, which must pass without it. Exit 1 unless all are
caught. --despite-failures lets cases fail beforehand and counts only the failures that a mutant adds.
"""

import filecmp
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
COPY = ROOT / "build/mutants"
BUILD = COPY / "build"
COPIED = ["CMakeLists.txt", "cmake", "sim", "src", "tests", "tools"]
# A mutant that loops is stopped by its CPU time, so that a busy machine changes no verdict; by the clock only what
# hangs.
BUILD_SECONDS, RUN_SECONDS, RUN_CPU_SECONDS = 1800, 900, 120
CASES, UNIT = "coeval_cases", "coeval_kernel_test"


def copy_sources():
    """Copies what differs, so that nothing else is compiled again; takes away what is gone."""
    wanted = set()
    for top in COPIED:
        source = ROOT / top
        files = [source] if source.is_file() else [f for f in source.rglob("*") if f.is_file()]
        for file in files:
            if "__pycache__" in file.parts:
                continue
            target = COPY / file.relative_to(ROOT)
            wanted.add(target)
            if not target.exists() or not filecmp.cmp(file, target, shallow=False):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
    for top in COPIED:
        for target in [f for f in (COPY / top).rglob("*") if f.is_file() and f not in wanted]:
            target.unlink()


def check_places(mutants):
    """Says which mutants a rewrite has left without their place."""
    lost = [m for m in mutants if (ROOT / m["file"]).read_text().count(m["find"]) != 1]
    for mutant in lost:
        print(f"mutants: '{mutant['name']}' is not in {mutant['file']} once; move its entry with the line")
    print(f"{len(mutants) - len(lost)} of {len(mutants)} mutants have their place")
    return 1 if lost else 0


def configure():
    if (BUILD / "build.ninja").exists():
        return
    quiet(["cmake", "-S", str(COPY), "-B", str(BUILD), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
           "-DCOEVAL_ARROW=OFF", f"-DCOEVAL_THIRD_PARTY={ROOT / 'third_party'}"])


def quiet(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout[-4000:] + f"\nmutants: error: {command[0]} failed")


def build(target, seconds=None):
    """None, or what the compiler says."""
    jobs = os.environ.get("JOBS", str(os.cpu_count()))
    command = ["cmake", "--build", str(BUILD), "--target", target, "--parallel", jobs]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return f"not compiled within {seconds} s"
    return None if done.returncode == 0 else done.stdout[-3000:]


def limit_cpu():
    resource.setrlimit(resource.RLIMIT_CPU, (RUN_CPU_SECONDS, RUN_CPU_SECONDS))


def run(target):
    """The lines that say what is wrong; a crash or a loop is one of them."""
    try:
        done = subprocess.run([str(BUILD / "bin" / target)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=RUN_SECONDS, preexec_fn=limit_cpu)
    except subprocess.TimeoutExpired:
        return {f"not done within {RUN_SECONDS} s"}
    if done.returncode == 0:
        return set()
    if done.returncode < 0:
        return {f"killed by signal {-done.returncode}"}
    marks = (".case:", "ERROR:", "TEST CASE:")
    return {line for line in done.stdout.split("\n") if any(mark in line for mark in marks)} or {"failed"}


def apply(mutant):
    """Changes the copy; gives the way back."""
    path = COPY / mutant["file"]
    text = path.read_text()
    if text.count(mutant["find"]) != 1:
        sys.exit(f"mutants: error: in {mutant['file']} the place of '{mutant['name']}' is there "
                 f"{text.count(mutant['find'])} times; tools/mutants.toml must name it once")
    path.write_text(text.replace(mutant["find"], mutant["replace"]))
    return lambda: path.write_text(text)


def first_case(lines):
    """file:line of the first difference, without its folder."""
    words = sorted(line.split(": ")[0] for line in lines)
    return pathlib.Path(words[0]).name


def verdict(known):
    """Who notices the mutant that is in the copy now."""
    fault = build(CASES, BUILD_SECONDS)
    if fault:
        return None, f"does not compile:\n{fault}"
    found = run(CASES) - known
    if found:
        return True, f"caught by {len(found)} differences in the cases, first {first_case(found)}"
    fault = build(UNIT, BUILD_SECONDS)
    if fault:
        return None, f"does not compile:\n{fault}"
    if run(UNIT):
        return True, "caught by kernel_test, not by the cases"
    return False, "SURVIVES"


def baseline(tolerant):
    """The cases that fail without any mutant."""
    fault = build(CASES)
    if fault:
        sys.exit(f"{fault}\nmutants: error: {CASES} does not compile")
    known = run(CASES)
    if known and not tolerant:
        sys.exit("\n".join(sorted(known)[:5]) + f"\nmutants: error: {CASES} fails without any mutant")
    return known


def main(arguments):
    tolerant = "--despite-failures" in arguments
    texts = [a for a in arguments if a != "--despite-failures"]
    mutants = tomllib.loads((ROOT / "tools/mutants.toml").read_text())["mutant"]
    if arguments == ["--places"]:
        return check_places(mutants)
    mutants = [m for m in mutants if all(text in m["name"] for text in texts)]
    copy_sources()
    for mutant in mutants:  # before anything is compiled: each has its place
        apply(mutant)()
    configure()
    known = baseline(tolerant)
    caught = 0
    for mutant in mutants:
        began = time.monotonic()
        restore = apply(mutant)
        try:
            noticed, text = verdict(known)
        finally:
            restore()
        caught += noticed is True
        print(f"{mutant['name']:<64} {text} ({time.monotonic() - began:.0f} s)", flush=True)
    print(f"{caught} of {len(mutants)} caught")
    return 0 if caught == len(mutants) and mutants else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
