"""Runs the tests of this folder, as many of its files at a time as there are cores, and closes with the line that
./dev test adds up. `run.py FILE` runs the tests of one file."""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent


class CountedResult(unittest.TextTestResult):
    """Counts the tests that passed: neither a class that is skipped nor one that cannot be set up is a test."""

    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


def run_one(module):
    tests = unittest.defaultTestLoader.loadTestsFromName(module)
    has_tests = tests.countTestCases() > 0
    result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout, resultclass=CountedResult).run(tests)
    print(f"{result.passed} passed, {len(result.failures) + len(result.errors)} failed")
    return 0 if result.wasSuccessful() and has_tests else 1


def run_apart(module):
    """What the tests of a file print, in a process of their own, and their exit code."""
    command = [sys.executable, "-u", __file__, module]
    done = subprocess.run(command, cwd=HERE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout.decode(errors="replace"), done.returncode


def run_all():
    modules = sorted(path.stem for path in HERE.glob("test_*.py"))
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for module, (output, code) in zip(modules, pool.map(run_apart, modules)):
            body, _, last = output.rstrip().rpartition("\n")
            counts = re.fullmatch(r"(\d+) passed, (\d+) failed", last)
            good, bad = (int(counts[1]), int(counts[2])) if counts else (0, 0)
            print(f"== {module}\n{body if counts else output}", flush=True)
            if code != 0 and bad == 0:
                print(f"FAILED: {module} ended with {code} before it had a result")
                bad = 1
            passed, failed = passed + good, failed + bad
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    sys.exit(run_one(sys.argv[1]) if len(sys.argv) > 1 else run_all())
