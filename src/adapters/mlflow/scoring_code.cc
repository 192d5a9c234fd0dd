#include "adapters/mlflow/scoring_code.h"

#include "data/hash.h"

namespace coeval::adapters::mlflow {

namespace {

constexpr std::string_view kCode =
    R"py("""Scores rows with a model that coeval built. Needs numpy, pandas and the library that requirements.txt names, if any.

The folder `data` is the model as coeval keeps it: encoder.json says how inputs become a row of float32, model.json has
threshold and calibration, golden.bin has rows whose margins every load must reproduce to the bit.
"""

import json
import math
import os
import struct
import warnings

import numpy as np
import pandas as pd

FLOAT = np.dtype("<f4")


def _read_json(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return json.load(file)


class _Xgboost:
    def __init__(self, path):
        import xgboost

        self.booster = xgboost.Booster(model_file=path)

    def predict(self, rows):
        def ask(kind):
            return self.booster.inplace_predict(rows, predict_type=kind, validate_features=False, missing=np.nan)

        return ask("margin").astype(FLOAT), ask("value").astype(FLOAT)


class _Lightgbm:
    def __init__(self, path):
        import lightgbm

        self.booster = lightgbm.Booster(model_file=path)

    def predict(self, rows):
        margins = self.booster.predict(rows, raw_score=True)
        return margins.astype(FLOAT), self.booster.predict(rows).astype(FLOAT)


class _Linear:
    """Terms are added in the order of the columns, in float64, and the sum is rounded once."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.model = json.load(file)

    def predict(self, rows):
        margins = np.full(len(rows), float(self.model["intercept"]))
        for place, term in enumerate(self.model["columns"]):
            margins = margins + self._term(term, rows[:, place].astype("float64"))
        scores = _logistic(margins) if self.model["link"] == "logistic" else margins
        return margins.astype(FLOAT), scores.astype(FLOAT)

    @staticmethod
    def _term(term, cells):
        finite = np.isfinite(cells)
        cells = np.where(finite, cells, 0)
        if term["kind"] == "number":
            added = term["coefficient"] * (cells - term["mean"])
        else:
            unseen = len(term["coefficients"])
            known = (cells >= 0) & (cells < unseen) & (cells == np.floor(cells))
            added = np.array(term["coefficients"] + [0.0])[np.where(known, cells, unseen).astype("int64")]
        return np.where(finite, added, term["missing"])


def _logistic(margins):
    odds = np.exp(-np.abs(margins))
    return np.where(margins >= 0, 1, odds) / (1 + odds)


class _Onnx:
    """Each row in a call of its own: some operators let a row's answer depend on its neighbours."""

    def __init__(self, path):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.enable_mem_pattern = False
        options.log_severity_level = 4
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        (given,) = self.session.get_inputs()
        self.input = given.name
        self.repeats = given.shape[0] if isinstance(given.shape[0], int) else 1
        kinds = {output.name: output.type for output in self.session.get_outputs()}
        self.margin = "margin" if "margin" in kinds else None
        named = [name for name in ("score", "scores", "probability", "probabilities", "output_probability")
                 if name in kinds]
        real = [name for name, kind in kinds.items() if kind in ("tensor(float)", "tensor(double)") and name != "margin"]
        self.score = (named or real)[0]

    def predict(self, rows):
        margins, scores = np.empty(len(rows), FLOAT), np.empty(len(rows), FLOAT)
        for place, row in enumerate(rows):
            margins[place], scores[place] = self._one(row)
        return margins, scores

    def _one(self, row):
        names = [self.score] + ([self.margin] if self.margin else [])
        answers = self.session.run(names, {self.input: np.repeat(row[None, :], self.repeats, axis=0)})
        numbers = answers[0].reshape(-1)
        score = FLOAT.type(numbers[len(numbers) // self.repeats - 1])  # of two classes the second is the positive
        margin = answers[1].reshape(-1)[0] if self.margin else self._logit(score)
        if not (np.isfinite(score) and np.isfinite(margin)):
            raise ValueError(f"the ONNX model has no finite score for a row: it answers {score}")
        return margin, score

    @staticmethod
    def _logit(score):
        bounded = float(min(max(score, np.finfo(FLOAT).tiny), FLOAT.type(1 - 2.0**-24)))
        return math.log(bounded / (1 - bounded))


_LIBRARIES = {"model.ubj": _Xgboost, "model.xgboost.json": _Xgboost, "model.lightgbm.txt": _Lightgbm,
              "model.linear.json": _Linear, "model.onnx": _Onnx}


class Column:
    """An input: a name, a type and, of a text, the words that were seen in training; a word's code is its place."""

    def __init__(self, spec):
        self.name, self.type = spec["name"], spec["type"]
        self.codes = {word: place for place, word in enumerate(spec.get("dictionary", []))}

    def encode(self, values):
        return self._words(values) if self.type == "string" else self._numbers(values)

    def _words(self, values):
        unseen = len(self.codes)
        out = np.full(len(values), np.nan, FLOAT)
        for place, (word, missing) in enumerate(zip(values, pd.isna(values))):
            if missing:
                continue
            if not isinstance(word, str):
                raise TypeError(f"input '{self.name}' is a text, row {place} has {type(word).__name__}")
            out[place] = self.codes.get(word, unseen)
        return out

    def _numbers(self, values):
        if values.dtype.kind in "iub" and isinstance(values.dtype, np.dtype):
            return values.to_numpy().astype(FLOAT)
        if values.dtype.kind == "O":
            for place, value in enumerate(values):
                if isinstance(value, (str, bytes)):
                    raise TypeError(f"input '{self.name}' is a number, row {place} has a text")
            values = values.astype("float64") if values.isna().any() else pd.to_numeric(values)
        with np.errstate(over="ignore"):
            return values.to_numpy(dtype="float64", na_value=np.nan).astype(FLOAT)


def _platt(calibration, scores):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(calibration["slope"] * scores + calibration["intercept"]))


def _isotonic(calibration, scores):
    x, y = np.array(calibration["scores"]), np.array(calibration["values"])
    out = np.where(scores >= x[-1], y[-1], y[0])
    inside = (scores > x[0]) & (scores < x[-1])
    above = np.searchsorted(x, scores[inside], side="right")
    rise = (y[above] - y[above - 1]) / (x[above] - x[above - 1])
    out[inside] = np.minimum(y[above - 1] + (scores[inside] - x[above - 1]) * rise, y[above])
    return np.where(np.isnan(scores), np.nan, out)


def read_golden(folder):
    """(rows, margins, scores), as they were when the model was built."""
    with open(os.path.join(folder, "golden.bin"), "rb") as file:
        data = file.read()
    magic, version, width, count = struct.unpack_from("<8sIII", data)
    if magic != b"coevgold" or version != 1 or len(data) != 20 + count * (width + 2) * 4 + 4:
        raise ValueError("golden.bin is damaged, or of another format")
    cells = np.frombuffer(data, FLOAT, count * (width + 2), 20).reshape(count, width + 2)
    return cells[:, :width].copy(), cells[:, width].copy(), cells[:, width + 1].copy()


class Model:
    """predict() takes a DataFrame of the inputs by name, and answers score and decision of each row, of a regression the score.

    A missing value is None or NaN; an input without a column is missing in all rows.
    """

    def __init__(self, folder):
        card = _read_json(folder, "model.json")
        self.threshold, self.calibration = card.get("threshold"), card.get("calibration")
        self.columns = [Column(spec) for spec in _read_json(folder, "encoder.json")["columns"]]
        name = next(name for name in _LIBRARIES if os.path.exists(os.path.join(folder, name)))
        self.library = _LIBRARIES[name](os.path.join(folder, name))
        self._check(folder)

    def _check(self, folder):
        rows, margins, scores = read_golden(folder)
        ours = self.library.predict(rows)[0].view("<u4")
        wrong = int(np.count_nonzero(ours != margins.view("<u4")))
        if wrong:
            raise ValueError(f"{wrong} of {len(rows)} golden rows have other margins than when the model was built: "
                             "is this the library that requirements.txt names?")
        others = int(np.count_nonzero(self.score(rows).view("<u4") != scores.view("<u4")))
        if others:
            warnings.warn(f"{others} of {len(rows)} golden rows have scores with other last bits than coeval's")

    def encode(self, frame):
        """Rows of float32 as the library reads them."""
        rows = np.full((len(frame), len(self.columns)), np.nan, FLOAT)
        for place, column in enumerate(self.columns):
            if column.name in frame.columns:
                rows[:, place] = column.encode(frame[column.name])
        return rows

    def score(self, rows):
        """float32 scores of encoded rows, calibrated where the model is."""
        scores = self.library.predict(rows)[1]
        if self.calibration is None:
            return scores
        apply = {"platt": _platt, "isotonic": _isotonic}[self.calibration["kind"]]
        return apply(self.calibration, scores.astype("float64")).astype(FLOAT)

    def predict(self, data, params=None):
        if not isinstance(data, pd.DataFrame):
            raise TypeError(f"rows are given as a pandas DataFrame, not as {type(data).__name__}")
        scores = self.score(self.encode(data)).astype("float64")
        answers = {"score": scores}
        if self.threshold is not None:
            answers["decision"] = scores >= self.threshold
        return pd.DataFrame(answers, index=data.index)


def _load_pyfunc(path):
    return Model(path)
)py";

}  // namespace

std::string_view scoring_code() { return kCode; }

std::string scoring_module() { return "coeval_scoring_" + data::sha256_hex(kCode).substr(0, 8); }

}  // namespace coeval::adapters::mlflow
