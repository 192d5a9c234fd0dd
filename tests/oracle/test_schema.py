"""`coeval schema` beside a validator of JSON Schema that we did not write: what the check accepts the schema accepts, and
it refuses unknown keys and values of other kinds."""

import copy
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib
import unittest

import fastjsonschema

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COEVAL = os.environ["COEVAL"]
sys.path.insert(0, str(ROOT / "tests/cases"))
import oracle_cases  # noqa: E402

WITHOUT = {"time": "ts", "known": "event time", "columns": {"ts": "timestamp"}}  # what cases leave out of a source


def as_json(value):
    """TOML's values as an editor hands them to the schema: times as texts."""
    if isinstance(value, dict):
        return {key: as_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_json(inner) for inner in value]
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return value


def check(text):
    """Whether coeval accepts the definition."""
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "coeval.toml").write_text(text)
        return subprocess.run([COEVAL, "check", "-C", folder], capture_output=True).returncode in (0, 3)


def definitions():
    """Whole definitions that the check accepts, by where they are from."""
    found = {}
    for path in [*ROOT.glob("examples/*/coeval.toml"), *ROOT.glob("fuzz/corpus/define/*.toml")]:
        found[str(path.relative_to(ROOT))] = path.read_text()
    for path in sorted((ROOT / "tests/program").glob("*.py")):
        for number, text in enumerate(re.findall(r'"""(\[project\].*?|\n\[project\].*?)"""', path.read_text(), re.S)):
            found[f"{path.name} {number}"] = text
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([COEVAL, "init", folder], check=True, capture_output=True)
        found["coeval init"] = (pathlib.Path(folder) / "coeval.toml").read_text()
    return {name: text for name, text in found.items() if check(text)}


def parts_of_cases():
    """What cases define, with what a case leaves out; names are not the schema's matter."""
    for path in sorted((ROOT / "tests/cases").glob("*.case")):
        for case in oracle_cases.read_cases(path):
            if case.refused or not case.definition:
                continue
            text = "\n".join(case.definition)
            document = as_json(tomllib.loads(text))
            document.setdefault("project", {}).setdefault("name", "case")
            document.setdefault("source", {"events": {}})
            for source in document["source"].values():
                for key, value in WITHOUT.items():
                    source.setdefault(key, value)
            for view in document.get("view", {}).values():
                view.setdefault("from", "events")
            yield f"{path.name}:{case.line}", document


class Schema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        printed = subprocess.run([COEVAL, "schema"], check=True, capture_output=True, text=True).stdout
        cls.schema = json.loads(printed)
        cls.validate = staticmethod(fastjsonschema.compile(cls.schema))

    def refuses(self, document):
        with self.assertRaises(fastjsonschema.JsonSchemaValueException) as caught:
            self.validate(document)
        return str(caught.exception)

    def test_it_accepts_what_the_check_accepts(self):
        all_of_them = definitions()
        self.assertGreaterEqual(len(all_of_them), 6, all_of_them.keys())
        for name, text in all_of_them.items():
            with self.subTest(name):
                self.validate(as_json(tomllib.loads(text)))

    def test_it_accepts_what_the_cases_define(self):
        count = 0
        for name, document in parts_of_cases():
            with self.subTest(name):
                self.validate(document)
                count += 1
        self.assertGreaterEqual(count, 150)

    def test_it_accepts_what_the_reader_strips(self):
        flights = as_json(tomllib.loads((ROOT / "examples/flights/coeval.toml").read_text()))
        next(iter(flights["view"].values()))["windows"] = [" 7d  offset 7d", "3h ", "all"]
        self.validate(flights)

    def test_it_refuses_a_key_that_the_check_does_not_know(self):
        flights = as_json(tomllib.loads((ROOT / "examples/flights/coeval.toml").read_text()))
        places = [(), ("project",), ("source", "flights"), ("model", "late"), ("model", "late", "split"),
                  ("model", "late", "question")]
        for place in places:
            changed = copy.deepcopy(flights)
            table = changed
            for key in place:
                table = table[key]
            table["colour"] = "blue"
            with self.subTest(place):
                self.assertIn("colour", self.refuses(changed))

    def test_it_refuses_values_of_other_kinds(self):
        flights = as_json(tomllib.loads((ROOT / "examples/flights/coeval.toml").read_text()))
        view = next(iter(flights["view"]))
        for place, value in [(("view", view, "windows"), "3h"), (("view", view, "windows"), ["3 hours"]),
                             (("view", view, "by"), "origin"), (("model", "late", "trainer"), "sklearn"),
                             (("model", "late", "inputs"), "origin.*"), (("model", "late", "seed"), 1.5),
                             (("source", "flights", "columns"), {"date": "datetime"}), (("project", "name"), "a b"),
                             (("view", view, "windows"), []), (("view", view, "where"), "delay > 0"),
                             (("model", "late", "seed"), -1), (("model", "late", "gate"), {"auc": ">= x"})]:
            changed = copy.deepcopy(flights)
            table = changed
            for key in place[:-1]:
                table = table[key]
            table[place[-1]] = value
            with self.subTest(place):
                self.refuses(changed)

    def test_it_knows_the_checks(self):
        text = (ROOT / "fuzz/corpus/define/checks.toml").read_text()
        self.validate(as_json(tomllib.loads(text)))
        for right, wrong in [('row = "origin <> tail"', 'rwo = "origin <> tail"'), ("strictly = true", 'strictly = "yes"'),
                             ("p = 0.99, ", ""), ('to = "aircraft.tail"', 'two = "aircraft.tail"'), ("max = 0.1", "max = 10"),
                             ('["train"]', '["test"]'), ('{ max = "warn" }', '{ max = "info" }'), ("max_length = 6", "max_length = -1"),
                             ('rows = ""', 'rows = "delay"'), ("max_bad_ratio = 0.01", "max_bad_ratio = 1.5")]:
            changed = text.replace(right, wrong, 1)
            with self.subTest(wrong):
                self.assertNotEqual(changed, text)
                self.refuses(as_json(tomllib.loads(changed)))

    def test_every_function_is_in_it_with_its_example(self):
        reference = (ROOT / "docs/language.md").read_text()
        told = self.schema["definitions"]["expression"]["description"]
        names = re.findall(r"^\| `(\w+)\(", reference[reference.index("### Functions"):], re.M)
        self.assertGreaterEqual(len(names), 60)
        for name in names:
            self.assertIn("\n" + name + "(", told)
        aggregates = self.schema["definitions"]["aggregate"]["description"]
        for name in ["count", "mean", "last_k", "decayed_sum", "top_k"]:
            self.assertIn("\n" + name + "(", aggregates)
