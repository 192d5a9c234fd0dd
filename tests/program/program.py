"""The program under test, a small project made of seeded events, and a server of it."""

import datetime
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time

COEVAL = os.environ.get("COEVAL") or str(pathlib.Path(__file__).parents[2] / "build/bin/coeval")
SANITIZED = "ASAN_OPTIONS" in os.environ  # as ./dev test sets it for its asan and tsan builds
START = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
CUT = "2024-04-01"

DEFINITION = """
[project]
name = "shop"

[source.orders]
path  = "orders.csv"
time  = "ts"
known = "ts + minutes(30)"
[source.orders.columns]
ts      = { type = "timestamp", known = "ts" }
user    = { type = "string", known = "ts", pattern = "u[0-9]+" }
amount  = { type = "float64", known = "ts", min = 0, max = 1000 }
bad     = { type = "int32", min = 0, max = 1 }

[view.user]
from    = "orders"
by      = ["user"]
windows = ["1h", "1d", "14d"]
orders  = "count()"
amount  = "mean(amount)"
bad     = "mean(bad = 1)"

[model.risk]
question = { from = "orders", at = "ts" }
label    = "bad = 1"
inputs   = ["hour", "amount", "user.*"]
trainer  = "xgboost"
split    = { train_until = 2024-03-01, validate_until = 2024-04-01, test_until = 2024-05-01 }
gate     = { auc = ">= 0.6" }
[model.risk.params]
max_depth = 4
rounds = 20
"""


def orders(count, seed=1):
    """Rows of (time, user, amount, bad): some users are worse than others, so there is something to learn."""
    rng = random.Random(seed)
    step = datetime.timedelta(days=121) / count
    for i in range(count):
        user = rng.randrange(300)
        amount = round(rng.lognormvariate(3, 1), 2)
        bad = rng.random() < (0.5 if user % 7 == 0 else 0.05)
        moment = START + i * step + datetime.timedelta(seconds=rng.randrange(60))
        yield moment, f"u{user}", min(amount, 999.0), int(bad)


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def order_json(moment, user, amount, bad):
    return {"ts": stamp(moment), "user": user, "amount": amount, "bad": bad}


# LeakSanitizer looks for leaks when the program has ended, and now and then dies of it under load (google/sanitizers
# issue 1353). Then the exit code is the sanitizer's; what the program wrote is whole.
LEAK_CHECK_DIED = "LeakSanitizer has encountered a fatal error"


SIX_AIRPORTS = """
import sys, pyarrow as pa, pyarrow.compute as pc, pyarrow.parquet as pq
airports = pa.array("ATL ORD DFW LAX PHX DEN".split(), pa.large_string())
rows = pq.read_table(sys.argv[1])
rows = rows.filter(pc.and_(pc.is_in(rows["origin"], airports), pc.is_in(rows["destination"], airports)))
pq.write_table(rows, sys.argv[2])
"""


def six_airports(path):
    """Writes the flights between six airports, 112,815 of the three million, to a Parquet file."""
    root = pathlib.Path(__file__).resolve().parents[2]
    subprocess.run([root / "third_party/peers/trainers/bin/python", "-c", SIX_AIRPORTS, root / "data/flights-3m.parquet", path], check=True)


def run(*arguments, check=0, timeout=300, **options):
    """Runs the program; the exit code must be `check` (None: any)."""
    done = subprocess.run([COEVAL, *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, **options)
    if LEAK_CHECK_DIED in done.stderr:
        print(f"the leak check of coeval {arguments[0]} died; its exit code is unknown")
        done.returncode = check
    if check is not None and done.returncode != check:
        raise AssertionError(f"coeval {' '.join(map(str, arguments))}: exit {done.returncode}, expected {check}\n"
                             f"{done.stdout}{done.stderr}")
    return done


class Project:
    """A folder with a definition and 8,000 orders in a CSV file."""

    def __init__(self, definition=DEFINITION, count=8000):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="coeval-test-"))
        (self.folder / "coeval.toml").write_text(definition)
        with open(self.folder / "orders.csv", "w", encoding="utf-8") as file:
            file.write("ts,user,amount,bad\n")
            for moment, user, amount, bad in orders(count):
                file.write(f"{stamp(moment)},{user},{amount},{bad}\n")

    def run(self, verb, *arguments, **options):
        return run(verb, "-C", self.folder, *arguments, **options)

    def json(self, verb, *arguments, **options):
        return json.loads(self.run(verb, *arguments, "--json", **options).stdout)

    def build_and_promote(self):
        self.run("build")
        self.run("promote", "risk")

    def copy(self):
        twin = object.__new__(Project)
        twin.folder = pathlib.Path(tempfile.mkdtemp(prefix="coeval-test-")) / "project"
        shutil.copytree(self.folder, twin.folder)
        return twin

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Server:
    """`coeval serve` on a free port. Starting waits until it says where it listens."""

    def __init__(self, project, *arguments, clock="data", as_of=CUT, preexec_fn=None):
        command = [COEVAL, "serve", "-C", str(project.folder), "--port", "0", "--clock", clock, *arguments]
        if as_of:
            command += ["--as-of", as_of]
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True,
                                        stdin=subprocess.DEVNULL, preexec_fn=preexec_fn)
        line = self.process.stdout.readline()
        if not line.startswith("serving at http://"):
            self.process.wait(30)
            raise AssertionError(f"the server did not start: {line}{self.errors()}")
        host, _, port = line.strip().removeprefix("serving at http://").partition(":")
        self.host, self.port = host, int(port)
        self.connection = http.client.HTTPConnection(self.host, self.port, timeout=30)

    def errors(self):
        self.log.seek(0)
        return self.log.read()

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    def call(self, method, target, body=None):
        """(status, parsed JSON or text)."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        self.connection.request(method, target, body)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        is_json = answer.headers.get_content_type() == "application/json"
        return answer.status, json.loads(text) if is_json else text

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        self.close()
        return code

    def kill(self):
        self.process.kill()
        self.process.wait(30)
        self.close()

    def close(self):
        self.connection.close()
        self.process.stdout.close()
        self.log.close()


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited in vain")
        time.sleep(0.02)
