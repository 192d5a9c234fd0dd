"""What ingestion, checks and the doctor say of damage, duplicates, new values and names that are not what they seem."""

import datetime
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile
import unittest

from program import COEVAL, DEFINITION, Project, Server, run, stamp

PANDAS = pathlib.Path(__file__).resolve().parents[2] / "third_party/peers/pandas/bin/python"
FIRST = datetime.datetime(2024, 5, 10, tzinfo=datetime.timezone.utc)
HEAD = "ts,user,amount,bad\n"
NAMED = DEFINITION.replace('known = "ts + minutes(30)"', 'known = "ts + minutes(30)"\nid    = "number"') \
                  .replace("[source.orders.columns]", '[source.orders.columns]\nnumber = { type = "int64", known = "ts" }')
assert NAMED.count("number") == 2


def moment(i):
    return stamp(FIRST + datetime.timedelta(seconds=i))


def lines(amounts, first=0):
    return "".join(f"{moment(first + i)},u{i},{amount},0\n" for i, amount in enumerate(amounts))


class Case(unittest.TestCase):
    def project(self, definition=DEFINITION, files=(), count=200):
        project = Project(definition, count=count)
        if definition == NAMED:  # its own file has names too
            path = project.folder / "orders.csv"
            rows = path.read_text().splitlines()
            path.write_text("number," + rows[0] + "\n" + "".join(f"{i},{row}\n" for i, row in enumerate(rows[1:])))
        self.addCleanup(project.remove)
        for name, text in files:
            (project.folder / name).write_text(text)
        return project

    def adds_up(self, project):
        counts = project.json("ingest", "--status")[0]
        self.assertEqual(counts["missing_count"], 0, counts)
        self.assertEqual(counts["read_count"],
                         sum(counts[f"{where}_count"] for where in ("accepted", "quarantined", "duplicates", "replayed",
                                                                    "dropped", "lost")), counts)
        return counts


class Damage(Case):
    def quarantined(self):
        project = self.project(files=[("a.csv", HEAD + lines([1, 5000, 6000, 7000, 2]))])
        project.run("ingest", "orders", project.folder / "a.csv")
        path, = (project.folder / ".coeval/quarantine/orders").iterdir()
        return project, path

    def test_a_damaged_line_of_the_quarantine_is_named_and_never_replayed(self):
        project, path = self.quarantined()
        project.run("doctor")
        whole = path.read_bytes()
        second = whole.index(b"\n") + 1
        at = whole.index(b"6000", second)
        path.write_bytes(whole[:at] + b"4" + whole[at + 1:])  # a value that would be as good as any
        where = f"line 2 of '{path}', at byte {second}"
        doctor = project.run("doctor", check=3)
        self.assertIn(where, doctor.stdout + doctor.stderr)
        shown = project.run("quarantine", "show")
        self.assertIn("5000", shown.stdout)
        self.assertIn("7000", shown.stdout)
        self.assertNotIn(",4000,", shown.stdout)
        self.assertIn(where, shown.stderr)
        definition = (project.folder / "coeval.toml").read_text()
        (project.folder / "coeval.toml").write_text(definition.replace("max = 1000", "max = 9000"))
        replayed = project.json("quarantine", "replay", "orders")[0]
        self.assertEqual((replayed["read_count"], replayed["accepted_count"]), (2, 2))
        self.assertIn(where, replayed["warnings"][0])
        left, = path.read_bytes().splitlines(keepends=True)
        self.assertIn(b"4000", left)
        self.assertEqual(self.adds_up(project)["replayed_count"], 2)
        self.assertEqual(project.json("quarantine", "drop", "orders", "--rule", "amount.max", "--reason", "x")
                         ["dropped_count"], 0)
        self.assertEqual(project.json("quarantine", "drop", "orders", "--reason", "damaged")["dropped_count"], 1)
        self.adds_up(project)
        project.run("doctor")

    def test_a_torn_line_is_named_and_set_aside_and_never_lost(self):
        project, path = self.quarantined()
        requests = project.folder / ".coeval/quarantine/orders.jsonl"
        whole = path.read_bytes()
        torn = b'{"source":"orders","origin":"http","row":0,"raw":"'
        path.write_bytes(whole + torn)
        requests.write_bytes(whole.splitlines(keepends=True)[0] + torn)
        self.adds_up(project)
        named = json.loads(project.run("doctor", "--json", check=3).stdout)
        found = [(one["sound"], one["finding"]) for one in named if one["subject"] == "quarantine of orders"]
        self.assertEqual([sound for sound, _ in found], [False, True])  # only requests leave one when a server dies
        for file, (_, text) in zip((path, requests), found):
            self.assertIn(f"'{os.path.relpath(file, project.folder)}'", text.replace(f"{project.folder}/", ""))
            self.assertIn(f"behind byte {len(file.read_bytes()) - len(torn)}: {len(torn)} bytes", text)
        # Rows leave; what is no row stays.
        (project.folder / "coeval.toml").write_text(DEFINITION.replace("max = 1000 ", "max = 6500 "))
        project.run("quarantine", "replay", "orders")
        self.assertTrue(path.read_bytes().endswith(b"}\n" + torn))
        self.assertEqual(requests.read_bytes(), torn)
        project.run("doctor", "--repair")
        aside = project.folder / ".coeval/quarantine/aside"
        self.assertEqual([file.read_bytes() for file in aside.iterdir()], [torn, torn])
        self.assertEqual(stat.S_IMODE(aside.stat().st_mode), 0o700)
        self.assertEqual((path.read_bytes().count(b"\n"), requests.read_bytes()), (1, b""))
        project.run("doctor")
        project.run("ingest", "orders", project.folder / "a.csv")  # what starts anew removes none of it
        self.assertEqual(len(list(aside.iterdir())), 2)
        self.adds_up(project)

    def test_a_held_batch_that_is_damaged_hides_no_other(self):
        bounded = DEFINITION.replace("known = ", "max_bad_rows = 1\nknown = ", 1)
        project = self.project(bounded, [("a.csv", HEAD + lines([1, 5000, 6000])),
                                         ("b.csv", HEAD + lines([2, 5000, 6000], 10)), ("c.csv", HEAD + lines([3, 9000], 20))])
        held = [project.json("ingest", "orders", project.folder / name, check=3)[0]["batch"] for name in ("a.csv", "b.csv")]
        project.run("ingest", "orders", project.folder / "c.csv")
        path = project.folder / f".coeval/staged/{held[0]}/held.json"
        path.write_bytes(path.read_bytes()[:-4])
        for verb in (("quarantine", "list"), ("quarantine", "show"), ("ingest", "--held")):
            told = project.run(*verb, "--json", check=None)
            self.assertEqual(told.returncode, 2, told.stderr)
            self.assertIn(f"staged/{held[0]}/held.json' is damaged", told.stderr)
            self.assertIn(held[1], told.stdout)
            self.assertNotIn(held[0], told.stdout)
        self.assertEqual(json.loads(project.run("quarantine", "list", "--json", check=None).stdout)["rows_count"], 1)
        self.assertIn("held.json' is damaged", project.run("doctor", check=3).stdout)
        refused = project.run("ingest", "--release", held[0], "--reason", "looked at", check=2)
        self.assertIn(f"staged/{held[0]}/held.json' is damaged", refused.stderr)
        again = project.run("ingest", "orders", project.folder / "a.csv", check=3)  # makes it anew
        self.assertIn(f"warning: held batch {held[0]}: ", again.stderr)
        self.assertEqual(project.json("quarantine", "list")["held_rows_count"], 4)
        project.run("ingest", "--release", held[0], "--reason", "looked at")
        self.adds_up(project)

    def test_lines_of_older_versions_are_read(self):
        project, path = self.quarantined()
        text, changed = re.subn(r',"crc32c":"[0-9a-f]{8}"}', "}", path.read_text())
        self.assertEqual(changed, 3)
        path.write_text(text)
        project.run("doctor")
        self.assertEqual(project.json("quarantine", "list")["rows_count"], 3)
        (project.folder / "coeval.toml").write_text(DEFINITION.replace("max = 1000", "max = 9000"))
        self.assertEqual(project.json("quarantine", "replay", "orders")[0]["accepted_count"], 3)

    def test_what_repair_could_not_keep_is_counted_as_lost(self):
        project = self.project(files=[("a.csv", HEAD + lines(range(50)))])
        project.run("ingest", "orders", project.folder / "a.csv")
        segment = max((project.folder / ".coeval/log").glob("*.seg"), key=lambda path: path.stat().st_size)
        whole = bytearray(segment.read_bytes())
        whole[len(whole) // 2] ^= 1
        segment.write_bytes(whole)
        project.run("doctor", check=3)
        project.run("doctor", "--repair")
        counts = self.adds_up(project)
        self.assertEqual((counts["read_count"], counts["accepted_count"], counts["lost_count"]), (50, 49, 1))
        self.assertIn("+ 1 lost to damage", project.run("ingest", "--status").stdout)
        said = project.run("doctor").stdout
        self.assertIn("50 read = 49 accepted + 0 quarantined + 0 duplicates + 0 replayed + 0 dropped + 1 lost", said)

    def test_the_quarantine_is_its_owners_alone(self):
        project, path = self.quarantined()
        for one in (path.parent.parent, path.parent):
            self.assertEqual(stat.S_IMODE(one.stat().st_mode), 0o700, one)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        project.run("quarantine", "drop", "orders", "--rule", "amount.max", "--reason", "x", "--dry-run")
        (project.folder / "coeval.toml").write_text(DEFINITION.replace("max = 1000", "max = 5500"))
        project.run("quarantine", "replay", "orders")  # writes the file anew
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        server = Server(project, as_of=None)
        server.call("POST", "/v1/events/orders", [{"ts": "never"}])
        server.stop()
        self.assertEqual(stat.S_IMODE((path.parent.parent / "orders.jsonl").stat().st_mode), 0o600)


class Duplicates(Case):
    def row(self, number, i=0):
        return {"number": number, "ts": moment(i), "user": "u1", "amount": 1.0, "bad": 0}

    def test_rows_that_were_sent_twice_are_duplicates_in_the_standing(self):
        project = self.project(NAMED)
        (project.folder / "a.jsonl").write_text("".join(json.dumps(self.row(9000 + i, i)) + "\n" for i in (1, 2, 2)))
        project.run("ingest", "orders", project.folder / "a.jsonl")
        before = self.adds_up(project)
        self.assertEqual((before["accepted_count"], before["duplicates_count"]), (2, 1))
        server = Server(project, as_of=None)
        now = int((FIRST + datetime.timedelta(hours=2)).timestamp() * 1e6)
        _, answer = server.call("POST", f"/v1/events/orders?now={now}", [self.row(9001), self.row(9005), self.row(9005)])
        server.stop()
        self.assertEqual((answer["accepted"], answer["duplicates"]), (1, 2))
        after = self.adds_up(project)
        self.assertEqual((after["read_count"], after["accepted_count"], after["duplicates_count"]), (6, 3, 3))

    def test_a_check_counts_them_as_ingestion_does_and_knows_content_that_is_there(self):
        project = self.project(NAMED)
        path = project.folder / "a.jsonl"
        path.write_text("".join(json.dumps(self.row(9000 + i, i)) + "\n" for i in (1, 2, 2, 3)))
        checked = project.json("check", "--data", f"orders={path}")[0]
        dry = project.json("ingest", "orders", path, "--dry-run")[0]
        for count in ("read_count", "accepted_count", "quarantined_count", "duplicates_count"):
            self.assertEqual(checked["counts"][count], dry[count], count)
        self.assertEqual(dry["duplicates_count"], 1)
        self.assertEqual(checked["notes"], [])
        own = project.json("check", "--data", "orders=" + str(project.folder / "orders.csv"))[0]
        self.assertEqual(own["counts"]["duplicates_count"], 0)  # they are not there besides
        batch = project.json("ingest", "orders", path)[0]["batch"]
        again = project.run("check", "--data", f"orders={path}").stdout
        self.assertIn(f"as batch {batch} of a.jsonl: ingesting it adds nothing", again)
        self.assertEqual(project.json("ingest", "orders", path, "--dry-run")[0]["state"], "known")


class Told(Case):
    def test_values_that_an_enum_does_not_list_are_named_once(self):
        listed = DEFINITION.replace('pattern = "u[0-9]+"', 'enum = ["u0", "u1"]')
        rows = HEAD + "".join(f"{moment(i)},{user},1,0\n" for i, user in enumerate(["u0", "new", "new", "u1", "odd\x1b"]))
        for severity, wanted in (("", "then `coeval quarantine replay`"), (', severity = "warn"', None)):
            project = self.project(listed.replace('"u1"]', '"u1"]' + severity), files=[("a.csv", rows)])
            warnings = project.json("ingest", "orders", project.folder / "a.csv")[0]["warnings"]
            said, = (text for text in warnings if "does not list" in text)
            self.assertIn('user.enum does not list "new" (2 rows), "odd\\u001b" (1 row): add what is sound', said)
            self.assertEqual(wanted is not None and wanted in said, wanted is not None, said)
        many = HEAD + "".join(f"{moment(i)},x{i},1,0\n" for i in range(500))
        project = self.project(listed, files=[("a.csv", many)])
        said, = project.json("ingest", "orders", project.folder / "a.csv")[0]["warnings"]
        self.assertIn("and other values (492 rows)", said)
        self.assertIn(said, project.json("check", "--data", "orders=" + str(project.folder / "a.csv"), check=3)[0]["notes"])
        secret = listed.replace('"u1"]', '"u1"], pii = true')
        project = self.project(secret, files=[("a.csv", rows)])
        out = project.run("ingest", "orders", project.folder / "a.csv").stdout
        self.assertIn("user.enum does not list the values of 3 rows, which are not shown", out)
        self.assertNotIn("new", out.replace("newest", ""))

    def test_numbers_in_another_unit_than_microseconds_are_told(self):
        seconds = "".join(f"{1722470400 + i},u{i},1,0\n" for i in range(5))
        project = self.project(files=[("a.csv", HEAD + seconds)])
        both = "1722470400 is 1970-01-01T00:28:42.470400Z in microseconds, and 2024-08-01T00:00:00Z in seconds"
        said = "ts looks like seconds since the epoch (all 5 values), and a number is read as microseconds: " + both
        report = project.json("check", "--data", f"orders={project.folder / 'a.csv'}")[0]
        self.assertEqual(report["notes"], [said])
        self.assertEqual(project.json("ingest", "orders", project.folder / "a.csv")[0]["warnings"], [said])
        (project.folder / "b.csv").write_text(HEAD + lines([1, 2, 3]))
        self.assertEqual(project.json("ingest", "orders", project.folder / "b.csv")[0]["warnings"], [])
        # They are told also where a rule keeps all such rows out.
        (project.folder / "coeval.toml").write_text(
            DEFINITION.replace('{ type = "timestamp", known', '{ type = "timestamp", min = 2000-01-01, known'))
        report = project.json("check", "--data", f"orders={project.folder / 'a.csv'}", check=3)[0]
        self.assertEqual((report["counts"]["quarantined_count"], said in report["notes"]), (5, True))
        proposed = project.run("init", project.folder / "new", "--from", project.folder / "a.csv")
        self.assertIn("warning: column 'ts' of ", proposed.stderr)
        self.assertIn(both, proposed.stderr)
        self.assertRegex((project.folder / "new/coeval.toml").read_text(), r"(?m)^ts .*looks like seconds since the epoch")

    def test_a_null_known_time_is_told_with_all_other_rules_and_followed_by_none(self):
        definition = DEFINITION.replace('known = "ts + minutes(30)"', 'known = "seen"') \
                               .replace("[view.user]", '[source.orders.checks]\norder = { increasing = "number" }\n[view.user]') \
                               .replace("[source.orders.columns]", '[source.orders.columns]\n'
                                        'seen = { type = "timestamp", nullable = true }\nnumber = "int64"')
        rows = [("01", 1, 5, 0), ("", 9, 5, 0), ("", 9, 5000, 0), ("02", 2, 5, 0), ("x", 3, 5, 0), ("", "y", 5, 7)]
        project = self.project(definition)
        head = "ts,seen,number,user,amount,bad\n"
        (project.folder / "orders.csv").write_text(head + f"{moment(-9)},2024-05-10T00:00:00Z,0,u0,1,0\n")
        (project.folder / "a.csv").write_text(head + "".join(
            f"{moment(i)},{f'2024-05-11T00:00:{at}Z' if at else ''},{number},u{i},{amount},{bad}\n"
            for i, (at, number, amount, bad) in enumerate(rows)))
        outcome = project.json("ingest", "orders", project.folder / "a.csv")[0]
        self.assertEqual((outcome["accepted_count"], outcome["quarantined_count"]), (2, 4))
        expected = [["known"], ["known", "amount.max"], ["seen.type"], ["number.type", "known", "bad.max"]]
        self.assertEqual([row["rules"] for row in project.json("quarantine", "show", "orders")], expected)
        with_model = project.copy()  # a build reads the same rows, a server is sent them
        self.addCleanup(with_model.remove)
        shutil.rmtree(with_model.folder / ".coeval")
        shutil.copy(with_model.folder / "a.csv", with_model.folder / "orders.csv")
        with_model.run("build", check=None)
        kept = (with_model.folder / ".coeval/quarantine/orders.jsonl").read_text().splitlines()
        self.assertEqual(sorted(json.loads(line)["rules"] for line in kept), sorted(expected))
        server = Server(project, as_of=None)
        bodies = [{"ts": moment(60 + i), "seen": f"2024-05-12T00:00:{at}Z" if at else None,
                   "number": number + 10 if isinstance(number, int) else number, "user": f"u{i}", "amount": amount, "bad": bad}
                  for i, (at, number, amount, bad) in enumerate(rows)]
        status, answer = server.call("POST", "/v1/events/orders", bodies)
        self.assertEqual(server.stop(), 0)
        self.assertEqual((status, answer["accepted"]), (200, 2), answer)
        self.assertEqual([error["rules"] for error in answer["errors"]], expected)

    def test_without_a_folder_for_temporary_files_it_is_named(self):
        project = self.project(files=[("a.csv", HEAD + lines([1, 2]))])
        text = (project.folder / "a.csv").read_text()
        elsewhere = {**os.environ, "TMPDIR": str(project.folder / "gone")}
        refused = subprocess.run([COEVAL, "check", "-C", project.folder, "--data", "orders=-"], input=text,
                                 env=elsewhere, capture_output=True, text=True, timeout=60)
        self.assertEqual(refused.returncode, 1, refused.stderr)
        self.assertIn(f"the folder for temporary files is not there: '{project.folder / 'gone'}'", refused.stderr)
        self.assertIn("TMPDIR", refused.stderr)
        named = self.project(NAMED, [("a.csv", "number," + HEAD + "7," + lines([1]))])
        for verb in (("check", "--data", f"orders={named.folder / 'a.csv'}"),
                     ("ingest", "orders", named.folder / "a.csv", "--dry-run")):
            refused = subprocess.run([COEVAL, verb[0], "-C", named.folder, *verb[1:]], env=elsewhere,
                                     capture_output=True, text=True, timeout=60)
            self.assertEqual(refused.returncode, 1, refused.stderr)
            self.assertIn("TMPDIR", refused.stderr)
        # Nobody knows standard input by the name of the file that it waits in.
        for _ in range(2):
            taken = subprocess.run([COEVAL, "ingest", "-C", project.folder, "orders", "-"], input=text,
                                   capture_output=True, text=True, timeout=60)
        self.assertIn("of standard input (2 read", taken.stdout)
        known = subprocess.run([COEVAL, "check", "-C", project.folder, "--data", "orders=-"], input=text,
                               capture_output=True, text=True, timeout=60)
        self.assertIn("of standard input: ingesting it adds nothing", known.stdout)
        self.assertNotIn("spooled-", taken.stdout + known.stdout)

    def test_control_characters_of_names_are_written_out(self):
        project = self.project()
        name = "a\x1b[31m\n.csv"
        (project.folder / name).write_text(HEAD + lines([1, 2, 5000]))
        path = project.folder / name
        outs = [project.run("ingest", "orders", path), project.run("check", "--data", f"orders={path}", check=3),
                project.run("ingest", "orders", path), project.run("quarantine", "list"),
                project.run("ingest", "orders", str(path) + "2", check=None)]
        for out in outs:
            self.assertNotIn("\x1b", out.stdout + out.stderr)
            self.assertIn("\\x1b[31m", out.stdout + out.stderr)
        self.assertIn("a\\x1b[31m\\x0a.csv: 3 read", outs[0].stdout)

    def test_a_check_with_both_bounds_is_named_once(self):
        both = DEFINITION + '\n[source.orders.checks]\nlow = { row = "amount < 3", severity = "warn", warn_if = 1, error_if = 3 }\n'
        for amounts, status in (([1, 2, 2], "passed"), ([1, 3, 4], "warned"), ([3, 4, 5], "failed")):
            project = self.project(both, files=[("a.csv", HEAD + lines(amounts))])
            report = project.json("check", "--data", "orders=" + str(project.folder / "a.csv"), check=None)[0]
            said, = (rule for rule in report["rules"] if rule["rule"] == "checks.low")
            self.assertEqual(said["status"], status)
            self.assertIn("(warn_if 1 row, error_if 3 rows)", said["expected"])
            outcome = project.json("ingest", "orders", project.folder / "a.csv", "--dry-run", check=None)[0]
            self.assertEqual(sum("checks.low" in text for text in outcome["reasons"] + outcome["warnings"]),
                             int(status != "passed"), outcome)

    def test_keys_near_a_columns_name_are_told(self):
        loose = DEFINITION.replace('amount  = { type = "float64",', 'amount  = { type = "float64", nullable = true,')
        row = {"ts": moment(0), "user": "u1", "bad": 0}
        rows = [row | {"amuont": 1.0, "elsewhere": 2}, row | {"amuont": 2.0}, row | {"amuont": 3.0}]
        project = self.project(loose, files=[("a.jsonl", "".join(json.dumps(one) + "\n" for one in rows)),
                                             ("b.jsonl", json.dumps(row | {"amount": 1, "amuont": 1}) + "\n")])
        said, = project.json("ingest", "orders", project.folder / "a.jsonl")[0]["warnings"]
        self.assertIn("no column 'amuont', which 3 of the first 3 rows have: did you mean 'amount'", said)
        self.assertEqual(project.json("ingest", "orders", project.folder / "b.jsonl")[0]["warnings"], [])

    def test_a_copy_of_a_file_that_grew_is_told(self):
        text = HEAD + lines(range(100))
        project = self.project(files=[("a.csv", text)])
        batch = project.json("ingest", "orders", project.folder / "a.csv")[0]["batch"]
        (project.folder / "copy.csv").write_text(text + lines(range(10), first=100))
        (project.folder / "other.csv").write_text(HEAD + lines(range(1, 200)))
        said = project.json("ingest", "orders", project.folder / "copy.csv")[0]
        self.assertEqual(said["read_count"], 110)
        self.assertIn(f"it begins with all of a.csv, which is batch {batch}", said["note"])
        self.assertNotIn("note", project.json("ingest", "orders", project.folder / "other.csv")[0])

    def test_a_number_that_nothing_can_hold_is_a_bad_row_also_alone(self):
        project = self.project()
        server = Server(project)
        body = '{"ts":"%s","user":"u1","amount":1e400,"bad":0}' % moment(0)
        status, answer = server.call("POST", "/v1/events/orders", body)
        self.assertEqual((status, answer["quarantined"], answer["errors"][0]["rules"]), (422, 1, ["row.json"]), answer)
        self.assertEqual(server.call("POST", "/v1/events/orders", body[:-1])[0], 400)
        server.stop()
        self.assertEqual(project.json("quarantine", "list")["rows_count"], 1)

    def test_what_is_told_of_a_personal_column_is_no_value_of_it(self):
        personal = DEFINITION.replace('max = 1000 }', 'max = 1000, pii = true }') + (
            '\n[source.orders.checks]\nmid = { quantile = "amount", p = 0.5, max = 10 }\nlevel = { mean = "amount", max = 10 }\n')
        project = self.project(personal, files=[("a.csv", HEAD + lines([777]))])
        out = project.run("check", "--data", "orders=" + str(project.folder / "a.csv"), check=3).stdout
        self.assertEqual(out.count("(not shown: the column is personal)"), 2, out)
        self.assertNotIn("777", out)
        self.assertNotIn("777", project.run("ingest", "orders", project.folder / "a.csv", check=3).stdout)

    def test_a_profile_of_other_columns_says_which_has_what(self):
        project = self.project()
        out = project.folder / "orders.profile"
        project.run("profile", "orders", "--out", out)
        (project.folder / "coeval.toml").write_text(DEFINITION.replace('bad     = { type = "int32"', 'bad     = { type = "int64"'))
        failed = project.run("profile", "orders", out, check=None)
        self.assertNotEqual(failed.returncode, 0)
        self.assertIn("the profile has 'bad' (int32) where 'bad' (int64) should be", failed.stderr)


class Proposed(unittest.TestCase):
    def proposal(self, name, text=None, make=None):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            if text is not None:
                (folder / name).write_text(text)
            else:
                subprocess.run([PANDAS, "-c", make, folder / name], check=True, timeout=120)
            run("init", folder / "p", "--from", folder / name)
            definition = (folder / "p/coeval.toml").read_text()
            return definition, run("check", "-C", folder / "p", check=None).stderr

    def test_a_headerless_file_proposes_no_column_that_cannot_be_named(self):
        rows = "".join(f"{moment(i)},{i}.5,{i},u{i % 3}\n" for i in range(100))
        definition, _ = self.proposal("a.csv", "2024-05-10T00:00:00.5Z,7.5,1.0,u\n" + rows)
        for line in definition.splitlines():
            if line.startswith(("id ", "time ", "# id ", "# by ", "# known = ")):
                self.assertNotRegex(line, r'"[^"]*\.[^"]*"', line)

    @unittest.skipUnless(PANDAS.exists(), "pandas is not installed")
    def test_lists_of_parquet_get_their_length(self):
        make = """
import sys, datetime
import pyarrow as pa, pyarrow.parquet as pq
n = 50
ts = pa.array([datetime.datetime(2024, 5, 10, tzinfo=datetime.timezone.utc) + datetime.timedelta(seconds=i) for i in range(n)],
              pa.timestamp("us", tz="UTC"))
even = pa.array([[1.0, 2.0, float(i)] for i in range(n)], pa.list_(pa.float32()))
odd = pa.array([[1.0] * (2 + i % 3) for i in range(n)], pa.list_(pa.float32()))
text = pa.array([b"text %d" % i for i in range(n)], pa.binary())
pq.write_table(pa.table({"ts": ts, "even": even, "odd": odd, "text": text}), sys.argv[1])
"""
        definition, complaints = self.proposal("a.parquet", make=make)
        self.assertRegex(definition, r'(?m)^even +=.*"list<float32>\(3\)"')
        self.assertRegex(definition, r'(?m)^# odd +=.* of 2 to 4 numbers, so list<float32>\(n\) cannot hold them')
        self.assertRegex(definition, r'(?m)^text +=.*"string"')
        self.assertNotIn("odd", complaints)
        self.assertIn("known", complaints)  # the only thing that is asked

    @unittest.skipUnless(PANDAS.exists(), "pandas is not installed")
    def test_bytes_of_parquet_that_are_no_text_are_a_row_for_the_quarantine(self):
        make = """
import sys, datetime
import pyarrow as pa, pyarrow.parquet as pq
ts = pa.array([datetime.datetime(2024, 5, 10, tzinfo=datetime.timezone.utc)] * 3, pa.timestamp("us", tz="UTC"))
users = pa.array([b"u1", b"\\xff\\xfe", b"u2"], pa.binary())
pq.write_table(pa.table({"ts": ts, "user": users, "amount": [1.0, 2.0, 3.0], "bad": pa.array([0, 0, 0], pa.int32())}), sys.argv[1])
"""
        project = Project(DEFINITION, count=200)
        self.addCleanup(project.remove)
        subprocess.run([PANDAS, "-c", make, project.folder / "a.parquet"], check=True, timeout=120)
        outcome = project.json("ingest", "orders", project.folder / "a.parquet")[0]
        self.assertEqual((outcome["accepted_count"], outcome["quarantined_count"]), (2, 1))
        self.assertIn("user.utf8", outcome["quarantined_by_rule"])

    @unittest.skipUnless(PANDAS.exists(), "pandas is not installed")
    def test_a_column_of_a_type_that_is_not_read_hides_no_name(self):
        make = """
import sys, datetime
import pyarrow as pa, pyarrow.feather as feather, pyarrow.parquet as pq
ts = pa.array([datetime.datetime(2024, 5, 10, tzinfo=datetime.timezone.utc)] * 3, pa.timestamp("us", tz="UTC"))
table = pa.table({"ts": ts, "user": ["u1"] * 3, "amount": [1.0] * 3, "bad": pa.array([0] * 3, pa.int32()), "coupn": ["x"] * 3,
                  "more": pa.array([{"a": 1}] * 3)})
pq.write_table(table, sys.argv[1])
feather.write_feather(table, sys.argv[2], compression="uncompressed")
"""
        project = Project(DEFINITION.replace("[source.orders.columns]", '[source.orders.columns]\n'
                                             'coupon = { type = "string", nullable = true }'), count=200)
        self.addCleanup(project.remove)
        files = [project.folder / "a.parquet", project.folder / "a.arrow"]
        subprocess.run([PANDAS, "-c", make, *files], check=True, timeout=120)
        for file in files:
            report = project.json("check", "--data", f"orders={file}")[0]
            self.assertEqual(report["notes"], ["the source declares no column 'coupn', which the file has: did you mean 'coupon'?"])

    def test_phones_and_cards_that_are_numbers_look_personal(self):
        # Numbers that issuers give for trials; their check digits are right.
        cards = [4111111111111111, 4012888888881881, 5555555555554444, 5105105105105100, 4222222222222220]
        rows = "".join(f"{moment(i)},{15551230000 + i},{cards[i % 5]}.0,{15551230000 + i}\n" for i in range(100))
        definition, _ = self.proposal("a.csv", "ts,home_phone,paid_with,amount\n" + rows)
        self.assertRegex(definition, r"(?m)^home_phone +=.*pii = true")
        self.assertRegex(definition, r'(?m)^paid_with +=.*"float64".*pii = true')
        self.assertNotRegex(definition, r"(?m)^amount +=.*pii")


if __name__ == "__main__":
    unittest.main()
