"""An external trainer: reads the tables that params.json names, trains with XGBoost, writes the model."""

import json
import sys

import numpy as np
import pyarrow.parquet
import xgboost

job = json.load(open(sys.argv[1]))
names = [one["name"] for one in job["inputs"]]


def matrix(path):
    table = pyarrow.parquet.read_table(path)
    rows = np.column_stack([table[name].to_numpy() for name in names])
    weights = table[job["weight"]].to_numpy() if job["weight"] else None
    kinds = ["c" if one["categorical"] else "q" for one in job["inputs"]]
    return xgboost.DMatrix(rows, table[job["label"]].to_numpy(), weight=weights, feature_names=names,
                           feature_types=kinds, enable_categorical=True)


train, validate = matrix(job["train"]), matrix(job["validate"])
params = dict(job["params"])
rounds = params.pop("rounds", 100)
model = xgboost.train(params | {"objective": "binary:logistic", "tree_method": "hist", "seed": job["seed"],
                                "nthread": job["threads"]}, train, rounds)
model.predict(validate).astype("<f4").tofile(job["predictions"])
with open(job["model"], "wb") as file:
    file.write(model.save_raw("ubj"))
