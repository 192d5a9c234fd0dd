"""An external trainer: reads Arrow files, trains with LightGBM, writes the model's text. It makes no predictions."""

import json
import sys

import lightgbm
import numpy as np
import pyarrow

job = json.load(open(sys.argv[1]))
names = [one["name"] for one in job["inputs"]]
table = pyarrow.ipc.open_file(job["train"]).read_all()
rows = np.column_stack([table[name].to_numpy() for name in names])
data = lightgbm.Dataset(rows, table[job["label"]].to_numpy(), feature_name=names,
                        categorical_feature=[one["name"] for one in job["inputs"] if one["categorical"]])
model = lightgbm.train(job["params"] | {"objective": "binary", "num_threads": job["threads"], "seed": job["seed"],
                                        "deterministic": True, "force_row_wise": True, "verbosity": -1}, data, 20)
with open(job["model"], "w", encoding="utf-8") as file:
    file.write(model.model_to_string())
