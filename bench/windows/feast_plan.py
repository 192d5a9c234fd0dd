"""Features of ten views joined to questions by Feast's own offline retrieval, from files. See plan.py for arguments.

Feast has no windows: somebody else has to compute them. So it is given the finished answers, one table a view with a
row for every question (those of coeval in FOLDER/answers.parquet), and has only to find them again by key and time:
get_historical_features. The tables hold exactly the rows that are asked for, the least that Feast could be given.
A plan is one of Feast's stores for files; bench/README.md has the times of both:

  duckdb  joins in DuckDB, by way of ibis
  dask    its default: every row of a key beside every question, then the newest
"""

import pathlib
import shutil
import tempfile

import plan as bench

bench.single_threaded_maths()

import feast  # noqa: E402
import feast.types  # noqa: E402
import pandas  # noqa: E402
import pyarrow  # noqa: E402
import pyarrow.parquet  # noqa: E402

TYPES = {pyarrow.int64(): feast.types.Int64, pyarrow.int32(): feast.types.Int32,
         pyarrow.float64(): feast.types.Float64}


def feast_type(kind):
    return feast.types.Array(TYPES[kind.value_type]) if pyarrow.types.is_list(kind) else TYPES[kind]


def write_views(answers, folder):
    """One file and one FeatureView for each view of the answers."""
    key = feast.Entity(name="key", join_keys=["key"], value_type=feast.ValueType.INT64)
    made = []
    for view in sorted({name.split(".")[0] for name in answers.column_names if "." in name}):
        names = [name for name in answers.column_names if name.startswith(view + ".")]
        table = pyarrow.table([answers["key"], answers["at"], *(answers[name] for name in names)],
                              ["key", "event_timestamp", *(name.split(".")[1] for name in names)])
        path = folder / f"{view}.parquet"
        pyarrow.parquet.write_table(table, path)
        made.append(feast.FeatureView(
            name=view, entities=[key], source=feast.FileSource(path=str(path), timestamp_field="event_timestamp"),
            schema=[feast.Field(name="key", dtype=feast.types.Int64),
                    *(feast.Field(name=name.split(".")[1], dtype=feast_type(answers.schema.field(name).type))
                      for name in names)]))
    return [key, *made]


def main():
    folder, plan, out, _ = bench.arguments()
    answers = pyarrow.parquet.read_table(f"{folder}/answers.parquet")
    names = [name for name in answers.column_names if "." in name]
    repository = pathlib.Path(tempfile.mkdtemp(prefix="coeval-feast-"))
    try:
        store = feast.FeatureStore(config=feast.RepoConfig(
            project="windows", provider="local", registry=str(repository / "registry.db"),
            online_store={"type": "sqlite", "path": str(repository / "online.db")}, offline_store={"type": plan},
            entity_key_serialization_version=3))
        store.apply(write_views(answers, repository))
        questions = pandas.read_parquet(f"{folder}/questions.parquet").rename(columns={"at": "event_timestamp"})
        questions["event_timestamp"] = questions["event_timestamp"].dt.tz_localize("UTC")
        result = bench.timed(f"Feast {feast.__version__}", plan, lambda: store.get_historical_features(
            entity_df=questions, features=[name.replace(".", ":") for name in names],
            full_feature_names=True).to_arrow())
        if out != "-":
            result = result.sort_by("event_timestamp")
            columns = [result[name.replace(".", "__")].cast(answers.schema.field(name).type) for name in names]
            pyarrow.parquet.write_table(pyarrow.table(columns, names), out)
    finally:
        shutil.rmtree(repository)


if __name__ == "__main__":
    main()
