"""ONNX: a version written as one and taken back, models of other makers, and what is refused."""

import json
import os
import pathlib
import shutil
import struct
import tempfile
import unittest

from program import CUT, SANITIZED, Project, Server, run

TESTDATA = pathlib.Path(__file__).parents[2] / "src/models/testdata"
INPUTS = 11  # hour, amount and nine of the view


def varint(value):
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def part(field, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def floats(name, shape, values):
    dims = b"".join(number(1, size) for size in shape)
    return part(5, dims + number(2, 1) + part(8, name) + part(9, struct.pack(f"<{len(values)}f", *values)))


def value(field, name, columns):
    shape = part(1, part(2, "rows")) + part(1, number(1, columns))
    return part(field, part(1, name) + part(2, part(1, number(1, 1) + part(2, shape))))


def node(operator, inputs, output):
    return part(1, b"".join(part(1, each) for each in inputs) + part(2, output) + part(4, operator))


def logistic(weights, imputed=True):
    """sigmoid(x · weights), missing cells counting 0."""
    graph = node("IsNaN", ["x"], "none") + node("Where", ["none", "zero", "x"], "clean")
    graph += node("MatMul", ["clean" if imputed else "x", "w"], "margin") + node("Sigmoid", ["margin"], "score")
    graph += floats("w", [len(weights), 1], weights) + floats("zero", [], [0.0])
    graph += value(11, "x", len(weights)) + value(12, "margin", 1) + value(12, "score", 1)
    return number(1, 8) + part(7, part(2, "g") + graph) + part(8, part(1, "") + number(2, 17))


def greedy(shape, operator, inputs, times=1):
    """Like logistic, whose margin first gets the sum of what is made of a tensor of zeros."""
    dims = number(1, len(shape)) + number(2, 7) + part(8, "shape") + part(9, struct.pack(f"<{len(shape)}q", *shape))
    graph = node("ConstantOfShape", ["shape"], "big")
    for time in range(times):
        graph += node(operator, inputs, f"made{time}")
        inputs = [f"made{time}", *inputs[1:]]
    graph += node("ReduceSum", [f"made{times - 1}"], "total") + node("ReduceMax", ["total"], "most")
    graph += node("IsNaN", ["x"], "none") + node("Where", ["none", "zero", "x"], "clean")
    graph += node("MatMul", ["clean", "w"], "plain") + node("Reshape", ["most", "one"], "scalar")
    graph += node("Add", ["plain", "scalar"], "margin") + node("Sigmoid", ["margin"], "score")
    one = number(1, 1) + number(2, 7) + part(8, "one") + part(9, struct.pack("<q", 1))
    graph += part(5, dims) + part(5, one) + floats("w", [INPUTS, 1], [0.1] * INPUTS) + floats("zero", [], [0.0])
    graph += value(11, "x", INPUTS) + value(12, "margin", 1) + value(12, "score", 1)
    return number(1, 8) + part(7, part(2, "g") + graph) + part(8, part(1, "") + number(2, 17))


class Onnx(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.project = Project()
        cls.project.build_and_promote()
        cls.file = cls.project.folder / "risk.onnx"
        cls.exported = cls.project.json("export", "onnx", "risk@v1", cls.file)

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()

    def twin(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        return twin

    def write(self, twin, name, content):
        path = twin.folder / name
        path.write_bytes(content)
        return path

    def test_the_export_has_the_margins_bits_and_says_so(self):
        compared = self.exported["compared"]
        self.assertGreater(compared["rows"], 4000)
        self.assertEqual(compared["margins_differ"], 0)
        self.assertLess(compared["scores_differ"], compared["rows"] / 1000)
        self.assertLess(compared["largest_score_difference"], 1e-6)
        self.assertEqual(compared["runtime"], "onnxruntime 1.32.0")
        content = self.file.read_bytes()
        for word in (b"TreeEnsemble", b"coeval.threshold", b"user.bad_14d", b'"margins_differ":0'):
            self.assertIn(word, content)
        told = self.project.run("export", "onnx", "risk", self.file)
        self.assertIn("0 margins and", told.stderr)
        self.assertEqual(self.file.read_bytes(), content)

    def test_what_was_exported_can_be_registered_served_and_audited(self):
        twin = self.twin()
        made, = twin.json("register", "risk", "--file", self.file)
        self.assertEqual((made["version"], made["fresh"]), (2, True))
        self.assertEqual(made["bits_id"], self.exported["sha256"])
        shown = twin.json("show", "risk")
        model = json.loads(next(twin.folder.rglob("model.onnx")).with_name("model.json").read_text())
        self.assertEqual(model["engine"], "file sha256:" + self.exported["sha256"])
        self.assertEqual(model["model_file"], "risk.onnx")
        self.assertEqual(shown["version"], 2)
        again, = twin.json("register", "risk", "--file", self.file)
        self.assertEqual((again["version"], again["fresh"]), (2, False))
        # The next build is still the one of the definition.
        self.assertEqual(twin.json("build", "risk")[0]["version"], 1)

        question, target = {"user": "u7", "amount": 20.0}, "/v1/predict/risk?now=2024-04-03T00:00:00Z"
        forest = Server(twin)
        self.addCleanup(forest.close)
        status, answer = forest.call("POST", target, question)
        self.assertEqual(status, 200, answer)
        self.assertNotIn("libonnxruntime", pathlib.Path(f"/proc/{forest.process.pid}/maps").read_text())
        self.assertEqual(forest.stop(), 0)

        twin.run("promote", "risk", "--version", "2")
        server = Server(twin)
        self.addCleanup(server.close)
        self.assertIn("libonnxruntime", pathlib.Path(f"/proc/{server.process.pid}/maps").read_text())
        played = json.loads(twin.run("replay", "--from", CUT, "--to", "2024-04-03", "--url", server.url,
                                     "--json").stdout)["models"]["risk"]
        status, of_onnx = server.call("POST", target, question)
        self.assertEqual(status, 200, of_onnx)
        self.assertEqual(server.stop(), 0)
        self.assertGreater(played["questions_count"], 100)
        self.assertGreater(of_onnx["score"], 0)
        self.assertEqual(twin.json("audit")["differ_count"], 0)
        self.assertTrue(twin.json("explain", played["last_prediction_id"])["features"])

    def test_every_verb_that_loads_a_version_loads_it(self):
        twin = self.twin()
        twin.run("register", "risk", "--file", self.file)
        twin.run("show", "risk", "--card", twin.folder / "card.md")
        self.assertIn("ONNX", (twin.folder / "card.md").read_text())
        self.assertTrue(twin.json("reproduce", "risk@v2")["same"])
        twin.run("explain", "gate", "risk@v2")
        self.assertTrue(all(one["sound"] for one in twin.json("doctor")))
        twin.run("gc")
        self.assertEqual(len(list(twin.folder.rglob("model.onnx"))), 1)

    def test_a_model_of_another_maker_is_judged_as_ours_are(self):
        twin = self.twin()
        # The last inputs are the shares of bad orders.
        path = self.write(twin, "linear.onnx", logistic([0.0, 0.0] + [0.0] * 6 + [1.0, 1.0, 3.0]))
        done = twin.run("register", "risk", "--file", path, check=None)
        self.assertIn("runtime equals another session of ONNX Runtime on", done.stderr)
        self.assertIn(": 0 differ", done.stderr)
        self.assertIn("risk@v2 built", done.stdout)
        again = self.write(twin, "same.onnx", path.read_bytes())
        self.assertIn("risk@v2 unchanged", twin.run("register", "risk", "--file", again, check=None).stdout)

    def test_xgboosts_own_file_is_checked_by_xgboost(self):
        twin = self.twin()
        ubj, = twin.folder.rglob("model.ubj")
        shutil.copy(ubj, twin.folder / "elsewhere.ubj")
        done = twin.run("register", "risk", "--file", twin.folder / "elsewhere.ubj")
        self.assertIn(": 0 differ", done.stderr)
        one, two = (twin.json("show", "risk", "--version", version) for version in (1, 2))
        self.assertEqual(one["bits_id"], two["bits_id"])
        self.assertNotEqual(one["recipe_id"], two["recipe_id"])

    def test_inputs_of_another_order_are_refused(self):
        twin = self.twin()
        ubj, = twin.folder.rglob("model.ubj")
        text = ubj.read_bytes()
        self.assertEqual(text.count(b"SL\x00\x00\x00\x00\x00\x00\x00\x04hour"), 1)
        other = self.write(twin, "other.ubj", text.replace(b"\x04hour", b"\x04year"))
        done = twin.run("register", "risk", "--file", other, check=None)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("input 1 is 'year' in the file, but 'hour' in the definition", done.stderr)

    def test_what_cannot_be_served_is_never_registered(self):
        twin = self.twin()
        text = (TESTDATA / "lightgbm_classes.txt").read_bytes()
        with open(twin.folder / "huge.ubj", "wb") as file:
            file.truncate((1 << 30) + 1)
        cases = {
            twin.folder / "huge.ubj": "has over 1 GiB",
            TESTDATA / "onnx_zipmap.onnx": "'output_probability', a sequence of maps",
            TESTDATA / "onnx_two_inputs.onnx": "2 inputs ('age'",
            TESTDATA / "onnx_external_data.onnx": "kept in another file",
            TESTDATA / "onnx_random.onnx": "draws random numbers",
            TESTDATA / "onnx_unknown_operator.onnx": "No Op registered for Reluu",
            TESTDATA / "onnx_new_opset.onnx": "Opset 99 is under development",
            TESTDATA / "onnx_wrong_shape.onnx": "3 numbers for 1 rows",
            TESTDATA / "lightgbm_classes.txt": "3 outputs instead of 11 and 1",
            TESTDATA / "onnx_logistic.onnx": "it has 3 inputs and 1 outputs instead of 11 and 1",
            self.write(twin, "half.onnx", self.file.read_bytes()[:2000]): "is cut off",
            self.write(twin, "empty.onnx", b""): "is empty",
            self.write(twin, "text.onnx", b"hello"): "text.onnx",
            self.write(twin, "giant.onnx", b"\x08\x08\x3a\xff\xff\xff\xff\x03"): "a part of 1073741823 bytes",
            self.write(twin, "giant.ubj", b"{L\0\0\0\0\x40\0\0\0"): "a length of 1073741824 goes beyond the end",
            self.write(twin, "array.ubj", b"{i\7learner[$d#l\x40\0\0\0"): "an array is longer than the file",
            self.write(twin, "newer.ubj", b"{i\7version[#i\3i\x63i\0i\0}"): "version 99.0 is not supported",
            self.write(twin, "newer.txt", text.replace(b"version=v4", b"version=v9")): "version 'v9'",
            self.write(twin, "newer.json", b'{"format":"coeval linear","version":99}\n'): "version 99 of the format",
            self.write(twin, "nan.onnx", logistic([1.0] * INPUTS, imputed=False)): "no finite score for a row",
            twin.folder / "none.onnx": "none.onnx",
        }
        for path, word in cases.items():
            with self.subTest(path.name):
                done = twin.run("register", "risk", "--file", path, check=None)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(word, done.stderr)
        self.assertEqual(twin.json("show", "risk")["version"], 1)
        self.assertEqual(list(twin.folder.rglob("model.onnx")), [])

    @unittest.skipIf(SANITIZED, "a sanitizer's shadow is terabytes of address space, which the limit counts")
    def test_a_model_that_asks_for_too_much_memory_or_time_is_stopped(self):
        twin = self.twin()
        definition = (twin.folder / "coeval.toml").read_text()
        limits = 'limits   = { memory_limit = "1GB", time_budget = "3s" }\n'
        (twin.folder / "coeval.toml").write_text(definition.replace("trainer  =", limits + "trainer  =", 1))
        large = greedy([1 << 29], "ReduceSum", ["big"])  # 2 GiB of zeros
        slow = greedy([2500, 2500], "MatMul", ["big", "big"], times=200)
        for name, model, words in (("large.onnx", large, ("ONNX Runtime 1.32.0", "memory_limit")),
                                   ("slow.onnx", slow, ("in a process of its own did not finish in 3 s", "limits"))):
            with self.subTest(name):
                done = twin.run("register", "risk", "--file", self.write(twin, name, model), check=None)
                self.assertNotEqual(done.returncode, 0)
                for word in (f"'{name}' cannot be used", *words):
                    self.assertIn(word, done.stderr)
        self.assertEqual(twin.json("show", "risk")["version"], 1)
        twin.run("register", "risk", "--file", self.file)  # the limits are enough for one that does not

    def test_without_the_library_forests_are_served_and_the_rest_says_how_to_get_it(self):
        home = pathlib.Path(tempfile.mkdtemp(prefix="coeval-test-"))
        self.addCleanup(shutil.rmtree, home)
        (home / "third_party").mkdir()
        environment = {**os.environ, "COEVAL_HOME": str(home)}
        twin = self.twin()
        out = twin.folder / "out.onnx"
        done = twin.run("export", "onnx", "risk", out, check=None, env=environment)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("ONNX Runtime", done.stderr)
        self.assertIn("./dev setup", done.stderr)
        self.assertFalse(out.exists())
        twin.run("export", "onnx", "risk", out, "--no-check", env=environment)
        self.assertNotIn(b"coeval.compared", out.read_bytes())
        twin.run("register", "risk", "--file", self.file)
        finding, = [one for one in json.loads(twin.run("doctor", "--json", check=3, env=environment).stdout)
                    if one["subject"] == "risk@v2"]
        self.assertIn("ONNX Runtime", finding["finding"])

    def test_usage(self):
        self.assertIn("coeval export onnx MODEL", run("export", "-C", self.project.folder, "onnx", check=None).stderr)
        twin = self.twin()
        twin.run("register", "risk", "--file", self.file)
        done = twin.run("export", "onnx", "risk@v2", twin.folder / "again.onnx", check=None)
        self.assertIn("is an ONNX model already", done.stderr)


if __name__ == "__main__":
    unittest.main()
