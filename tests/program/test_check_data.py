"""`coeval init --from`, `coeval check --data` and what they make of good and bad files."""
import html.parser
import json
import pathlib
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as ET

from program import COEVAL


ROWS = 2000


def run(arguments):
    return subprocess.run([COEVAL, *arguments], capture_output=True, text=True, timeout=300)


def write_orders(folder, bad=False):
    lines = ["ts,user,mail,amount,kind,code"]
    for i in range(ROWS):
        amount = "-5" if bad and i % 100 == 7 else f"{i % 97}.25"
        kind = ["card", "cash", "wire"][i % 3]
        lines.append(f"2024-03-{i % 28 + 1:02d}T{i % 24:02d}:00:{i % 60:02d}Z,u{i % 40},user{i}@example.org,{amount},{kind},0{i % 1000:04d}")
    (folder / ("bad.csv" if bad else "orders.csv")).write_text("\n".join(lines) + "\n")


def proposed(folder):
    """A project as `init --from` proposes it, its one question answered."""
    write_orders(folder)
    out = run(["init", str(folder), "--from", str(folder / "orders.csv")])
    assert out.returncode == 0, out.stderr
    path = folder / "coeval.toml"
    refused = run(["check", "-C", str(folder)])
    assert refused.returncode == 2 and "C" in refused.stderr, refused.stderr
    text = path.read_text()
    path.write_text(text.replace('# known = "ts + 1h"', 'known = "ts + 1h"', 1))
    return path.read_text()


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.addresses, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [v for k, v in attrs if k in ("src", "href")]

    def handle_data(self, data):
        self.text.append(data)


class CheckData(unittest.TestCase):
    def test_patterns_and_standard_input_name_files_as_for_ingest(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            proposed(folder)
            write_orders(folder, bad=True)
            check = ["check", "-C", name, "--json", "--data"]
            both = run([*check, f"orders={folder}/*.csv"])
            self.assertEqual(both.returncode, 3, both.stderr)
            bad, good = json.loads(both.stdout)
            self.assertEqual((bad["files"][0]["file"], good["files"][0]["file"]),
                             (str(folder / "bad.csv"), str(folder / "orders.csv")))
            none = run([*check, f"orders={folder}/none-*.csv"])
            ingested = run(["ingest", "-C", name, "--json", "orders", f"{folder}/none-*.csv"])
            self.assertEqual((none.returncode, none.stdout, none.stderr),
                             (ingested.returncode, ingested.stdout, ingested.stderr))
            self.assertIn("no file matches", none.stdout + none.stderr)
            with open(folder / "bad.csv", encoding="utf-8") as file:
                piped = subprocess.run([COEVAL, *check, "orders=-"], stdin=file, capture_output=True, text=True,
                                       timeout=60)
            self.assertEqual(piped.returncode, 3, piped.stderr)
            of_input, = json.loads(piped.stdout.replace('"-"', json.dumps(str(folder / "bad.csv"))))
            of_input["made_at"] = bad["made_at"]
            for rule in bad["rules"] + of_input["rules"]:
                rule["samples"] = len(rule["samples"])  # which rows are shown follows from where they stand
            self.assertEqual(of_input, bad)
            line = subprocess.run([COEVAL, *check, "-", "--format", "jsonl"], input="{}\n{\n", capture_output=True,
                                  text=True, timeout=60)
            self.assertEqual(json.loads(line.stdout)[0]["counts"]["read_count"], 2)
            self.assertEqual(run([*check, "-", "orders=-"]).returncode, 2)

    def test_a_definition_is_proposed_with_its_evidence_and_asks_for_what_no_file_tells(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            text = proposed(folder)
            assert run(["check", "-C", str(folder)]).returncode == 0
            assert 'time  = "ts"' in text
            assert 'enum = ["card", "cash", "wire"]' in text
            assert "seen 0.25..96.25 in 2,000 rows" in text
            assert 'code   = { type = "string"' in text  # zeros in front
            assert "pii = true" in text and "like an e-mail address" in text
            out = run(["check", "--data", "-C", str(folder)])
            assert out.returncode == 0, out.stdout + out.stderr
            assert "2000 read = 2000 accepted + 0 quarantined + 0 duplicates" in out.stdout

    def test_bad_rows_fail_the_run_and_are_shown_in_every_report(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            proposed(folder)
            write_orders(folder, bad=True)
            page, xml = folder / "r.html", folder / "r.xml"
            out = run(["check", "--data", f"orders={folder}/bad.csv", "-C", str(folder), "--html", str(page),
                               "--junit", str(xml), "--json"])
            assert out.returncode == 3, out.stdout + out.stderr
            report = json.loads(out.stdout)[0]
            counts = report["counts"]
            assert counts["read_count"] == ROWS == counts["accepted_count"] + counts["quarantined_count"]
            assert counts["quarantined_count"] == ROWS // 100
            rule = {r["rule"]: r for r in report["rules"]}["amount.min"]
            assert rule["status"] == "failed" and rule["rows_count"] == ROWS // 100
            assert len(rule["samples"]) == min(20, ROWS // 100)
            assert all((s["row"] - 2) % 100 == 7 for s in rule["samples"])  # lines of the file
            everything = out.stdout + page.read_text() + xml.read_text()
            assert "@example.org" not in everything  # the column is tagged personal
            cases = ET.parse(xml).getroot().findall(".//testcase")
            failed = [c.get("name") for c in cases if c.find("failure") is not None]
            assert failed == ["amount.min"] and len(cases) == len(report["rules"])
            parsed = Page()
            parsed.feed(page.read_text())
            assert "script" not in parsed.tags and not parsed.addresses and parsed.tags.count("svg") >= 3
            assert not (folder / ".coeval").exists()  # nothing was ingested

    def test_checks_of_batches_hold_a_file_back(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            text = proposed(folder)
            (folder / "coeval.toml").write_text(text + '\n[source.orders.checks]\nonce = { unique = ["mail"] }\n'
                                                'size = { rows = "", min = 1000 }\nmuch = { mean = "amount", max = 10, severity = "warn" }\n')
            good = run(["check", "--data", "-C", str(folder)])
            assert good.returncode == 0 and "warn checks.much" in good.stdout, good.stdout + good.stderr
            lines = (folder / "orders.csv").read_text().splitlines()
            (folder / "few.csv").write_text("\n".join(lines[:11] + lines[5:6]) + "\n")
            bad = run(["check", "--data", f"orders={folder}/few.csv", "-C", str(folder)])
            assert bad.returncode == 3 and "FAIL checks.once" in bad.stdout and "FAIL checks.size" in bad.stdout, bad.stdout
            assert "@example.org" not in bad.stdout
            held = run(["ingest", "orders", str(folder / "few.csv"), "-C", str(folder)])
            assert held.returncode == 3 and "held: checks.once: " in held.stdout, held.stdout + held.stderr
            status = run(["ingest", "--status", "-C", str(folder)])
            assert "0 read" in status.stdout, status.stdout
            (folder / "live.csv").write_text("\n".join(lines[:1] + lines[1:1201]) + "\n")
            taken = run(["ingest", "orders", str(folder / "live.csv"), "-C", str(folder)])
            assert taken.returncode == 0, taken.stderr
            assert "warning: checks.much" in taken.stdout, taken.stdout

    def test_a_file_without_a_row_that_can_be_read_is_reported_and_no_personal_value_with_it(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "coeval.toml").write_text(
                '[project]\nname = "p"\n[source.s]\ntime = "ts"\nknown = "event time"\n[source.s.columns]\n'
                'ts = { type = "timestamp", known = "ts" }\nage = { type = "int32", known = "ts", pii = true }\n')
            (folder / "a.jsonl").write_text('{"ts":"2024-01-01T00:00:00Z","age":"jane@pii.org"}\n')
            (folder / "a.csv").write_text("ts,age\n2024-01-01T00:00:00Z,O'Neil's jane@pii.org\n")
            for file in ("a.jsonl", "a.csv"):
                done = run(["check", "--data", str(folder / file), "-C", str(folder), "--html", str(folder / "r.html"),
                            "--junit", str(folder / "r.xml")])
                assert done.returncode == 3 and "FAIL age.type" in done.stdout, done.stdout + done.stderr
                for text in (done.stdout, (folder / "r.html").read_text(), (folder / "r.xml").read_text()):
                    assert "jane" not in text, text
                assert "jane" not in run(["check", "--data", str(folder / file), "-C", str(folder), "--json"]).stdout
                assert run(["profile", "s", str(folder / file), "-C", str(folder)]).returncode == 0

    def test_what_data_may_be_is_said(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            proposed(folder)
            for arguments, word in ((["--data", "odrers=x.csv"], "no source"), (["--data", "none.csv"], "none.csv"),
                                    (["--html", "x.html"], "--data")):
                out = run(["check", "-C", str(folder)] + arguments)
                assert out.returncode != 0 and word in out.stderr, (arguments, out.stderr)
