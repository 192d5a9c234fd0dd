"""Evaluates the expressions that the cases use, for oracle.py: SQL's nulls, IEEE's floats, 64-bit integers."""

import datetime
import math
import re
from fractions import Fraction

from oracle_cases import (DAY_US, EPOCH, UNITS, Date, Dec, Duration, Time, Unknown, decimal, decimal_text, narrowed,
                          parse_time, rounded)

TOKEN = re.compile(r"""\s*(?:
    (?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?)(?P<unit>us|ms|s|min|h|d|w)?(?![\w.])
  | (?P<name>[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*)?)
  | (?P<text>'(?:[^']|'')*') | "(?P<quoted>[^"]*)"
  | (?P<sign><=|>=|<>|!=|==|[-+*/%()<>=,\[\]])
)""", re.X)


def tokens_of(text):
    tokens, at = [], 0
    text = text.strip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match or match.end() == at:
            raise Unknown(f"expression {text!r}")
        at = match.end()
        if match["number"]:
            value = match["number"]
            if match["unit"]:
                tokens.append(("value", Duration(Fraction(value) * UNITS[match["unit"]])))
            else:
                tokens.append(("value", int(value) if value.isdigit() else float(value)))
        elif match["name"]:
            tokens.append(("name", match["name"]))
        elif match["text"]:
            tokens.append(("value", match["text"][1:-1].replace("''", "'")))
        elif match["quoted"] is not None:
            tokens.append(("column", match["quoted"]))
        else:
            tokens.append(("sign", match["sign"]))
    return tokens


INT64 = 2**63


def integer(value):
    """semantics V5: what int64 cannot hold is null."""
    return value if -INT64 <= value < INT64 else None


def is_int(value):
    return type(value) is int


def compare(a, b):
    """-1, 0, 1; None where IEEE says that nothing holds (NaN)."""
    if isinstance(a, str):
        a, b = a.encode(), b.encode()
    elif isinstance(a, float) or isinstance(b, float):
        a, b = float(a), float(b)  # of a decimal the nearest float
        if a != a or b != b:
            return None
    return (a > b) - (a < b)


class Parser:
    """Makes closures env -> value of an expression."""

    def __init__(self, text, zone):
        self.tokens, self.at, self.zone = tokens_of(text), 0, zone
        self.whole = text

    def parse(self):
        result = self.disjunction()
        if self.at != len(self.tokens):
            raise Unknown(f"expression {self.whole!r}")
        return result

    def peek(self, *words):
        if self.at >= len(self.tokens):
            return False
        kind, value = self.tokens[self.at]
        return kind in ("name", "sign") and str(value).lower() in words

    def take(self, *words):
        if not self.peek(*words):
            return None
        self.at += 1
        return str(self.tokens[self.at - 1][1]).lower()

    def expect(self, word):
        if not self.take(word):
            raise Unknown(f"expression {self.whole!r}")

    def disjunction(self):
        left = self.conjunction()
        while self.take("or"):
            left = self.logic(left, self.conjunction(), True)
        return left

    def conjunction(self):
        left = self.negation()
        while self.take("and"):
            left = self.logic(left, self.negation(), False)
        return left

    @staticmethod
    def logic(left, right, decides):
        def evaluate(env):
            a, b = left(env), right(env)
            if a is decides or b is decides:
                return decides
            return None if a is None or b is None else not decides
        return evaluate

    def negation(self):
        if self.take("not"):
            inner = self.negation()
            return lambda env: None if (v := inner(env)) is None else not v
        return self.comparison()

    def comparison(self):
        left = self.sum()
        while True:
            if sign := self.take("=", "==", "<>", "!=", "<", "<=", ">", ">="):
                left = self.compared(sign, left, self.sum())
            elif self.take("is"):
                negated = bool(self.take("not"))
                if self.take("distinct"):
                    self.expect("from")
                    left = self.distinct(left, self.sum(), negated)
                else:
                    self.expect("null")
                    left = (lambda inner, n: lambda env: (inner(env) is None) != n)(left, negated)
            elif self.peek("in", "between", "like") or self.peek("not"):
                left = self.membership(left)
            else:
                return left

    @staticmethod
    def compared(sign, left, right):
        holds = {"=": (0,), "==": (0,), "<>": (-1, 1, None), "!=": (-1, 1, None), "<": (-1,), "<=": (-1, 0),
                 ">": (1,), ">=": (1, 0)}[sign]

        def evaluate(env):
            a, b = left(env), right(env)
            return None if a is None or b is None else compare(a, b) in holds
        return evaluate

    @staticmethod
    def distinct(left, right, negated):
        def evaluate(env):
            a, b = left(env), right(env)
            if a is None or b is None:
                same = a is None and b is None
            elif isinstance(a, float) and a != a:
                same = isinstance(b, float) and b != b
            else:
                same = compare(a, b) == 0
            return same if negated else not same
        return evaluate

    def membership(self, left):
        negated = bool(self.take("not"))
        if self.take("in"):
            self.expect("(")
            options = self.arguments()
            tests = [self.compared("=", left, option) for option in options]
            inner = tests[0]
            for test in tests[1:]:
                inner = self.logic(inner, test, True)
        elif self.take("between"):
            low = self.sum()
            self.expect("and")
            inner = self.logic(self.compared(">=", left, low), self.compared("<=", left, self.sum()), False)
        else:
            self.expect("like")
            kind, pattern = self.tokens[self.at]
            self.at += 1
            regex = re.compile("".join({"%": "(?s:.*)", "_": "(?s:.)"}.get(c, re.escape(c)) for c in pattern))
            inner = lambda env: None if (v := left(env)) is None else regex.fullmatch(v) is not None
        if not negated:
            return inner
        return lambda env: None if (v := inner(env)) is None else not v

    def sum(self):
        left = self.product()
        while sign := self.take("+", "-"):
            left = self.arithmetic(sign, left, self.product())
        return left

    def product(self):
        left = self.unary()
        while sign := self.take("*", "/", "%"):
            left = self.arithmetic(sign, left, self.unary())
        return left

    @staticmethod
    def arithmetic(sign, left, right):
        def evaluate(env):
            a, b = left(env), right(env)
            if a is None or b is None:
                return None
            return calculated(sign, a, b)
        return evaluate

    def unary(self):
        if self.take("-"):
            inner = self.unary()
            return lambda env: None if (v := inner(env)) is None else (
                integer(-v) if is_int(v) else Dec(-v, v.scale) if isinstance(v, Dec) else type(v)(-v))
        return self.primary()

    def primary(self):
        if self.take("("):
            inner = self.disjunction()
            self.expect(")")
            return inner
        if self.at >= len(self.tokens):
            raise Unknown(f"expression {self.whole!r}")
        kind, value = self.tokens[self.at]
        self.at += 1
        if kind == "value":
            return lambda env: value
        if kind == "column":
            return self.column(value)
        if kind == "sign" and value == "[":
            return self.list_of(self.arguments("]"))
        if kind == "sign":
            raise Unknown(f"expression {self.whole!r}")
        word = value.lower()
        if word in ("true", "false", "null"):
            return lambda env: {"true": True, "false": False, "null": None}[word]
        if word == "case":
            return self.case()
        if word in ("timestamp", "date") and self.at < len(self.tokens) and self.tokens[self.at][0] == "value":
            text = self.tokens[self.at][1]
            self.at += 1
            time = parse_time(text)
            return (lambda env: time) if word == "timestamp" else (lambda env: Date(time // DAY_US))
        if word == "decimal" and self.at < len(self.tokens) and self.tokens[self.at][0] == "value":
            text = self.tokens[self.at][1]
            self.at += 1
            constant = Dec(Fraction(text), len(text.partition(".")[2]))
            return lambda env: constant
        if word in ("cast", "try_cast") and self.take("("):
            inner = self.disjunction()
            self.expect("as")
            target = self.tokens[self.at][1].lower()
            self.at += 1
            if target == "decimal":
                self.expect("(")
                digits = [option({}) for option in self.arguments()]
                self.expect(")")
                return lambda env: cast_to_decimal(inner(env), *digits)
            self.expect(")")
            return lambda env: cast(inner(env), target, self.zone)
        if self.take("("):
            return self.call(word, self.arguments())
        return self.column(value)

    def column(self, name):
        def evaluate(env):
            if name not in env:
                raise Unknown(f"name {name!r}")
            value = env[name]
            return value(env) if callable(value) else value
        return evaluate

    def arguments(self, end=")"):
        if self.take(end):
            return []
        found = [self.disjunction()]
        while self.take(","):
            found.append(self.disjunction())
        self.expect(end)
        return found

    @staticmethod
    def list_of(elements):
        def evaluate(env):
            values = [element(env) for element in elements]
            return [float(v) for v in values] if any(isinstance(v, float) for v in values) else values
        return evaluate

    def case(self):
        subject = None if self.peek("when") else self.disjunction()
        branches, otherwise = [], lambda env: None
        while self.take("when"):
            condition = self.disjunction()
            if subject is not None:
                condition = self.compared("=", subject, condition)
            self.expect("then")
            branches.append((condition, self.disjunction()))
        if self.take("else"):
            otherwise = self.disjunction()
        self.expect("end")

        def evaluate(env):
            for condition, result in branches:
                if condition(env) is True:
                    return result(env)
            return otherwise(env)
        return evaluate

    def call(self, name, args):
        if name == "if":
            return lambda env: args[1](env) if args[0](env) is True else args[2](env)
        if name == "coalesce":
            return lambda env: next((v for a in args if (v := a(env)) is not None), None)
        if name == "nullif":
            same = self.compared("=", args[0], args[1])
            return lambda env: None if same(env) is True else args[0](env)
        function = FUNCTIONS.get(name)
        if function is None:
            raise Unknown(f"function {name}")

        def evaluate(env):
            values = [a(env) for a in args]
            if any(v is None for v in values):
                return None
            return function(self.zone, *values)
        return evaluate


def calculated(sign, a, b):
    durations = (Time, Date, Duration)
    if isinstance(a, durations) or isinstance(b, durations):
        if isinstance(a, Duration) and isinstance(b, Duration) and sign == "/":
            return rounded(Fraction(int(a), int(b))) if b else math.nan
        if sign not in "+-" or isinstance(a, Date) or isinstance(b, Date):
            raise Unknown(f"{sign} of times")
        value = int(a) + int(b) if sign == "+" else int(a) - int(b)
        is_time = isinstance(a, Time) != isinstance(b, Time)
        return Time(value) if is_time else Duration(value)
    if isinstance(a, Dec) or isinstance(b, Dec):
        return of_decimals(sign, a, b)
    if sign == "%":
        if b == 0:
            return None
        return integer(int(math.fmod(a, b)) if abs(a) < 2**53 and abs(b) < 2**53 else a - b * int(Fraction(a, b)))
    if sign == "/":
        if is_int(b) and b == 0:
            return None
        return quotient(float(a), float(b))
    if is_int(a) and is_int(b):
        return integer(a + b if sign == "+" else a - b if sign == "-" else a * b)
    a, b = float(a), float(b)
    return a + b if sign == "+" else a - b if sign == "-" else a * b


def of_decimals(sign, a, b):
    """Exact where both are decimals or integers; else of the nearest floats."""
    if isinstance(a, float) or isinstance(b, float):
        if sign == "/" and b == 0 and isinstance(b, Dec):
            return None
        return calculated(sign, float(a), float(b))
    x, y = Fraction(a), Fraction(b)
    s, t = getattr(a, "scale", 0), getattr(b, "scale", 0)
    if sign == "/":
        return rounded(x / y) if y else None
    if sign == "*":
        return decimal(x * y, s + t)
    if sign == "%":
        raise Unknown("% of decimals")
    return decimal(x + y if sign == "+" else x - y, max(s, t))


def cast_to_decimal(value, precision, scale):
    if value is None:
        return None
    if isinstance(value, str):
        if not re.fullmatch(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*", value):
            return None
        exact = Fraction(value.strip())
        if (exact * 10**scale).denominator != 1:
            return None
    elif isinstance(value, float) and not math.isfinite(value):
        return None
    else:
        exact = Fraction(round(Fraction(value) * 10**scale), 10**scale)  # half to even
    return Dec(exact, scale) if abs(exact) * 10**scale < 10**precision else None


def quotient(a, b):
    if b == 0:
        if a == 0 or a != a:
            return math.nan
        return math.copysign(math.inf, a) * math.copysign(1, b)
    return a / b


def civil(time, zone):
    if isinstance(time, Date):
        return EPOCH + datetime.timedelta(days=int(time))
    moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(microseconds=int(time))
    return moment.astimezone(zone).replace(tzinfo=None)


def utc_of(local, zone):
    """The first moment of a local time: a gap begins where clocks are put forward."""
    aware = local.replace(tzinfo=zone, fold=0)
    moment = aware.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    delta = moment - EPOCH
    return Time(delta.days * DAY_US + delta.seconds * 10**6 + delta.microseconds)


def half_away(x, digits=0):
    if is_int(x) and digits >= 0:
        return x
    if isinstance(x, Dec):
        if digits >= x.scale:
            return x
        power = Fraction(10) ** digits
        sign = -1 if x < 0 else 1
        return decimal(sign * Fraction(int(abs(x) * power + Fraction(1, 2))) / power, max(digits, 0))
    if isinstance(x, float) and (x != x or math.isinf(x)):
        return x
    scale = Fraction(10) ** digits
    scaled = abs(Fraction(x)) * scale
    whole = int(scaled + Fraction(1, 2))
    result = Fraction(whole) / scale * (-1 if x < 0 else 1)
    return int(result) if is_int(x) else math.copysign(rounded(result), x)


def substr(_, text, start, length=None):
    begin = start - 1 if start > 0 else len(text) + start if start < 0 else -1
    end = len(text) if length is None else begin + length
    return text[max(begin, 0):max(end, 0)]


def split_part(_, text, separator, n):
    parts = text.split(separator) if separator else [text]
    index = n - 1 if n > 0 else len(parts) + n
    return parts[index] if n != 0 and 0 <= index < len(parts) else ""


def of_one_type(choose):
    """Decimals and integers are brought to one scale; what does not fit there is null."""
    def chosen(zone, *values):
        if any(isinstance(v, Dec) for v in values) and not any(isinstance(v, float) for v in values):
            scale = max(getattr(v, "scale", 0) for v in values)
            values = [decimal(Fraction(v), scale) for v in values]
        return None if None in values else choose(zone, *values)
    return chosen


@of_one_type
def largest(_, *values):
    return max(values, key=lambda v: (v != v, v)) if not isinstance(values[0], str) else max(values, key=str.encode)


@of_one_type
def smallest(_, *values):
    return min(values, key=lambda v: (v != v, v)) if not isinstance(values[0], str) else min(values, key=str.encode)


def bucketize(_, x, *bounds):
    return len(bounds) if x != x else sum(1 for b in bounds if b <= x)


def cast(value, target, zone):
    if value is None:
        return None
    if target == "string":
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, Date):
            return civil(value, zone).strftime("%Y-%m-%d")
        if isinstance(value, Time):
            text = (EPOCH + datetime.timedelta(microseconds=int(value))).isoformat()
            return text + "Z"
        if is_int(value):
            return str(value)
        if isinstance(value, Dec):
            return decimal_text(value)
        if isinstance(value, str):
            return value
        raise Unknown("text of a float")
    if target in ("int32", "int64"):
        bits = 31 if target == "int32" else 63
        if isinstance(value, bool):
            return int(value)
        if isinstance(value, str):
            if not re.fullmatch(r" *[-+]?\d+ *", value):
                return None
            number = int(value)
        elif isinstance(value, float):
            if value != value or math.isinf(value):
                return None
            number = round(Fraction(value))
        elif isinstance(value, Dec):
            number = round(Fraction(value))  # half to even
        else:
            number = int(value)
        return number if -(2**bits) <= number < 2**bits else None
    if target in ("float64", "float32"):
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                return None
        if isinstance(value, Dec):
            return narrowed(Fraction(value)) if target == "float32" else rounded(value)
        return narrowed(float(value)) if target == "float32" else float(value)
    if target == "bool":
        if isinstance(value, str):
            raise Unknown("text as bool")
        return value != 0
    if target == "date":
        if isinstance(value, Time):
            return Date((civil(value, zone) - EPOCH).days)
        if isinstance(value, str):
            return Date(parse_time(value) // DAY_US)
        return value
    if target == "timestamp":
        if isinstance(value, str):
            return parse_time(value)
        if isinstance(value, Date):
            return utc_of(civil(value, zone), zone)
        return value
    raise Unknown(f"cast to {target}")


def date_trunc(zone, unit, time):
    local = civil(time, zone)
    local = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "week":
        local -= datetime.timedelta(days=local.weekday())
    elif unit in ("month", "quarter", "year"):
        month = {"month": local.month, "quarter": local.month - (local.month - 1) % 3, "year": 1}[unit]
        local = local.replace(day=1, month=month)
    elif unit != "day":
        raise Unknown(f"date_trunc to {unit}")
    return Date((local - EPOCH).days) if isinstance(time, Date) else utc_of(local, zone)


def only_exact(found, exact):
    """Where a mathematical function has a value that a float holds; this oracle knows no others."""
    if not exact:
        raise Unknown("a value that is no short binary fraction")
    return found


FUNCTIONS = {
    "exp": lambda _, x: only_exact(1.0, x == 0),
    "log1p": lambda _, x: only_exact(float(x), x == 0),
    "log2": lambda _, x: only_exact(float(math.frexp(x)[1] - 1), x > 0 and math.frexp(x)[0] == 0.5),
    "pow": lambda _, x, y: only_exact(float(Fraction(x) ** int(y)), y == int(y) >= 0 and x == int(x * 4) / 4),
    "abs": lambda _, x: integer(abs(x)) if is_int(x) else Dec(abs(x), x.scale) if isinstance(x, Dec) else
        type(x)(abs(x)),
    "sign": lambda _, x: x if x != x else (int if isinstance(x, Dec) else type(x))((x > 0) - (x < 0)),
    "floor": lambda _, x: Dec(math.floor(x), 0) if isinstance(x, Dec) else x if is_int(x) or math.isinf(x) or x != x else math.copysign(float(math.floor(x)), x),
    "ceil": lambda _, x: Dec(math.ceil(x), 0) if isinstance(x, Dec) else x if is_int(x) or math.isinf(x) or x != x else math.copysign(float(math.ceil(x)), x),
    "trunc": lambda _, x: Dec(math.trunc(x), 0) if isinstance(x, Dec) else x if is_int(x) else math.copysign(float(math.trunc(x)), x),
    "round": lambda _, x, digits=0: half_away(x, digits),
    "sqrt": lambda _, x: math.sqrt(x) if x >= 0 else math.nan,
    "least": smallest,
    "greatest": largest,
    "clamp": lambda _, x, low, high: x if x != x else min(max(x, low), high),
    "length": lambda _, s: len(s),
    "lower": lambda _, s: s.lower(),
    "upper": lambda _, s: "".join(c.upper() if len(c.upper()) == 1 else c for c in s),
    "trim": lambda _, s: s.strip(" "),
    "ltrim": lambda _, s: s.lstrip(" "),
    "rtrim": lambda _, s: s.rstrip(" "),
    "concat": lambda _, *parts: "".join(parts),
    "replace": lambda _, s, old, new: s.replace(old, new) if old else s,
    "substr": substr,
    "split_part": split_part,
    "contains": lambda _, s, part: part in s,
    "starts_with": lambda _, s, part: s.startswith(part),
    "ends_with": lambda _, s, part: s.endswith(part),
    "regexp_like": lambda _, s, pattern: re.search(pattern, s) is not None,
    "cross": lambda _, *parts: "|".join(
        (p if isinstance(p, str) else cast(p, "string", None)).replace("\\", "\\\\").replace("|", "\\|")
        for p in parts),
    "bucketize": bucketize,
    "width_bucket": lambda _, x, low, high, n: n + 1 if x != x or x >= high else 0 if x < low else
        1 + int((Fraction(x) - Fraction(low)) * n / (Fraction(high) - Fraction(low))),
    "year": lambda zone, t: civil(t, zone).year,
    "quarter": lambda zone, t: (civil(t, zone).month + 2) // 3,
    "month": lambda zone, t: civil(t, zone).month,
    "week": lambda zone, t: civil(t, zone).isocalendar()[1],
    "day": lambda zone, t: civil(t, zone).day,
    "day_of_year": lambda zone, t: civil(t, zone).timetuple().tm_yday,
    "weekday": lambda zone, t: civil(t, zone).weekday(),
    "is_weekend": lambda zone, t: civil(t, zone).weekday() >= 5,
    "hour": lambda zone, t: civil(t, zone).hour,
    "minute": lambda zone, t: civil(t, zone).minute,
    "second": lambda zone, t: civil(t, zone).second,
    "minute_of_day": lambda zone, t: civil(t, zone).hour * 60 + civil(t, zone).minute,
    "date_trunc": date_trunc,
    "age": lambda _, a, b: Duration(int(a) - int(b)),
    "seconds": lambda _, x: Duration(round(Fraction(x) * 10**6)),
    "minutes": lambda _, x: Duration(round(Fraction(x) * 60 * 10**6)),
    "hours": lambda _, x: Duration(round(Fraction(x) * 3600 * 10**6)),
    "days": lambda _, x: Duration(round(Fraction(x) * DAY_US)),
}
