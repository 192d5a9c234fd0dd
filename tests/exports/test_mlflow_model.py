"""Models as MLflow's, loaded in MLflow itself: the scores are ours to the bit, and so are the metrics of the test part."""

import pathlib
import shutil
import unittest
import warnings

import mlflow
import numpy as np
import pandas as pd
import pyarrow.parquet
from shop import built


def golden_of(folder):
    """(rows, margins, scores) of a model folder, read by the format's description in golden_file.h."""
    data = (pathlib.Path(folder) / "golden.bin").read_bytes()
    width, count = np.frombuffer(data, "<u4", 2, 12)
    cells = np.frombuffer(data, "<f4", int(count) * (int(width) + 2), 20).reshape(int(count), int(width) + 2)
    return cells[:, :width], cells[:, width], cells[:, width + 1].copy()


def example_of(model):
    example = model.input_example
    assert len(example) == 64, len(example)
    return example


def score_bits(scores):
    return scores.to_numpy().astype("<f4").view("<u4")


class Model:
    """The tests; each class below has a trainer and a calibration."""

    version = "risk@v1"
    vendors = True

    @classmethod
    def setUpClass(cls):
        cls.project = built(trainer=cls.trainer, calibration=cls.calibration)
        cls.folder = cls.project.folder / "exported"
        cls.register()
        cls.project.run("export", "mlflow-model", cls.version, cls.folder)
        cls.ours, = (path.parent for path in (cls.project.folder / ".coeval/models/risk").glob(f"*/{cls.file}"))
        with warnings.catch_warnings(record=True) as cls.warned:
            warnings.simplefilter("always")
            cls.model = mlflow.pyfunc.load_model(str(cls.folder))

    @classmethod
    def register(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()

    def test_golden_rows_score_as_they_did(self):
        _, margins, golden = golden_of(self.ours)
        answer = self.model.predict(example_of(self.model))
        differ = np.count_nonzero(score_bits(answer["score"]) != golden.view("<u4"))
        print(f"{self.trainer}, {self.calibration}: {differ} of {len(golden)} golden scores differ")
        self.assertEqual(differ, 0)
        # The rows differ; isotonic calibration leaves of them as many scores as it has steps there.
        print(f"{len(set(margins.tolist()))} margins, {len(set(golden.tolist()))} scores")
        self.assertGreater(len(set(margins.tolist())), 30)
        self.assertGreater(len(set(golden.tolist())), 4 if self.calibration == "isotonic" else 30)

    def test_the_libraries_own_predictions_are_ours_before_calibration(self):
        rows, margins, _ = golden_of(self.ours)
        if not self.vendors:
            self.assertEqual(set(self.model.metadata.flavors), {"python_function"})
            return
        if self.trainer == "xgboost":
            import xgboost
            native = mlflow.xgboost.load_model(str(self.folder))
            self.assertIsInstance(native, xgboost.Booster)
            raw = native.inplace_predict(rows.copy(), predict_type="margin", validate_features=False)
        else:
            native = mlflow.lightgbm.load_model(str(self.folder))
            raw = native.predict(rows, raw_score=True).astype("<f4")
        self.assertEqual(raw.astype("<f4").view("<u4").tolist(), margins.copy().view("<u4").tolist())

    def test_metrics_of_the_test_part_are_the_models_own(self):
        table = pyarrow.parquet.read_table(next((self.project.folder / ".coeval/datasets").glob("*.parquet")))
        rows = table.to_pandas()
        rows = rows[rows["split"] == "test"].reset_index(drop=True)
        self.assertGreater(len(rows), 1000)
        inputs = [column.name for column in self.model.metadata.signature.inputs.inputs]
        frame = rows[inputs].copy()
        for column in frame.columns:  # MLflow takes no int64 for a double
            if frame[column].dtype.kind == "i":
                frame[column] = frame[column].astype("float64")
        answer = self.model.predict(frame)
        label = rows["label"].to_numpy(dtype=bool)
        score = answer["score"].to_numpy()
        stated = self.project.json("runs", "show", self.version)["metrics"]
        self.assertEqual(len(rows), stated["test.rows"])
        brier = float(np.mean((score - label) ** 2))
        self.assertAlmostEqual(brier, stated["test.brier"], delta=1e-12)
        ranks = pd.Series(score).rank().to_numpy()
        positives = int(label.sum())
        auc = (ranks[label].sum() - positives * (positives + 1) / 2) / (positives * (len(label) - positives))
        self.assertAlmostEqual(auc, stated["test.auc"], delta=1e-12)
        self.assertEqual(int((answer["decision"] & label).sum()), stated["test.confusion.true_positives"])

    def test_missing_unseen_and_wrong_inputs(self):
        example = example_of(self.model)
        some = example.head(3).copy()
        some["user"] = [None, "nobody", example["user"][2]]
        some.loc[1, "amount"] = float("nan")
        answer = self.model.predict(some)
        self.assertTrue(answer["score"].between(0, 1).all())
        dropped = self.model.predict(example.drop(columns="user"))
        nothing = self.model.predict(example.assign(user=None))
        self.assertEqual(dropped["score"].tolist(), nothing["score"].tolist())
        with self.assertRaises(Exception):
            self.model.predict(example.assign(amount="much"))

    def test_the_signature_names_inputs_and_types(self):
        inputs = {column.name: column.type.name for column in self.model.metadata.signature.inputs.inputs}
        self.assertEqual((inputs["user"], inputs["amount"], inputs["(amount > 20.0)"]), ("string", "double", "boolean"))
        self.assertEqual(self.model.metadata.signature.outputs.input_names(), ["score", "decision"])
        self.assertEqual(self.model.metadata.metadata["coeval.version"], self.version)

    def test_a_changed_model_is_refused(self):
        twin = self.project.folder / "changed"
        shutil.copytree(self.folder, twin)
        self.addCleanup(shutil.rmtree, twin)
        golden = bytearray((twin / "data/golden.bin").read_bytes())
        width = int.from_bytes(golden[12:16], "little")
        golden[20 + width * 4] ^= 1  # the last bit of the first margin
        (twin / "data/golden.bin").write_bytes(golden)
        with self.assertRaisesRegex(ValueError, "1 of 64 golden rows"):
            mlflow.pyfunc.load_model(str(twin))

    def test_the_same_bytes_again_and_nothing_overwritten(self):
        again = self.project.folder / "again"
        again.mkdir()  # an empty folder may be there
        self.addCleanup(shutil.rmtree, again, True)
        self.project.run("export", "mlflow-model", again)
        files = lambda folder: {str(path.relative_to(folder)): path.read_bytes()
                                for path in folder.rglob("*") if path.is_file()}
        clean = lambda contents: {name: data for name, data in contents.items() if "__pycache__" not in name}
        self.assertEqual(clean(files(again)), clean(files(self.folder)))
        for path in self.ours.iterdir():
            self.assertEqual((again / "data" / path.name).read_bytes(), path.read_bytes())
        before = files(again)
        refused = self.project.run("export", "mlflow-model", again, check=2).stderr
        self.assertIn("C1001", refused)
        self.assertEqual(files(again), before)
        self.assertEqual([path.name for path in self.project.folder.glob("*.partial-*")], [])

    def test_lines_that_cannot_be_understood(self):
        for words in ((), ("risk", "a", "b")):
            self.project.run("export", "mlflow-model", *words, check=2)
        self.assertIn("C0901", self.project.run("export", "mlflow-model", "risk@v9", "x", check=2).stderr)


class IsotonicXgboost(Model, unittest.TestCase):
    trainer, calibration, file = "xgboost", "isotonic", "model.ubj"


class PlattXgboost(Model, unittest.TestCase):
    trainer, calibration, file = "xgboost", "platt", "model.ubj"


class IsotonicLightgbm(Model, unittest.TestCase):
    trainer, calibration, file = "lightgbm", "isotonic", "model.lightgbm.txt"


class PlattLightgbm(Model, unittest.TestCase):
    trainer, calibration, file = "lightgbm", "platt", "model.lightgbm.txt"


class Linear(Model, unittest.TestCase):
    trainer, calibration, file, vendors = "linear", "platt", "model.linear.json", False


class OnnxOfXgboost(Model, unittest.TestCase):
    trainer, calibration, file, vendors = "xgboost", "isotonic", "model.onnx", False
    version = "risk@v2"

    @classmethod
    def register(cls):
        file = cls.project.folder / "risk.onnx"
        cls.project.run("export", "onnx", "risk@v1", file)
        cls.project.run("register", "risk", "--file", file)


if __name__ == "__main__":
    unittest.main()
