"""Row checks beside pandera and pandas: generated schemas over generated frames, the verdict of every row and rule.

A schema is a definition for coeval and, rule by rule, a check of pandera's for the same rule. Where the two differ by
what they mean, the frame or the check is written so that both are asked the same thing; these are the differences:

- pandas has one NaN for "null" and "not a number". A column that allows NaN (finite = false) is therefore compared
  with infinities only, and a float column is given nulls as pandas' NA.
- pandera's str_matches looks for a match at the beginning, coeval matches the whole text: the pattern is given to
  pandera between (?: and )\\Z. Python's \\d, \\w and \\s know Unicode, RE2's do not: the flag (?a) is set.
- pandera judges a frame and knows no rows that come in batches or that stay out: what depends on other rows
  (`increasing`, `refers`) is a check of whole frames for it, written over pandas' rows.
- pandera has no warnings beside errors in one verdict: the severity is compared by splitting its failures by rule.
- what is no UTF-8 cannot be a text of Python's: it is not compared here, but in checks_test.cc.
"""

import json
import os
import random
import subprocess
import sys

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

SCHEMAS = 120
ROWS = 60
DAY_US = 86_400_000_000
TYPES = ["int32", "int64", "float32", "float64", "decimal(6,2)", "string", "bool", "timestamp", "date"]
PANDAS = {"int32": "Int32", "int64": "Int64", "float32": "Float32", "float64": "Float64", "string": "string", "bool": "boolean"}
WORDS = ["", "a", "ab", "abc", "ABC", "A1", "ORD", "ATL", "äöü", "€", "a-b", "x_1", "12", "1234", "12-34", "ORD\n", "é1", "１"]
PATTERNS = ["[A-Z0-9]{3}", "\\d{2}-\\d{2}", "[a-z]+", "\\w*", ".{1,3}", "(?:ORD|ATL)", "[^A-Z]*", "a.*", "[A-Za-z]+[0-9]?", "(?i)ord|atl", "\\S+"]


class Rule:
    def __init__(self, name, fails, severity):
        self.name, self.fails, self.severity = name, fails, severity


class Column:
    def __init__(self, rng, name):
        self.name, self.type = name, rng.choice(TYPES)
        self.nullable = rng.random() < 0.6
        self.toml, self.checks, self.warn = {}, {}, set()
        getattr(self, "rules_" + ("string" if self.type == "string" else "bool" if self.type == "bool" else "ordered"))(rng)
        if self.type in ("float32", "float64"):
            if rng.random() < 0.5:
                self.toml["finite"] = "false"
            else:
                self.checks["finite"] = pa.Check(lambda s: ~s.isin([float("inf"), float("-inf")]))
        warnable = [rule for rule in self.checks if rule != "finite"]
        if warnable and rng.random() < 0.5:
            self.warn = set(rng.sample(warnable, rng.randint(1, len(warnable))))
            self.toml["severity"] = "{ " + ", ".join(f'{rule} = "warn"' for rule in sorted(self.warn)) + " }"

    def rules_bool(self, rng):
        pass

    def rules_string(self, rng):
        if rng.random() < 0.6:
            pattern = rng.choice(PATTERNS)
            self.toml["pattern"] = json.dumps(pattern)
            flags, rest = ("(?ai)", pattern[4:]) if pattern.startswith("(?i)") else ("(?a)", pattern)
            self.checks["pattern"] = pa.Check.str_matches(f"{flags}(?:{rest})\\Z")
        if rng.random() < 0.5:
            allowed = rng.sample(WORDS, rng.randint(1, 10))
            self.toml["enum"] = json.dumps(allowed)
            self.checks["enum"] = pa.Check.isin(allowed)
        if rng.random() < 0.5:
            least = rng.randint(0, 3)
            self.toml["min_length"] = str(least)
            self.checks["min_length"] = pa.Check.str_length(min_value=least)
        if rng.random() < 0.5:
            most = rng.randint(3, 5)
            self.toml["max_length"] = str(most)
            self.checks["max_length"] = pa.Check.str_length(max_value=most)

    def rules_ordered(self, rng):
        low, high = sorted(rng.sample(range(-8, 9), 2))
        if rng.random() < 0.7:
            self.toml["min"] = self.bound(low)
            self.checks["min"] = pa.Check.ge(self.compared(low))
        if rng.random() < 0.7:
            self.toml["max"] = self.bound(high)
            self.checks["max"] = pa.Check.le(self.compared(high))
        if self.type == "timestamp" and rng.random() < 0.5:
            days = rng.randint(0, 3)
            self.toml["max_ahead"] = f'"{days}d"' if days else '"1h"'
            limit = days * DAY_US if days else 3_600_000_000
            self.ahead = limit

    def bound(self, value):
        if self.type == "timestamp":
            return f"2001-01-{value + 15:02}T00:00:00Z"
        return f"2001-01-{value + 15:02}" if self.type == "date" else str(value)

    def compared(self, value):
        """The bound among the frame's values: times are numbers there, decimals are hundredths."""
        if self.type == "timestamp":
            return (value + 14 + 11323) * DAY_US  # 2001-01-01 is day 11323
        if self.type == "date":
            return value + 14 + 11323
        return value * 100 if self.type == "decimal(6,2)" else value

    def value(self, rng):
        """A value for the frame, and the same for coeval's JSON."""
        if rng.random() < 0.15:
            return None, None
        number = rng.randint(-10, 10)
        if self.type == "string":
            word = rng.choice(WORDS)
            return word, word
        if self.type == "bool":
            return number > 0, number > 0
        if self.type in ("float32", "float64"):
            if rng.random() < 0.1:
                infinite = rng.choice([float("inf"), float("-inf")])
                return infinite, "inf" if infinite > 0 else "-inf"
            return number + 0.5, number + 0.5
        if self.type == "decimal(6,2)":
            cents = rng.randint(-1000, 1000)
            sign = "-" if cents < 0 else ""
            return cents, f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02}"
        if self.type == "timestamp":
            hours = rng.randint(-300, 300)
            us = (14 + 11323) * DAY_US + hours * 3_600_000_000
            return us, str(pd.Timestamp(us, unit="us")).replace(" ", "T") + "Z"
        if self.type == "date":
            day = number + 14 + 11323
            return day, str(pd.Timestamp(day, unit="D").date())
        return number, number

    def declared(self):
        keys = "".join(f", {key} = {value}" for key, value in self.toml.items())
        return f'{self.name} = {{ type = "{self.type}", nullable = {str(self.nullable).lower()}{keys} }}'


NUMBERS = ("int32", "int64", "float32", "float64")


def passes(condition):
    """SQL: what is null passes."""
    return condition.astype("boolean").fillna(True)


class Schema:
    """A source "rows" with a time and some columns, and named checks."""

    def __init__(self, seed):
        rng = self.rng = random.Random(seed)
        self.columns = [Column(rng, f"c{i}") for i in range(rng.randint(1, 6))]
        self.named, self.checks, self.ordered, self.refers = [], {}, None, None
        self.add_conditions()
        if rng.random() < 0.35:
            self.ordered = (rng.choice(["seq", "ts"]), rng.random() < 0.5, rng.random() < 0.5)
            column, by, strictly = self.ordered
            self.declare("order", f'increasing = "{column}", by = [{chr(34) + "k" + chr(34) if by else ""}], strictly = {str(strictly).lower()}')
        if rng.random() < 0.35:
            self.refers = {key: rng.randint(0, 20) for key in rng.sample("abcde", 3)}
            self.declare("key", 'refers = "k", to = "other.key"')

    def declare(self, name, text, severity=None):
        severity = severity or self.rng.choice(["error", "warn"])
        self.checks[f"checks.{name}"] = severity
        self.named.append(f'{name} = {{ {text}, severity = "{severity}" }}')

    def add_conditions(self):
        rng = self.rng
        self.conditions = {}
        numbers = [c.name for c in self.columns if c.type in NUMBERS]
        strings = [c.name for c in self.columns if c.type == "string"]
        if len(numbers) > 1 and rng.random() < 0.8:
            a, b = rng.sample(numbers, 2)
            self.declare("less", f'row = "{a} < {b}"')
            self.conditions["checks.less"] = lambda f: passes(f[a].astype("Float64") < f[b].astype("Float64"))
        if numbers and rng.random() < 0.5:
            n = rng.choice(numbers)
            self.declare("either", f'row = "{n} > 0 or seq > 10"')
            # Kleene's or, as SQL's.
            self.conditions["checks.either"] = lambda f: passes((f[n] > 0).astype("boolean") | (f["seq"] > 10).astype("boolean"))
        if strings and rng.random() < 0.6:
            s = rng.choice(strings)
            self.declare("other", f"row = \"{s} <> 'ORD' and k is not null\"")
            self.conditions["checks.other"] = lambda f: passes((f[s] != "ORD").astype("boolean") & f["k"].notna().astype("boolean"))

    def definition(self):
        lines = ["[project]", 'name = "p"', "[source.rows]", 'time = "ts"', 'known = "ts + 1h"', "[source.rows.columns]",
                 'ts = "timestamp"', 'k = { type = "string", nullable = true }', 'seq = { type = "int64", nullable = true }']
        lines += [column.declared() for column in self.columns]
        if self.refers is not None:
            lines += ["[source.other]", 'time = "ts"', 'known = "event time"', "[source.other.columns]", 'ts = "timestamp"', 'key = "string"']
        if self.named:
            lines += ["[source.rows.checks]"] + self.named
        return "\n".join(lines) + "\n"

    def frame(self):
        rng, values, given = self.rng, [], []
        for i in range(ROWS):
            us = (14 + 11323) * DAY_US + (i + rng.randint(-3, 3)) * 3_600_000_000
            row = {"ts": us, "k": rng.choice(["a", "b", "c", "d", "e", None]), "seq": rng.choice([None, i, i, i + rng.randint(-4, 4)])}
            json_row = dict(row, ts=str(pd.Timestamp(us, unit="us")).replace(" ", "T") + "Z")
            for column in self.columns:
                row[column.name], json_row[column.name] = column.value(rng)
            values.append(row)
            given.append(json_row)
        frame = pd.DataFrame(values)
        for name, kind in [("ts", "Int64"), ("k", "string"), ("seq", "Int64")] + [(c.name, PANDAS.get(c.type, "Int64")) for c in self.columns]:
            frame[name] = pd.array([row[name] for row in values], dtype=kind)
        return frame, given

    def known(self):
        """The keys of the other source: when each became known, hours after the first row's time."""
        return [{"key": key, "us": (14 + 11323) * DAY_US + hours * 3_600_000_000} for key, hours in (self.refers or {}).items()]

    def pandera(self, bad):
        """The schema for pandera; `bad` says of rows which other rules keep out, for `order`."""
        columns = {"ts": pa.Column(), "k": pa.Column(nullable=True), "seq": pa.Column(nullable=True)}
        for column in self.columns:
            checks = []
            for rule, check in column.checks.items():
                check.error = f"{column.name}.{rule}"
                checks.append(check)
            columns[column.name] = pa.Column(nullable=column.nullable, checks=checks)
        whole = [pa.Check(condition, error=name) for name, condition in self.conditions.items()]
        for column in self.columns:
            if hasattr(column, "ahead"):
                whole.append(pa.Check(lambda f, c=column: passes(f[c.name] <= f["ts"] + 3_600_000_000 + c.ahead), error=column.name + ".max_ahead"))
        if self.refers is not None:
            first = {one["key"]: one["us"] for one in self.known()}
            whole.append(pa.Check(lambda f: passes(f["k"].map(first).astype("Int64") < f["ts"] + 3_600_000_000) & (f["k"].isna() | f["k"].isin(list(first))),
                                  error="checks.key"))
        if self.ordered is not None and bad is not None:
            whole.append(pa.Check(lambda f: self.in_order(f, bad), error="checks.order"))
        return pa.DataFrameSchema(columns, checks=whole)

    def in_order(self, frame, bad):
        column, by, strictly = self.ordered
        last, good = {}, []
        for i, row in enumerate(frame.itertuples()):
            value, key = getattr(row, column), (row.k if by else "")
            if pd.isna(value) or pd.isna(key):
                good.append(True)
                continue
            follows = key not in last or (value > last[key] if strictly else value >= last[key])
            good.append(follows)
            # docs/language.md: rows in quarantine are followed by none, a row that only warns like any other.
            stays = follows or self.severity("checks.order") == "warn"
            if stays and i not in bad:
                last[key] = value
        return pd.Series(good, index=frame.index)

    def severity(self, rule):
        if rule in self.checks:
            return self.checks[rule]
        column, name = rule.split(".")
        return next(("warn" if name in c.warn else "error") for c in self.columns if c.name == column)

    def expected(self, frame):
        broken = failures(self.pandera(None), frame)
        if self.ordered is not None:
            bad = {row for row, rule in broken if self.severity(rule) == "error"}
            broken |= failures(self.pandera(bad), frame)
        verdicts = {}
        for row, rule in broken:
            verdicts.setdefault(row, {"error": set(), "warn": set()})[self.severity(rule)].add(rule)
        return verdicts


def failures(schema, frame):
    """(row, rule) of all that pandera finds."""
    try:
        schema.validate(frame, lazy=True)
        return set()
    except SchemaErrors as errors:
        found = set()
        for error in errors.schema_errors:
            # A check of a whole frame names a row once for each of its columns.
            rule = f"{error.schema.name}.null" if error.reason_code.name == "SERIES_CONTAINS_NULLS" else error.check.error
            if error.reason_code.name == "CHECK_ERROR":
                raise AssertionError(f"pandera could not run {rule}: {error}") from None
            found |= {(int(i), rule) for i in error.failure_cases["index"]}
        return found


def answers(cases):
    text = "".join(json.dumps(case) + "\n" for case in cases)
    done = subprocess.run([os.environ["COEVAL_ROW_VERDICTS"]], input=text, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def main():
    schemas = [Schema(seed) for seed in range(SCHEMAS)]
    frames = [schema.frame() for schema in schemas]
    cases = []
    for schema, (_, given) in zip(schemas, frames):
        cut = schema.rng.randint(0, ROWS)
        cases.append({"definition": schema.definition(), "environment": "train", "batches": [given[:cut], given[cut:]], "known": schema.known()})
    passed = failed = verdicts = 0
    rules = set()
    for seed, (schema, (frame, _), answer) in enumerate(zip(schemas, frames, answers(cases))):
        if "problem" in answer:
            failed += 1
            print(f"schema {seed}: {answer['problem']}\n{schema.definition()}")
            continue
        ours = {v["row"]: {"error": set(v["error"]), "warn": set(v["warn"])} for v in answer["verdicts"]}
        theirs = schema.expected(frame)
        verdicts += sum(len(v["error"]) + len(v["warn"]) for v in theirs.values())
        rules |= {rule.split(".")[1] for v in theirs.values() for rule in v["error"] | v["warn"]}
        different = [row for row in sorted(ours.keys() | theirs.keys()) if ours.get(row) != theirs.get(row)]
        if different:
            failed += 1
            row = different[0]
            print(f"schema {seed}, row {row} of {len(different)}: coeval {ours.get(row)}, pandera {theirs.get(row)}\n"
                  f"{frame.iloc[row].to_dict()}\n{schema.definition()}")
        else:
            passed += 1
    missing = {"null", "min", "max", "finite", "pattern", "enum", "min_length", "max_length", "max_ahead", "less", "either", "other", "order", "key"} - rules
    if missing:
        failed += 1
        print("never broken:", sorted(missing))
    print(f"{SCHEMAS} schemas, {SCHEMAS * ROWS} rows, {verdicts} broken rules")
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
