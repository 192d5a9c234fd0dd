"""Bad training data and bad trainers: each a clear error with what to do, and no registered model; or a model, where
that is right."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from program import DEFINITION, Project, orders, stamp

BAD = 'bad     = { type = "int32", min = 0, max = 1 }'
LIBRARY = pathlib.Path(__file__).resolve().parents[2] / "third_party/xgboost"


def changed(*pairs):
    text = DEFINITION
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def with_input(expression):
    return changed(('"hour", "amount"', '"hour", "amount", "more"')) + f'[features]\nmore = "{expression}"\n'


def only_input(expression):
    return changed(('["hour", "amount", "user.*"]', '["more"]')) + f'[features]\nmore = "{expression}"\n'


def relabelled(label):
    return lambda row, place: (*row[:3], label(row, place))


def without_month(month):
    return lambda row, place: None if row[0].month == month else row


NULLABLE = changed((BAD, BAD.replace("1 }", "1, nullable = true }")))
EARLY = changed(("rounds = 20", "rounds = 20\nearly_stopping_rounds = 5"))
OWN_TEXT = changed(('user    = {', 'note    = { type = "string", known = "ts" }\nuser    = {'),
                   ('"hour", "amount"', '"hour", "amount", "note"'))

# What it is, definition, rows (None: as they are), exit code, words of the error (none: a model is registered).
CASES = [
    ("one class in training", DEFINITION, relabelled(lambda row, _: 0 if row[0].month < 3 else row[3]), 3,
     ["C0804", "train part", "one class only: 0 positives", "check the label"]),
    ("one class in the test", DEFINITION, relabelled(lambda row, _: 1 if row[0].month > 3 else row[3]), 3,
     ["C0804", "test part", "one class only"]),
    ("an empty validation month with early stopping", EARLY, without_month(3), 3,
     ["C0804", "validate part", "has no rows", "move the dates"]),
    ("labels that are all null", NULLABLE, relabelled(lambda *_: ""), 3,
     ["C0804", "train part", "2000 of 2000 rows have no label", "null decides nothing"]),
    ("labels that are no numbers", DEFINITION, relabelled(lambda *_: "nan"), 3,
     ["C0804", "no rows for model 'risk'", "quarantine/orders.jsonl"]),
    ("labels out of range", DEFINITION, relabelled(lambda *_: 7), 3,
     ["C0804", "no rows for model 'risk'", "quarantine/orders.jsonl"]),
    ("only an input that is null", only_input("if(amount < 0, amount, null)"), None, 1,
     ["C0802", "the only input, 'more', is null in all", "coeval dataset risk --out rows.csv"]),
    ("a text of its own in every row", OWN_TEXT, lambda row, place: (row[0], f"n{place}", *row[1:]), 1,
     ["C0802", "input 'note' has another text in each", "leave it out of `inputs`"]),
    ("an input that stands twice", changed(('"amount", "user', '"amount", "amount", "user')), None, 2,
     ["C0415", "input 'amount' stands twice", "once"]),
    ("an input that is null beside others", with_input("if(amount < 0, amount, null)"), None, 0, []),
    ("a constant input", with_input("amount * 0"), None, 0, []),
    ("only a constant input: its gate stops it", changed(("0.6", "0.51"), ('["hour", "amount", "user.*"]', '["more"]'))
     + '[features]\nmore = "amount * 0"\n', None, 3, []),
    ("labels of which some are null", changed((BAD, BAD.replace("1 }", "1, nullable = true }")), ("0.6", "0.1")),
     relabelled(lambda row, place: "" if place % 10 == 0 else row[3]), 0, []),
]


def versions(project):
    return sum(model["versions_count"] for model in project.json("show"))


def write_rows(project, change, header):
    lines = [header]
    for place, row in enumerate(orders(2000)):
        row = change(row, place)
        if row is not None:
            lines.append(",".join([stamp(row[0]), *map(str, row[1:])]))
    (project.folder / "orders.csv").write_text("\n".join(lines) + "\n")


class BadTrainingData(unittest.TestCase):
    def test_each_case_is_told_and_registers_nothing(self):
        for what, definition, change, code, words in CASES:
            with self.subTest(what):
                project = Project(definition, count=2000)
                try:
                    if change is not None:
                        header = "ts,note,user,amount,bad" if definition is OWN_TEXT else "ts,user,amount,bad"
                        write_rows(project, change, header)
                    done = project.run("build", check=None)
                    self.assertEqual(done.returncode, code, done.stderr)
                    for word in words:
                        self.assertIn(word, done.stderr)
                    if words and code == 2:  # the definition itself is refused
                        self.assertFalse((project.folder / ".coeval").exists())
                        continue
                    self.assertEqual(versions(project), 0 if words else 1)
                    project.run("promote", "risk", check=2 if words else code)
                    self.assertEqual(os.listdir(project.folder / ".coeval/work"), [])
                finally:
                    project.remove()

    def test_a_column_that_stands_twice_in_the_file(self):
        project = Project(count=2000)
        self.addCleanup(project.remove)
        write_rows(project, lambda row, _: (*row[:3], row[2], row[3]), "ts,user,amount,amount,bad")
        done = project.run("build", check=None)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"error\[C\d+\].*amount")
        self.assertIn("help:", done.stderr)
        self.assertEqual(versions(project), 0)


WRAPPER = r"""
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char* mode(void) {
  const char* set = getenv("COEVAL_TEST_TRAINER");
  return set ? set : "";
}

int XGBoosterUpdateOneIter(void* booster, int round, void* rows) {
  typedef int (*Update)(void*, int, void*);
  Update update = (Update)dlsym(dlopen(REAL, RTLD_NOW), "XGBoosterUpdateOneIter");
  if (round == 3 && !strcmp(mode(), "hang")) for (;;) pause();
  if (round == 3 && !strcmp(mode(), "exit")) { write(2, "I give up\n", 10); _exit(1); }
  if (round == 3 && !strcmp(mode(), "crash")) abort();
  return update(booster, round, rows);
}

int XGBoosterSaveModelToBuffer(void* booster, const char* config, uint64_t* size, const char** bytes) {
  typedef int (*Save)(void*, const char*, uint64_t*, const char**);
  Save save = (Save)dlsym(dlopen(REAL, RTLD_NOW), "XGBoosterSaveModelToBuffer");
  int failed = save(booster, config, size, bytes);
  static char* copy;
  copy = realloc(copy, *size);
  memcpy(copy, *bytes, *size);
  if (!strcmp(mode(), "garbage")) memset(copy, 'x', *size);
  if (!strcmp(mode(), "half")) *size /= 2;
  if (!strcmp(mode(), "newer")) {
    /* In UBJSON: version[#L 0 0 0 0 0 0 0 3 i 3 i 4 i 1 */
    for (uint64_t i = 0; i + 20 < *size; ++i)
      if (!memcmp(copy + i, "version[", 8) && copy[i + 18] == 'i') copy[i + 19] = 99;
  }
  *bytes = copy;
  return failed;
}
"""

# What the trainer does, and what is said of it.
TRAINERS = [
    ("hang", ["C0802", "did not finish in 2", "give it more time"]),
    ("exit", ["C0802", "exit", "I give up"]),
    ("crash", ["C0802", "killed by SIGABRT", "run the command again"]),
    ("garbage", ["C0802", "wrote a model that cannot be used"]),
    ("half", ["C0802", "wrote a model that cannot be used"]),
    ("newer", ["C0802", "wrote a model that cannot be used", "99"]),
]


@unittest.skipUnless(shutil.which("cc"), "needs a C compiler for the library that misbehaves")
class BadTrainers(unittest.TestCase):
    """XGBoost behind a library that passes all calls on but the ones that go wrong."""

    @classmethod
    def setUpClass(cls):
        cls.home = pathlib.Path(tempfile.mkdtemp(prefix="coeval-test-"))
        folder = cls.home / "third_party/xgboost/xgboost/lib"
        folder.mkdir(parents=True)
        # The library by the name that it calls itself, with what it loads at the same place beside it.
        real = cls.home / "real/xgboost/lib/libxgboost.so.3"
        real.parent.mkdir(parents=True)
        real.symlink_to((LIBRARY / "xgboost/lib/libxgboost.so").resolve())
        (cls.home / "real/xgboost_cpu.libs").symlink_to((LIBRARY / "xgboost_cpu.libs").resolve())
        (cls.home / "wrapper.c").write_text(WRAPPER)
        subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", f'-DREAL="{real}"', "-o", folder / "libxgboost.so",
                        cls.home / "wrapper.c", f"-Wl,--no-as-needed,-rpath,{real.parent}", real, "-ldl"],
                       check=True)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.home)

    def environment(self, mode):
        return {**os.environ, "COEVAL_HOME": str(self.home), "COEVAL_TEST_TRAINER": mode}

    def test_each_way_to_fail_is_told_and_registers_nothing(self):
        definition = changed(("gate     =", 'limits   = { time_budget = "2s" }\ngate     ='))
        project = Project(definition, count=2000)
        self.addCleanup(project.remove)
        for mode, words in TRAINERS:
            with self.subTest(mode):
                done = project.run("build", check=None, env=self.environment(mode))
                self.assertEqual(done.returncode, 1, done.stderr)
                for word in words:
                    self.assertIn(word, done.stderr)
                self.assertIn("help:", done.stderr)
                self.assertEqual(versions(project), 0)
                self.assertEqual(os.listdir(project.folder / ".coeval/work"), [])
        # The same library, behaving.
        project.run("build", env=self.environment("none"))
        self.assertEqual(versions(project), 1)

    def test_a_corrupt_model_is_refused_wherever_it_would_be_used(self):
        project = Project(count=2000)
        self.addCleanup(project.remove)
        project.run("build")
        file = next((project.folder / ".coeval/models/risk").iterdir()) / "model.ubj"
        file.write_bytes(file.read_bytes()[:-20])
        for command in (["explain", "gate", "risk"], ["reproduce", "risk"]):
            text = project.run(*command, check=1).stderr
            self.assertIn("C0801", text)
            self.assertIn("model.ubj", text)
            self.assertIn("build the model again", text)
        self.assertIn("C0801", project.run("doctor", check=3).stdout)
        self.assertIn("risk@v1 built", project.run("build").stdout)
        project.run("reproduce", "risk")


if __name__ == "__main__":
    unittest.main()
