#!/usr/bin/env python3
"""The generator's fraud, learnt and judged as in the Fraud Detection Handbook: payments of 8 to 14 August 2018, labels
known a week after the payment, one model trained on all that was known on 31 July and one on its last week alone.

    third_party/peers/mlflow/bin/python bench/fraud_handbook.py [--coeval build/bin/coeval] [--seed 1]

Both figures are the handbook's, of XGBoost's own scores with the registered model. A card that paid by fraud since 25
July, known by the day, is no longer in the test. Average precision: of the week's payments. Card precision@100: each day
the 100 cards with the highest score of a payment, those found on the days before aside; the share of them that paid by
fraud that day; the mean of seven days. Average precision of all payments of the week, too.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np
import pandas as pd
import xgboost

ROOT = pathlib.Path(__file__).resolve().parent.parent
TEST_DAYS = pd.date_range("2018-08-08", "2018-08-14", tz="UTC")
TRAINED_FROM = pd.Timestamp("2018-07-25", tz="UTC")
DELAY = pd.Timedelta("7D")
SPLIT = "split    = { train_until = 2018-07-31, validate_until = 2018-08-08, test_until = 2018-08-15 }"


def average_precision(labels, scores):
    order = np.argsort(-scores, kind="stable")
    hits, scores = labels[order].cumsum(), scores[order]
    ends = np.append(np.nonzero(np.diff(scores))[0], len(scores) - 1)  # of ties
    recall = hits[ends] / hits[-1]
    return float(np.sum(np.diff(np.append(0, recall)) * hits[ends] / (ends + 1)))


def without_known_cards(test, frauds):
    frauds = frauds[frauds.ts >= TRAINED_FROM]
    days = []
    for day in TEST_DAYS:
        rows = test[(test.ts >= day) & (test.ts < day + pd.Timedelta("1D"))]
        days.append(rows[~rows.card.isin(frauds.card[frauds.ts + DELAY < day])])
    return days


def card_precision(days, k=100):
    found, daily = set(), []
    for rows in days:
        rows = rows[~rows.card.isin(found)]
        cards = rows.groupby("card").agg(score=("score", "max"), fraud=("label", "max"))
        top = cards.sort_values("score", ascending=False, kind="stable").head(k)
        found |= set(top.index[top.fraud == 1])
        daily.append(top.fraud.sum() / k)
    return float(np.mean(daily))


def measure(coeval, folder, name, weights, seed, params):
    project = folder / name
    subprocess.run([coeval, "gen", "fraud", "--seed", str(seed), "--project", project], check=True, capture_output=True)
    lines = (project / "coeval.toml").read_text().splitlines()
    lines = [SPLIT if line.startswith("split ") else line for line in lines]
    lines = [f"params   = {{ {params} }}" if line.startswith("params ") else line for line in lines]
    at = next(i for i, line in enumerate(lines) if line.startswith("gate "))
    lines[at] = 'gate     = { average_precision = ">= 0" }\ncalibration = "none"\n' + weights
    (project / "coeval.toml").write_text("\n".join(lines) + "\n")
    subprocess.run([coeval, "build", "-C", project], check=True, capture_output=True)
    subprocess.run([coeval, "dataset", "-C", project, "fraud", "--out", project / "rows.parquet"], check=True, capture_output=True)
    rows = pd.read_parquet(project / "rows.parquet")
    model = next(project.glob(".coeval/models/fraud/*/model.ubj"))
    evidence = json.loads((model.parent / "metrics.json").read_text())
    booster = xgboost.Booster(model_file=model)
    columns = [column["name"] for column in json.loads((model.parent / "encoder.json").read_text())["columns"]]
    test = rows[(rows.ts >= TEST_DAYS[0]) & (rows.ts < TEST_DAYS[-1] + pd.Timedelta("1D"))].copy()
    inputs = xgboost.DMatrix(test[columns].astype("float32"), nthread=1)
    test["score"] = booster.predict(inputs, output_margin=True)
    days = without_known_cards(test, rows[rows.label == 1])
    week = pd.concat(days)
    return {
        "rows": len(test),
        "average_precision": average_precision(week.label.to_numpy(int), week.score.to_numpy()),
        "card_precision@100": card_precision(days),
        "average_precision of all rows": average_precision(test.label.to_numpy(int), test.score.to_numpy()),
        "in the build's evidence": evidence["test"]["average_precision"],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--coeval", default=ROOT / "build/bin/coeval")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--params", default="eta = 0.1, max_depth = 4, rounds = 100")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, weights in (("all that is known", ""), ("its last week", "weights = \"if(ts >= timestamp '2018-07-17T00:00:00Z', 1, 0)\"")):
            found = measure(options.coeval, pathlib.Path(folder), name.replace(" ", "_"), weights, options.seed, options.params)
            print(name + ":", ", ".join(f"{key} {value:.4f}" for key, value in found.items()))


if __name__ == "__main__":
    main()
