"""The same rows in every format and packing that is read give the same dataset."""

import gzip
import json
import pathlib
import shutil
import subprocess
import unittest

from program import DEFINITION, Project, order_json, orders

PEERS = pathlib.Path(__file__).resolve().parents[2] / "third_party/peers"
COUNT = 2000
WRITE_ARROW = """
import sys, pyarrow, pyarrow.csv, pyarrow.ipc
table = pyarrow.csv.read_csv(sys.argv[1], convert_options=pyarrow.csv.ConvertOptions(column_types={
    "ts": pyarrow.timestamp("us", "UTC"), "user": pyarrow.string(), "amount": pyarrow.float64(), "bad": pyarrow.int32()}))
make = pyarrow.ipc.new_file if sys.argv[3] == "file" else pyarrow.ipc.new_stream
with make(sys.argv[2], table.schema, options=pyarrow.ipc.IpcWriteOptions(compression=sys.argv[4])) as writer:
    writer.write_table(table, max_chunksize=300)
"""


def python_with_pyarrow():
    for python in sorted(PEERS.glob("*/bin/python")):
        if subprocess.run([python, "-c", "import pyarrow.ipc"], capture_output=True).returncode == 0:
            return python
    return None


class Formats(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.project = Project(count=COUNT)
        cls.csv = cls.project.folder / "orders.csv"
        cls.questions = cls.project.folder / "questions.csv"
        with open(cls.questions, "w", encoding="utf-8") as file:
            file.write("user,at\n")
            for i, (moment, user, _, _) in enumerate(orders(COUNT)):
                if i % 5 == 0:
                    file.write(f"{user},{moment.isoformat()}\n")
        cls.expected = cls.dataset("orders.csv")

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()

    @classmethod
    def dataset(cls, path):
        (cls.project.folder / "coeval.toml").write_text(DEFINITION.replace("orders.csv", path))
        out = cls.project.folder / "out.jsonl"
        cls.project.run("dataset", "--features", "user", "--questions", cls.questions, "--at", "at", "--out", out)
        return out.read_text()

    def test_packed_csv(self):
        text = self.csv.read_bytes()
        # Two members, cut in the middle of a line.
        packed = gzip.compress(text[:5000]) + gzip.compress(text[5000:])
        (self.project.folder / "a.csv.gz").write_bytes(packed)
        self.assertEqual(self.dataset("a.csv.gz"), self.expected)
        (self.project.folder / "b.csv.gz").write_bytes(packed[:-9])
        with self.assertRaisesRegex(AssertionError, "cut short"):
            self.dataset("b.csv.gz")
        if shutil.which("zstd"):
            subprocess.run(["zstd", "-q", self.csv, "-o", self.project.folder / "a.csv.zst"], check=True)
            self.assertEqual(self.dataset("a.csv.zst"), self.expected)

    def test_packed_json_lines(self):
        lines = "".join(json.dumps(order_json(*order)) + "\n" for order in orders(COUNT))
        (self.project.folder / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
        self.assertEqual(self.dataset("a.jsonl.gz"), self.expected)

    def test_arrow(self):
        python = python_with_pyarrow()
        if python is None:
            self.skipTest("no pyarrow in third_party/peers")
        for name, form, compression in (("a.arrow", "file", "lz4"), ("a.feather", "file", "zstd"),
                                        ("a.arrows", "stream", "lz4"), ("a.ipc", "stream", "zstd")):
            with self.subTest(name):
                subprocess.run([python, "-c", WRITE_ARROW, self.csv, self.project.folder / name, form, compression],
                               check=True)
                self.assertEqual(self.dataset(name), self.expected)


if __name__ == "__main__":
    unittest.main()
