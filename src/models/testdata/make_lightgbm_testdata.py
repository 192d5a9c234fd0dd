#!/usr/bin/env python3
"""Makes the LightGBM model of this folder and the library's own predictions for it.

    OMP_WAIT_POLICY=PASSIVE python3 make_lightgbm_testdata.py LIB_LIGHTGBM

LIB_LIGHTGBM: third_party/lightgbm/lightgbm/lib/lib_lightgbm.so (4.7.0). Needs nothing but Python and
make_testdata.py.

Writes lightgbm_v4.txt, and lightgbm_v4.rows: one line a row, 5 cells as the hexadecimal bits of a
float32, then margin and output as those of a float64. lightgbm_classes.txt has three classes.
"""

import ctypes
import random
import struct
import sys
from pathlib import Path

from make_testdata import floats, questions, training

COMMON = ("num_threads=1 deterministic=true force_col_wise=true verbosity=-1 num_leaves=7 "
          "min_data_in_leaf=20 categorical_feature=3,4 ")


def main(path):
    library, random_ = ctypes.CDLL(path), random.Random(20010501)
    library.LGBM_GetLastError.restype = ctypes.c_char_p

    def call(name, *arguments):
        if getattr(library, name)(*arguments) != 0:
            raise RuntimeError(library.LGBM_GetLastError().decode())

    rows, labels = training(random_)
    classes = [float(min(2, abs(int(cell)))) if (cell := rows[i * 5 + 1]) == cell else 0.0
               for i in range(len(labels))]
    folder, cells = Path(__file__).parent, floats(rows)
    for name, objective, target in (("lightgbm_v4", "objective=binary", labels),
                                    ("lightgbm_classes", "objective=multiclass num_class=3", classes)):
        parameters, data, booster = (COMMON + objective).encode(), ctypes.c_void_p(), ctypes.c_void_p()
        call("LGBM_DatasetCreateFromMat", cells, 0, len(labels), 5, 1, parameters, None,
             ctypes.byref(data))
        call("LGBM_DatasetSetField", data, b"label", floats(target), len(labels), 0)
        call("LGBM_BoosterCreate", data, parameters, ctypes.byref(booster))
        for _ in range(4):
            call("LGBM_BoosterUpdateOneIter", booster, ctypes.byref(ctypes.c_int()))
        size, text = ctypes.c_int64(), ctypes.create_string_buffer(1 << 20)
        call("LGBM_BoosterSaveModelToString", booster, 0, -1, 0, ctypes.c_int64(1 << 20),
             ctypes.byref(size), text)
        (folder / f"{name}.txt").write_bytes(text.value)
        if objective != "objective=binary":
            continue
        saved, asked = ctypes.c_void_p(), questions(random_)
        call("LGBM_BoosterLoadModelFromString", text.value, ctypes.byref(ctypes.c_int()),
             ctypes.byref(saved))
        count, answers = len(asked) // 5, []
        for kind in (1, 0):
            out = (ctypes.c_double * count)()
            call("LGBM_BoosterPredictForMat", saved, floats(asked), 0, count, 5, 1, kind, 0, -1, b"",
                 ctypes.byref(ctypes.c_int64()), out)
            answers.append(out)
        with open(folder / f"{name}.rows", "w") as file:
            for i in range(count):
                words = [struct.pack(">f", cell).hex() for cell in asked[i * 5:i * 5 + 5]]
                words += [struct.pack(">d", answer[i]).hex() for answer in answers]
                file.write(" ".join(words) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
