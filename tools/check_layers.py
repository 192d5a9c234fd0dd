#!/usr/bin/env python3
"""Checks the rules of tools/layers.toml over a source tree.

    check_layers.py [ROOT]       prints each violation as file:line: what; exit status 1 if there is any
    check_layers.py --self-test  plants each kind of violation in a copy and wants it caught
"""

import pathlib
import re
import sys
import tempfile
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
OURS = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
FOREIGN = re.compile(r"^\s*#\s*include\s+<([^>]+)>")
SOURCES = {".h", ".cc"}


def folder_of(path):
    """The layer of a path below src/: `kernel`, or `adapters/parquet`."""
    parts = pathlib.PurePosixPath(path).parts
    return "/".join(parts[:2]) if parts[0] == "adapters" and len(parts) > 2 else parts[0]


def may_include(rules, file, header):
    source, target = folder_of(file), folder_of(header)
    if source == target:
        return True
    layer = source.split("/")[0]
    if header in rules.get("may_include_header", {}).get(layer, []):
        return True
    # One vendor's folder never includes another's, though all are of one layer.
    return target.split("/")[0] in rules["may_include"].get(layer, [])


def check_include(rules, file, line):
    if match := OURS.match(line):
        header = match[1]
        if "/" not in header:
            return f'"{header}" is not a path from src/'
        if not may_include(rules, file, header):
            return f"{folder_of(file)} may not include {folder_of(header)} ({header})"
    elif match := FOREIGN.match(line):
        heavy = any(match[1].startswith(prefix) for prefix in rules["heavy"]["headers"])
        in_tests_only = file.endswith("_for_tests.h")
        if heavy and file.endswith(".h") and not in_tests_only and not file.startswith("adapters/"):
            return f"<{match[1]}> belongs in a .cc file"
    return None


def check_path(rules, path):
    for part in path.parts:
        if pathlib.PurePosixPath(part).stem in rules["forbidden"]["names"]:
            yield f"'{part}' says nothing about what is inside"
    depth = len(path.parts) - 1
    if depth > rules["limits"]["folder_depth"]:
        yield f"is {depth} folders deep, at most {rules['limits']['folder_depth']}"
    if path.parts[0] not in rules["may_include"] and depth > 0:
        yield f"folder '{path.parts[0]}' is not in tools/layers.toml"


def check_file(rules, root, path):
    relative = path.relative_to(root / "src")
    for problem in check_path(rules, relative):
        yield f"src/{relative}:1: {problem}"
    lines = path.read_text(encoding="utf-8").splitlines()
    if len(lines) > rules["limits"]["file_lines"]:
        yield f"src/{relative}:1: {len(lines)} lines, at most {rules['limits']['file_lines']}"
    for number, line in enumerate(lines, 1):
        if problem := check_include(rules, relative.as_posix(), line):
            yield f"src/{relative}:{number}: {problem}"


def check(root):
    with open(HERE / "layers.toml", "rb") as file:
        rules = tomllib.load(file)
    files = sorted(p for p in (root / "src").rglob("*") if p.suffix in SOURCES and p.is_file())
    return len(files), [problem for path in files for problem in check_file(rules, root, path)]


# Where to plant what, and a word of the complaint.
PLANTED = [
    ("base/planted.h", '#include "kernel/kernel.h"\n', "base may not include kernel"),
    ("kernel/planted.cc", '#  include "serving/engine.h"\n', "kernel may not include serving"),
    ("stores/planted.cc", '#include "adapters/parquet/x.h"\n', "may not include adapters/parquet"),
    ("adapters/parquet/planted.cc", '#include "adapters/xgboost/x.h"\n', "adapters/parquet may not"),
    ("adapters/xgboost/planted.cc", '#include "training/gates.h"\n', "may not include training"),
    ("data/planted.h", "#include <simdjson.h>\n", "belongs in a .cc file"),
    ("data/planted.cc", '#include "column.h"\n', "is not a path from src/"),
    ("data/utils.cc", "", "says nothing"),
    ("data/helpers/planted.cc", "", "says nothing"),
    ("data/a/b/planted.cc", "", "folders deep"),
    ("unheard_of/planted.cc", "", "is not in tools/layers.toml"),
    ("data/planted.cc", "//\n" * 701, "701 lines"),
]
ALLOWED = [
    ("kernel/oracle_for_tests.h", "#include <mpfr.h>\n"),
    ("kernel/planted.cc", '#include "exact/exact_sum.h"\n#include <boost/x.hpp>\n'),
    ("adapters/parquet/planted.h", '#include "stores/files.h"\n#include <arrow/api.h>\n'),
    ("adapters/xgboost/planted.cc", '#include "training/trainer.h"\n'),
    ("cli/planted.cc", '#include "adapters/parquet/x.h"\n'),
]


def problems_of_one_file(name, text):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "src" / name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
        return check(pathlib.Path(folder))[1]


def self_test():
    wrong = 0
    for name, text, word in PLANTED:
        if not any(word in problem for problem in problems_of_one_file(name, text)):
            wrong += 1
            print(f"not caught: {name}: {word}")
    for name, text in ALLOWED:
        for problem in problems_of_one_file(name, text):
            wrong += 1
            print(f"caught by mistake: {problem}")
    print(f"{len(PLANTED) + len(ALLOWED) - wrong} of {len(PLANTED) + len(ALLOWED)} as expected")
    return 1 if wrong else 0


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    root = pathlib.Path(arguments[0]) if arguments else HERE.parent
    count, problems = check(root)
    for problem in problems:
        print(problem)
    print(f"{count} files, {len(problems)} violations")
    return 1 if problems or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
