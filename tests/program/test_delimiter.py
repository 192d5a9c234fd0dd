"""CSV with other delimiters than a comma: declared, proposed, read everywhere, named where it is not declared."""

import json
import unittest

from program import DEFINITION, Project

LINES = ("ts;user;amount;bad", "2024-05-10T00:00:00Z;u1;5.5;0", "2024-05-10T00:00:01Z;u2;much;1",
         "2024-05-10T00:00:02Z;\"u;3\";7;0", "2024-05-10T00:00:03Z;u4;1,5;1", "2024-05-10T00:00:04Z;u5;8;1")


def declared(delimiter):
    return DEFINITION.replace('path  = "orders.csv"', f'path  = "orders.csv"\ndelimiter = {json.dumps(delimiter)}')


class Delimiter(unittest.TestCase):
    def setUp(self):
        self.project = Project(count=10)
        self.addCleanup(self.project.remove)

    def write(self, delimiter, name="a.csv"):
        text = "\n".join(LINES).replace(";", delimiter) + "\n"
        (self.project.folder / name).write_text(text)
        return text

    def test_what_is_declared_is_read_checked_kept_and_replayed(self):
        for delimiter in (";", "\t", "|"):
            with self.subTest(delimiter):
                project = self.project.copy()
                self.addCleanup(project.remove)
                (project.folder / "coeval.toml").write_text(declared(delimiter))
                text = "\n".join(LINES).replace(";", delimiter) + "\n"
                (project.folder / "a.csv").write_text(text)
                checked = project.json("check", "--data", f"orders={project.folder / 'a.csv'}", check=3)[0]
                self.assertEqual(checked["counts"]["accepted_count"], 2)
                taken = project.json("ingest", "orders", project.folder / "a.csv")[0]
                self.assertEqual((taken["accepted_count"], taken["quarantined_count"]), (2, 3))
                rows = project.json("quarantine", "show", "orders")
                self.assertEqual([(row["row"], row["rules"]) for row in rows],
                                 [(3, ["amount.type"]), (4, ["user.pattern"]), (5, ["amount.type"])])
                self.assertEqual([row["raw"] for row in rows], [text.splitlines()[i] for i in (2, 3, 4)])
                (project.folder / "coeval.toml").write_text(declared(delimiter).replace('"u[0-9]+"', '"u.*"'))
                replayed = project.json("quarantine", "replay", "orders")[0]
                self.assertEqual(replayed["accepted_count"], 1)

    def test_a_build_reads_the_same_file(self):
        (self.project.folder / "coeval.toml").write_text(declared("|"))
        self.write("|", "orders.csv")
        self.project.run("build", check=None)  # of two rows no model is made
        lines = (self.project.folder / ".coeval/quarantine/orders.jsonl").read_text().splitlines()
        self.assertEqual(sorted(json.loads(line)["row"] for line in lines), [3, 4, 5])

    def test_one_that_is_not_declared_is_named(self):
        self.write(";")
        refused = self.project.run("ingest", "orders", self.project.folder / "a.csv", check=2)
        self.assertIn("fields seem to stand between ';': declare it as the source's `delimiter`", refused.stderr)

    def test_what_cannot_be_one_is_refused_with_the_choices(self):
        for wrong in ("", "x", ";;", "\"", " "):
            (self.project.folder / "coeval.toml").write_text(declared(wrong))
            refused = self.project.run("check", check=2)
            self.assertIn("the delimiter of source 'orders' cannot be", refused.stderr)
            self.assertIn('"\\t"', refused.stderr)

    def test_init_proposes_it(self):
        for delimiter, said in ((";", 'delimiter = ";"'), ("\t", 'delimiter = "\\t"'), (",", None)):
            with self.subTest(delimiter):
                file = self.project.folder / "proposed.csv"
                rows = [delimiter.join((f"2024-05-10T00:00:0{i}Z", '"a,b;c"', str(i))) + "\n" for i in range(9)]
                file.write_text(delimiter.join(("at", "who", "n")) + "\n" + "".join(rows))
                folder = self.project.folder / f"new{ord(delimiter)}"
                self.project.run("init", folder, "--from", file)
                text = (folder / "coeval.toml").read_text()
                self.assertEqual("delimiter" in text, said is not None, text)
                if said:
                    self.assertIn(said, text)


if __name__ == "__main__":
    unittest.main()
