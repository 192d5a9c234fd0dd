#!/usr/bin/env python3
"""Checks the expectations of tests/cases by brute force: Python's integers and fractions, no code of coeval.

    oracle.py [FILE.case]...          check; exit 1 on a wrong expectation
    oracle.py --fill [FILE.case]...   write what it finds in place of each ? of a table of questions

It looks at every event for every question, and knows the expressions that the cases use. What it does not know it
skips, and says how many that were.
"""

import datetime
import json
import math
import pathlib
import re
import struct
import sys
import tomllib
import zoneinfo
from fractions import Fraction

import oracle_lists  # noqa: F401: what it knows of lists
from oracle_aggregates import Aggregate, window_bounds
from oracle_cases import DAY_US, EPOCH, CaseError, Date, Dec, Unknown, decimal_text, parse_duration, parse_time, read_cases, read_float, read_value
from oracle_expressions import Parser
from oracle_names import Names

HERE = pathlib.Path(__file__).resolve().parent
zoneinfo.reset_tzpath([HERE.parent.parent / "third_party/tzdata/zoneinfo"])


VIEW_WORDS = {"from", "by", "windows", "lateness"}


def constant(value):
    if isinstance(value, datetime.datetime):
        return parse_time(value.isoformat())
    if isinstance(value, datetime.date):
        return Date((value - EPOCH.date()).days)
    return value


def json_value(path, kind, env):
    """The value at the end of a path such as payload.card."odd key"[0], as a JSON line would have it."""
    steps = re.findall(r'"((?:[^"]|"")*)"|\[(\d+)\]|([^".\[\]]+)', path)
    text = env[steps[0][0] or steps[0][2]]
    at = None if text is None else json.loads(text, parse_float=Fraction)
    for quoted, index, plain in steps[1:]:
        if at is None:
            return None
        if index:
            at = at[int(index)] if int(index) < len(at) else None
        else:
            at = at.get(plain or quoted.replace('""', '"'))
    if at is None:
        return None
    if kind.startswith("decimal"):
        return Dec(Fraction(at), int(kind.rstrip(")").split(",")[1]))
    if kind in ("int32", "int64"):
        return int(at)
    if kind == "float64":
        return float(at)
    if kind == "date":
        return Date(at) if isinstance(at, int) else Date(parse_time(at) // DAY_US)
    return at


class Stale(Exception):
    """A feature with on_stale = "refuse" is stale: the question has no answer."""


class EventRow:
    """The names that a view's expressions may use for one event: its columns, and `lookup.column`."""

    def __init__(self, world, columns):
        self.world, self.columns = world, columns

    def __contains__(self, name):
        return name in self.columns or name.split(".")[0] in self.world.toml.get("lookup", {})

    def __getitem__(self, name):
        return self.columns[name] if name in self.columns else self.world.looked_up(name, self)

    def key(self, name):
        if name in self.columns or "." in name:
            return self[name]
        return Parser(self.world.toml["keys"][name], self.world.zone).parse()(self)


class World:
    def __init__(self, case):
        self.case = case
        self.toml = tomllib.loads("\n".join(case.definition))
        self.zone = zoneinfo.ZoneInfo(self.toml.get("project", {}).get("zone", "UTC"))
        self.constants = {name: constant(value) for name, value in self.toml.get("constants", {}).items()}
        self.events = {name: self.read_events(name, table) for name, table in case.events.items()}
        self.views = self.toml.get("view", {})
        self.names = {name: Names(self.toml.get("source", {}).get(name, {}), self.zone) for name in case.events}
        self.stood = {}  # (source, time of a question) -> its rows that count then

    def take_out(self, source, env):
        """Columns that are taken out of JSON text."""
        columns = self.toml.get("source", {}).get(source, {}).get("columns", {})
        for name, column in columns.items():
            if isinstance(column, dict) and "json" in column:
                env[name] = json_value(column["json"], column["type"], env)

    def read_events(self, source, table):
        rows = []
        for _, cells in table.rows:
            env, time = dict(self.constants), None
            for (name, kind), cell in zip(table.columns, cells):
                env[name] = read_value(cell, kind, time if name == "known" else None)
                if name == "ts":
                    time = env[name]
            env.setdefault("known", time)
            self.take_out(source, env)
            rows.append(env)
        return sorted(rows, key=lambda env: env["known"])  # position order; sorted() is stable

    def feature(self, name, question):
        """A value asked for by its name in the table's heading."""
        features = self.toml.get("features", {})
        if name in features:
            return Parser(features[name], self.zone).parse()(self.env(question))
        if name in question or name in self.toml.get("keys", {}):
            return self.key(name, question)
        if "." not in name and len(self.views) == 1:
            name = next(iter(self.views)) + "." + name
        if re.fullmatch(r"\w+\.\w+", name):
            return self.view_feature(name, question)
        return Parser(name, self.zone).parse()(self.env(question))

    def key(self, name, question):
        """What a view is asked with by its key of that name."""
        if name in question:
            return question[name]
        if name in self.toml.get("keys", {}):
            return Parser(self.toml["keys"][name], self.zone).parse()(self.env(question))
        if "." in name:
            return self.view_feature(name, question)
        raise Unknown(f"key {name}")

    def looked_up(self, name, event):
        """The newest row that was valid before the event's time and known before the event was."""
        lookup, column = name.split(".")
        table = self.toml["lookup"][lookup]
        key = [event.key(k) for k in table["by"]]
        rows = [row for row in self.events[table["from"]]
                if row["ts"] < event["ts"] and row["known"] < event["known"]
                and None not in key and [row[k] for k in table["by"]] == key]
        rows.sort(key=lambda row: row["ts"])  # stable: ties by position
        return rows[-1][column] if rows else None

    def env(self, question):
        env = dict(self.constants) | question

        class Names(dict):
            def __contains__(names, name):
                return dict.__contains__(names, name) or "." in name or name in self.toml.get("features", {}) \
                    or name in self.toml.get("keys", {})

            def __getitem__(names, name):
                return dict.__getitem__(names, name) if dict.__contains__(names, name) else self.feature(name, question)

        return Names(env)

    def view_feature(self, name, question):
        view_name, feature = name.split(".")
        if view_name in self.toml.get("lookup", {}):
            table = self.toml["lookup"][view_name]
            if feature not in table["columns"]:
                raise Unknown(f"column {name}")
            return self.answer(table, f'latest("{feature}")', "all", question)
        view = self.views.get(view_name)
        if view is None:
            raise Unknown(f"view {view_name}")
        for aggregate, text in view.items():
            if aggregate in VIEW_WORDS:
                continue
            for window in view["windows"]:
                if feature == f"{aggregate}_{window.replace(' ', '_')}":
                    return self.answer(view, text, window, question)
        raise Unknown(f"feature {name}")

    def standing(self, source, at):
        """The rows of a source that count for a question at a time, in position order."""
        if (source, at) not in self.stood:
            self.stood[source, at] = self.names[source].standing([env for env in self.events[source] if env["known"] < at])
        return self.stood[source, at]

    def answer(self, view, text, window, question):
        table = {"value": text} if isinstance(text, str) else text
        if not set(table) <= {"value", "default", "max_age", "on_stale"}:
            raise Unknown("an aggregate with " + ", ".join(table))
        source = view.get("from", next(iter(self.case.events)))
        if source not in self.events:
            raise Unknown(f"source {source}")
        at = question["at"]
        begin, end, length = window_bounds(window, at, self.zone)
        key = [self.key(column, question) for column in view["by"]]
        rows = [(env["ts"], event) for env in self.standing(source, at)
                for event in [EventRow(self, env)]
                if begin <= env["ts"] < end and None not in key
                and [event[column] for column in view["by"]] == key]
        rows.sort(key=lambda row: row[0])  # stable: ties by position
        aggregate = Aggregate(table["value"], self.zone)
        found = aggregate.value(at, length, rows)
        if "max_age" in table:
            if len(view["windows"]) > 1:
                raise Unknown("the age over the longest of several windows")
            kept = aggregate.kept(rows)
            if not kept or at - kept[-1] > parse_duration(table["max_age"]):
                if table.get("on_stale") == "refuse":
                    raise Stale
                return table.get("default") if table.get("on_stale", "default") == "default" else None
        return table.get("default") if found is None else found


def same(found, expected_cell):
    """Whether a cell's text says the value: floats bit by bit, any NaN as NaN."""
    text, quoted = expected_cell
    if found is None:
        return text == "null" and not quoted
    if text == "null" and not quoted:
        return False
    if isinstance(found, str):
        return text == found
    if isinstance(found, bool):
        return text == ("true" if found else "false")
    if isinstance(found, Dec):
        return Fraction(text) == found
    if isinstance(found, Date) and "-" in text[1:]:
        return parse_time(text) == found * DAY_US
    if isinstance(found, float):
        expected = read_float(text, False)
        return (found != found and expected != expected) or struct.pack("<d", found) == struct.pack("<d", expected)
    try:
        return int(text) == int(found)
    except ValueError:
        return False


def shown(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Dec):
        return decimal_text(value)
    if isinstance(value, float):
        if value == int(value) if math.isfinite(value) else False:
            return repr(int(value)) if abs(value) < 1e15 and math.copysign(1, value) == (1 if value >= 0 else -1) \
                and not (value == 0 and math.copysign(1, value) < 0) else repr(value)
        return repr(value)
    if isinstance(value, str):
        return value if re.fullmatch(r"[^\s\"#|\\]+", value) and value != "null" else \
            '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(int(value))


class Report:
    def __init__(self, fill):
        self.fill, self.cases, self.values, self.wrong, self.unknown, self.refused = fill, 0, 0, 0, [], 0
        self.filled = {}  # (path, line) -> [(index of the ?, text)]

    def check(self, case):
        if case.refused or case.ask is None:
            self.refused += 1
            return
        self.cases += 1
        try:
            world = World(case)
        except Unknown as unknown:
            self.unknown.append(f"{case.file.name}:{case.line}: {unknown}")
            return
        width = len(case.ask.columns)
        for line, cells in case.ask.rows:
            question = {name: read_value(cell, kind) for (name, kind), cell in zip(case.ask.columns, cells)}
            world.take_out("question", question)
            answers = list(zip(case.ask.features, cells[width:]))
            refused = self.is_refused(world, question, case.ask.features)
            if refused != any(cell == ("stale", False) for _, cell in answers):
                self.values, self.wrong = self.values + 1, self.wrong + 1
                print(f"{case.file}:{line}: the oracle " + ("refuses it" if refused else "has an answer"))
            elif refused:
                self.values += 1
            else:
                for name, cell in answers:
                    self.check_value(case, world, line, question, name, cell)

    @staticmethod
    def is_refused(world, question, names):
        for name in names:
            try:
                world.feature(name, question)
            except Stale:
                return True
            except Unknown:
                pass
        return False

    def check_value(self, case, world, line, question, name, cell):
        try:
            found = world.feature(name, question)
        except Unknown as unknown:
            self.unknown.append(f"{case.file.name}:{line}: {name}: {unknown}")
            return
        if isinstance(found, int) and not isinstance(found, bool) and cell[0] not in ("?", "null") \
                and re.search(r"[.eEx/]", cell[0]):
            found = float(found)
        if cell == ("?", False) and self.fill:
            self.filled.setdefault((case.file, line), []).append(shown(found))
            return
        self.values += 1
        try:
            good = same(found, cell)
        except (CaseError, ValueError):
            good = False
        if not good:
            self.wrong += 1
            print(f"{case.file}:{line}: {name}: the case says {cell[0]}, the oracle {shown(found)}")

    def write(self):
        for path in {path for path, _ in self.filled}:
            lines = path.read_text().split("\n")
            for (file, number), texts in self.filled.items():
                if file == path:
                    for text in texts:
                        lines[number - 1] = re.sub(r"(?<=\s)\?(?=\s|$)", lambda _: text, lines[number - 1], count=1)
            path.write_text("\n".join(lines))


def main(arguments):
    fill = "--fill" in arguments
    files = [pathlib.Path(a) for a in arguments if a != "--fill"] or sorted(HERE.glob("*.case"))
    report = Report(fill)
    for path in files:
        for case in read_cases(path):
            report.check(case)
    if fill:
        report.write()
    for unknown in report.unknown:
        print(f"skipped {unknown}")
    print(f"{report.cases} cases with questions, {report.values} values checked, {len(report.unknown)} skipped, "
          f"{report.refused} cases without questions, {report.wrong} wrong")
    return 1 if report.wrong or not report.values else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
