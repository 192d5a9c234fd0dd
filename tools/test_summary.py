#!/usr/bin/env python3
"""Sums up a test run.

    test_summary.py CTEST_LOG SCRIPT_LOG...
    test_summary.py --self-test

The unit is one doctest case; a ctest entry that prints no doctest summary counts as one test, and so
does a script of tests/ unless it ends with its own `N passed, N failed`. A program that dies before
its summary, or fails with none of its cases failed, counts as one failure. The last line is
`N passed, N failed`; the exit status is 1 if any failed, or if there was nothing to run.

A script log's first line is the script's name, its last line `exit N`.
"""

import re
import sys

ENTRY = re.compile(r"^\d+/\d+ Testing: (.+)$", re.MULTILINE)
OUTCOME = re.compile(r"^Test (Passed|Failed|time)", re.MULTILINE)
DOCTEST = re.compile(r"^\[doctest\] test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed", re.MULTILINE)
PLAIN = re.compile(r"^(\d+) passed, (\d+) failed$", re.MULTILINE)


def counted(found, succeeded):
    """(passed, failed) of one program, from the sums it printed and how it ended."""
    if not found:
        return (1, 0) if succeeded else (0, 1)
    passed = sum(int(p) for p, _ in found)
    failed = sum(int(f) for _, f in found)
    return passed, failed or (0 if succeeded else 1)


def ctest_entries(text):
    parts = ENTRY.split(text)[1:]
    for name, output in zip(parts[::2], parts[1::2]):
        outcomes = OUTCOME.findall(output)
        succeeded = bool(outcomes) and outcomes[-1] == "Passed"
        yield name, DOCTEST.findall(output), succeeded


def script_entries(paths):
    for path in paths:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
        yield lines[0], PLAIN.findall("\n".join(lines[1:-1])), lines[-1] == "exit 0"


SAMPLE = """1/4 Testing: base
[doctest] test cases:  8 |  8 passed | 0 failed | 0 skipped
Test Passed.
2/4 Testing: data
[doctest] test cases: 10 |  7 passed | 3 failed | 0 skipped
Test Failed.
3/4 Testing: layers
Test Passed.
4/4 Testing: crash
Test Failed.
"""


def self_test():
    sums = [counted(found, succeeded) for _, found, succeeded in ctest_entries(SAMPLE)]
    expected = [(8, 0), (7, 3), (1, 0), (0, 1)]
    silent = counted([("5", "0")], succeeded=False) == (5, 1)
    if sums == expected and silent:
        return 0
    print(f"got {sums}, expected {expected}; a program that fails after its summary: {silent}")
    return 1


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    with open(arguments[0], encoding="utf-8", errors="replace") as file:
        entries = list(ctest_entries(file.read()))
    entries += script_entries(arguments[1:])
    passed = failed = 0
    for name, found, succeeded in entries:
        good, bad = counted(found, succeeded)
        passed, failed = passed + good, failed + bad
        if bad:
            print(f"FAILED: {name}")
    print(f"{len(entries)} test programs and scripts; the sum counts doctest cases, and 1 for any other")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
