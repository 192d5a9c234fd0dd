"""Reads .case files for oracle.py: tables, and the values of cells."""

import datetime
import math
import re
from fractions import Fraction

EPOCH = datetime.datetime(1970, 1, 1)
DAY_US = 86_400_000_000
UNITS = {"us": 1, "ms": 1000, "s": 10**6, "min": 60 * 10**6, "h": 3600 * 10**6, "d": DAY_US, "w": 7 * DAY_US}
TYPES = {"bool", "int32", "int64", "float32", "float64", "string", "timestamp", "date"}
LIST = re.compile(r"list<([\w(),]+)>(\(\d+\))?")
DECIMAL = re.compile(r"decimal\(\d+,\d+\)")


class Unknown(Exception):
    """Something of the language that this oracle does not know."""


class CaseError(Exception):
    """A case that cannot be read."""


class Time(int):
    """Microseconds since the epoch."""


class Date(int):
    """Days since the epoch."""


class Duration(int):
    """Microseconds."""


class Dec(Fraction):
    """An exact value of a decimal type with `scale` digits after the point."""

    def __new__(cls, value, scale):
        self = super().__new__(cls, value)
        self._scale = scale
        if (self * 10**scale).denominator != 1:
            raise CaseError(f"{value} has more than {scale} digits after the point")
        return self

    @property
    def scale(self):
        return self._scale


def decimal(value, scale):
    """semantics V5: what 18 digits cannot hold is null."""
    return Dec(value, scale) if abs(value) * 10**scale < 10**18 else None


def decimal_text(value):
    """All digits of the scale."""
    digits = str(abs(int(value * 10**value.scale))).rjust(value.scale + 1, "0")
    cut = len(digits) - value.scale
    return ("-" if value < 0 else "") + digits[:cut] + ("." + digits[cut:] if value.scale else "")


class Table:
    def __init__(self):
        self.columns = []  # (name, type)
        self.features = []
        self.rows = []  # (line number, cells); a cell is (text, quoted)


class Case:
    def __init__(self, file, line, title):
        self.file, self.line, self.title = file, line, title
        self.definition, self.events, self.ask, self.refused = [], {}, None, False


ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}
WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


def unescaped(text):
    return re.sub(r"\\(?:u\{([0-9A-Fa-f]+)\}|(.))",
                  lambda m: chr(int(m[1], 16)) if m[1] else ESCAPES.get(m[2], m[2]), text)


def words_of(line):
    words = []
    for match in WORD.finditer(line):
        if match[2] and match[2].startswith("#"):
            break
        words.append((unescaped(match[1]), True) if match[2] is None else (match[2], False))
    return words


def heading_of(word, case):
    name, _, kind = word.rstrip("!").partition(":")
    if name in ("ts", "known", "at"):
        return name, "timestamp"
    if not kind and case.ask is not None:
        for table in case.events.values():
            kind = dict(table.columns).get(name, kind)
    kind = kind or "string"
    if kind not in TYPES and not LIST.fullmatch(kind) and not DECIMAL.fullmatch(kind):
        raise CaseError(f"no type {kind}")
    return name, kind


def read_cases(path):
    cases, section, table = [], None, None
    for number, raw in enumerate(path.read_text().split("\n"), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("== "):
            cases.append(Case(path, number, line[3:].strip()))
            section = None
            continue
        case = cases[-1]
        first, _, rest = line.partition(" ")
        keyword = not line.startswith("[") and not rest.strip().startswith("=")
        if line.startswith("["):
            section = "definition"
        elif keyword and first == "events":
            section, table = "table", Table()
            case.events[rest.split("#")[0].strip() or "events"] = table
            continue
        elif keyword and first == "ask":
            section, table = "table", Table()
            case.ask = table
            continue
        elif keyword and first in ("refused", "dropped"):
            section = None
            case.refused = case.refused or first == "refused"
            continue
        if section == "definition":
            case.definition.append(line)
        elif section == "table":
            read_row(case, table, number, line)
    return cases


def read_row(case, table, number, line):
    words = words_of(line)
    if table.columns:
        table.rows.append((number, [w for w in words if w != ("|", False)]))
        return
    texts = [text for text, _ in words]
    if case.ask is table:
        bar = texts.index("|")
        texts, table.features = texts[:bar], texts[bar + 1:]
    table.columns = [heading_of(text, case) for text in texts]


def parse_time(text):
    if re.fullmatch(r"\d+:.*", text):
        text = "2024-01-01T" + text
    match = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?(Z)?", text)
    if not match:
        raise CaseError(f"no time: {text}")
    y, mo, d, h, mi, s = (int(g or 0) for g in match.groups()[:6])
    fraction = int((match[7] or "0").ljust(6, "0"))
    delta = datetime.datetime(y, mo, d, h, mi, s) - EPOCH
    return Time(delta.days * DAY_US + delta.seconds * 10**6 + fraction)


def parse_duration(text):
    match = re.fullmatch(r"(\d+)(us|ms|s|min|h|d|w)", text)
    if not match:
        raise Unknown(f"duration {text}")
    return Duration(int(match[1]) * UNITS[match[2]])


def narrowed(value):
    """The float32 nearest to an exact value."""
    if isinstance(value, float):
        if value != value or math.isinf(value):
            return value
        if value == 0:
            return value
        value = Fraction(value)
    return rounded(value, 24, -149, Fraction(2) ** 128)


def rounded(value, precision=53, lowest=-1074, beyond=Fraction(2) ** 1024):
    """An exact value to a binary float, half to even."""
    value = Fraction(value)
    if value == 0:
        return 0.0
    magnitude = abs(value)
    exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    if Fraction(2) ** exponent > magnitude:
        exponent -= 1
    step = Fraction(2) ** max(exponent - precision + 1, lowest)
    whole, rest = divmod(magnitude / step, 1)
    whole = int(whole)
    if rest > Fraction(1, 2) or (rest == Fraction(1, 2) and whole % 2):
        whole += 1
    result = whole * step
    sign = -1 if value < 0 else 1
    if result >= beyond:
        return sign * math.inf
    return math.copysign(float(result), sign)


def read_float(text, narrow):
    if text in ("nan", "inf", "-inf"):
        return float(text)
    if "/" in text:
        p, q = text.split("/")
        exact = Fraction(p) / Fraction(q)
        if narrowed(Fraction(p)) != Fraction(p) if narrow else float(p) != Fraction(p):
            raise CaseError(f"{p} is rounded before it is divided")
        return narrowed(exact) if narrow else rounded(exact)
    if "x" in text:
        value = float.fromhex(text)
        return narrowed(value) if narrow else value
    if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", text):
        raise CaseError(f"no number: {text}")
    if narrow:
        exact = Fraction(text)
        return math.copysign(narrowed(exact), -1 if text.startswith("-") else 1)
    return float(text)


def read_value(cell, kind, time=None):
    text, quoted = cell
    if not quoted and text == "null":
        return None
    if kind == "string":
        return text
    if match := LIST.fullmatch(kind):
        return [read_value((part, False), match[1]) for part in text.strip("[]").split(",")]
    if kind == "bool":
        return {"true": True, "false": False}[text]
    if kind in ("float32", "float64"):
        return read_float(text, kind == "float32")
    if kind == "timestamp":
        if time is not None and text == "=":
            return Time(time)
        if time is not None and text[0] in "+-":
            return Time(time + (1 if text[0] == "+" else -1) * parse_duration(text[1:]))
        return parse_time(text)
    if kind == "date":
        return Date(parse_time(text) // DAY_US)
    if kind.startswith("decimal"):
        return Dec(Fraction(text), int(kind.rstrip(")").split(",")[1]))
    return int(text)
