#!/usr/bin/env python3
"""Makes the model files of this folder and XGBoost's own predictions for them.

    OMP_WAIT_POLICY=PASSIVE python3 make_testdata.py LIBXGBOOST NAME

LIBXGBOOST: third_party/xgboost/xgboost/lib/libxgboost.so (3.4.1) for NAME = v3_4, or Debian's
libxgboost.so of 1.7.4 (package libxgboost0) for NAME = v1_7. Needs nothing but Python.

Writes NAME.ubj, NAME.json, and NAME.rows: one line a row, each number the hexadecimal bits of a float32: 5 cells,
XGBoost's margin, XGBoost's output.
"""

import ctypes
import math
import random
import struct
import sys
from pathlib import Path

TYPES = ["q", "q", "q", "c", "c"]
CODES = {3: 3, 4: 40}  # one below and one above max_cat_to_onehot
NAN, INF = math.nan, math.inf


def floats(values):
    return (ctypes.c_float * len(values))(*values)


def interface(buffer, rows, width):
    return (f'{{"data":[{ctypes.addressof(buffer)},true],"shape":[{rows},{width}],'
            '"typestr":"<f4","version":3}').encode()


def training(random_):
    rows, labels = [], []
    for _ in range(2000):
        row = [random_.gauss(0, 1), float(round(random_.gauss(0, 3))), math.exp(random_.gauss(0, 8)),
               float(random_.randrange(CODES[3])), float(random_.randrange(CODES[4]))]
        effect = row[0] + row[1] / 3 + row[3] + math.sin(row[4] * 12.9898) + random_.gauss(0, 1)
        labels.append(1.0 if effect > 1 else 0.0)
        rows += [NAN if random_.random() < 0.1 else cell for cell in row]
    return rows, labels


def questions(random_):
    odd = [0.0, -0.0, INF, -INF, 1e-45, -1e-45, 3.4e38, NAN, 1.0, -2.0]
    odd_codes = [-1.0, -0.3, 0.7, 2.5, 40.0, 41.0, 16777216.0, 1e9, INF, NAN]
    rows = []
    for _ in range(200):
        numbers = [random_.choice(odd) if random_.random() < 0.4 else random_.gauss(0, 2)
                   for _ in range(3)]
        codes = [random_.choice(odd_codes) if random_.random() < 0.3 else
                 float(random_.randrange(CODES[i])) for i in (3, 4)]
        rows += numbers + codes
    return rows


class Library:
    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        self.library.XGBGetLastError.restype = ctypes.c_char_p

    def __call__(self, name, *arguments):
        if getattr(self.library, name)(*arguments) != 0:
            raise RuntimeError(self.library.XGBGetLastError().decode())


def main(path, name):
    xgboost, random_ = Library(path), random.Random(20010501)
    rows, labels = training(random_)
    buffer, label_buffer = floats(rows), floats(labels)
    matrix, booster = ctypes.c_void_p(), ctypes.c_void_p()
    xgboost("XGDMatrixCreateFromDense", interface(buffer, len(labels), len(TYPES)),
            b'{"missing":NaN,"nthread":1}', ctypes.byref(matrix))
    xgboost("XGDMatrixSetFloatInfo", matrix, b"label", label_buffer, ctypes.c_uint64(len(labels)))
    xgboost("XGDMatrixSetStrFeatureInfo", matrix, b"feature_type",
            (ctypes.c_char_p * 5)(*[t.encode() for t in TYPES]), ctypes.c_uint64(5))
    xgboost("XGBoosterCreate", ctypes.byref(matrix), ctypes.c_uint64(1), ctypes.byref(booster))
    for key, value in {"objective": "binary:logistic", "max_depth": "4", "max_cat_to_onehot": "5",
                       "tree_method": "hist", "nthread": "1", "eta": "0.5"}.items():
        xgboost("XGBoosterSetParam", booster, key.encode(), value.encode())
    for round_ in range(5):
        xgboost("XGBoosterUpdateOneIter", booster, ctypes.c_int(round_), matrix)

    size, bytes_ = ctypes.c_uint64(), ctypes.POINTER(ctypes.c_char)()
    folder = Path(__file__).parent
    for format_ in ("ubj", "json"):
        xgboost("XGBoosterSaveModelToBuffer", booster, f'{{"format":"{format_}"}}'.encode(),
                ctypes.byref(size), ctypes.byref(bytes_))
        (folder / f"{name}.{format_}").write_bytes(bytes_[:size.value])

    asked = questions(random_)
    asked_buffer, count = floats(asked), len(asked) // len(TYPES)
    outputs = []
    for type_ in (1, 0):
        shape, dimensions = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_uint64()
        answer = ctypes.POINTER(ctypes.c_float)()
        config = (f'{{"type":{type_},"training":false,"iteration_begin":0,"iteration_end":0,'
                  '"strict_shape":false,"missing":NaN,"cache_id":0}').encode()
        xgboost("XGBoosterPredictFromDense", booster, interface(asked_buffer, count, len(TYPES)),
                config, None, ctypes.byref(shape), ctypes.byref(dimensions), ctypes.byref(answer))
        outputs.append(answer[:count])
    with open(folder / f"{name}.rows", "w") as out:
        for i in range(count):
            cells = asked[i * 5:i * 5 + 5] + [outputs[0][i], outputs[1][i]]
            out.write(" ".join(struct.pack(">f", cell).hex() for cell in cells) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
