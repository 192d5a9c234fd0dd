"""OpenLineage's events, held to the classes of its own Python package, in a file and sent to a receiver."""

import collections
import datetime
import json
import os
import typing
import unittest
import uuid

import attr
from openlineage.client import facet_v2
from openlineage.client.event_v2 import Dataset, InputDataset, Job, OutputDataset, Run, RunEvent
from server import Small
from shop import built, definition

FACETS = {  # of what → its class
    "parent": facet_v2.parent_run.ParentRunFacet,
    "processing_engine": facet_v2.processing_engine_run.ProcessingEngineRunFacet,
    "tags": facet_v2.tags_run.TagsRunFacet,
    "errorMessage": facet_v2.error_message_run.ErrorMessageRunFacet,
    "jobType": facet_v2.job_type_job.JobTypeJobFacet,
    "sourceCode": facet_v2.source_code_job.SourceCodeJobFacet,
    "documentation": facet_v2.documentation_job.DocumentationJobFacet,
    "version": facet_v2.dataset_version_dataset.DatasetVersionDatasetFacet,
    "schema": facet_v2.schema_dataset.SchemaDatasetFacet,
    "columnLineage": facet_v2.column_lineage_dataset.ColumnLineageDatasetFacet,
    "inputStatistics": facet_v2.input_statistics_input_dataset.InputStatisticsInputDatasetFacet,
    "outputStatistics": facet_v2.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
    "dataQualityMetrics": facet_v2.data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet,
}


def made(kind, value, path):
    """`value` of JSON as the annotated type; what the type does not know, or misses, is an error."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is typing.Any:
        return value
    if origin is typing.Union or str(origin) == "<class 'types.UnionType'>":
        if value is None and type(None) in arguments:
            return None
        fitting = []
        for one in arguments:
            try:
                return made(one, value, path)
            except (TypeError, ValueError) as failure:
                fitting.append(str(failure))
        raise TypeError(f"{path}: " + "; ".join(fitting))
    if origin in (list, collections.abc.Sequence):
        if not isinstance(value, list):
            raise TypeError(f"{path} is no list")
        return [made(arguments[0], one, f"{path}[{i}]") for i, one in enumerate(value)]
    if origin in (dict, collections.abc.Mapping):
        if not isinstance(value, dict):
            raise TypeError(f"{path} is no object")
        return {name: made(arguments[1], one, f"{path}.{name}") for name, one in value.items()}
    if attr.has(kind):
        return instance(kind, value, path)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(kind, type) and not isinstance(value, kind):
        try:
            return kind(value)  # enumerations
        except Exception:
            raise TypeError(f"{path}: {value!r} is no {kind.__name__}") from None
    return value


def instance(kind, value, path):
    types = typing.get_type_hints(kind)
    given = {name: one for name, one in value.items() if name not in ("_producer", "_schemaURL")}
    unknown = set(given) - {field.name for field in attr.fields(kind)}
    if unknown:
        raise TypeError(f"{path}: {kind.__name__} has no {unknown}")
    return kind(**{name: made(types[name], one, f"{path}.{name}") for name, one in given.items()})


def facets_of(holder, member):
    out = {}
    for name, value in holder.get(member, {}).items():
        kind = FACETS[name]
        assert value["_producer"] == "urn:coeval", value
        # The schema that the class itself would name.
        assert value["_schemaURL"] == kind._get_schema(), (value["_schemaURL"], kind._get_schema())
        out[name] = instance(kind, value, name)
    return out


def dataset(kind, value, own):
    known = {"namespace", "name", "facets", own}
    assert set(value) <= known, set(value) - known
    return kind(value["namespace"], value["name"], facets=facets_of(value, "facets"), **{own: facets_of(value, own)})


def event_of(value):
    """The client's own event, which checks ids, times and addresses."""
    assert value["schemaURL"] == RunEvent._get_schema(), (value["schemaURL"], RunEvent._get_schema())
    run, job = value["run"], value["job"]
    made_event = RunEvent(
        eventTime=value["eventTime"], producer=value["producer"], eventType=value["eventType"],
        run=Run(run["runId"], facets_of(run, "facets")),
        job=Job(job["namespace"], job["name"], facets_of(job, "facets")),
        inputs=[dataset(InputDataset, one, "inputFacets") for one in value["inputs"]],
        outputs=[dataset(OutputDataset, one, "outputFacets") for one in value["outputs"]])
    assert uuid.UUID(run["runId"]).version == 7
    return made_event


def events_in(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


class OpenLineage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.project = built(count=4000)
        cls.file = cls.project.folder / "events.jsonl"
        cls.told = cls.project.json("export", "openlineage", cls.file)
        cls.events = events_in(cls.file)
        cls.known = cls.project.json("runs", "show", "risk@v1")

    @classmethod
    def tearDownClass(cls):
        cls.project.remove()

    def of(self, job, kind):
        return next(event for event in self.events
                    if event["job"]["name"] == "risk." + job and event["eventType"] == kind)

    def test_the_clients_own_classes_take_them(self):
        self.assertEqual(self.told["events_count"], len(self.events))
        for event in self.events:
            event_of(event)
        with self.assertRaises(TypeError):  # the check sees what is wrong
            broken = json.loads(json.dumps(self.events[0]))
            broken["run"]["facets"]["processing_engine"]["odd"] = 1
            event_of(broken)

    def test_each_job_begins_and_ends_in_order(self):
        self.assertEqual([(event["job"]["name"], event["eventType"]) for event in self.events],
                         [("risk.build", "START"), ("risk.dataset", "START"), ("risk.dataset", "COMPLETE"),
                          ("risk.train", "START"), ("risk.train", "COMPLETE"), ("risk.build", "COMPLETE")])
        times = [datetime.datetime.fromisoformat(event["eventTime"].replace("Z", "+00:00")) for event in self.events]
        self.assertEqual(times, sorted(times))
        self.assertEqual((self.events[0]["eventTime"], self.events[-1]["eventTime"]),
                         (self.known["started"], self.known["ended"]))
        build = self.of("build", "START")["run"]["runId"]
        for job in ("dataset", "train"):
            self.assertEqual(self.of(job, "COMPLETE")["run"]["facets"]["parent"]["run"]["runId"], build)

    def test_sources_have_hash_schema_and_rows(self):
        source, = self.of("dataset", "COMPLETE")["inputs"]
        path = self.project.folder / "orders.csv"
        self.assertEqual((source["namespace"], source["name"]), ("file", str(path.resolve())))
        import hashlib
        self.assertEqual(source["facets"]["version"]["datasetVersion"], hashlib.sha256(path.read_bytes()).hexdigest())
        fields = {field["name"]: field["type"] for field in source["facets"]["schema"]["fields"]}
        self.assertEqual(fields, {"ts": "timestamp", "user": "string", "amount": "float64", "bad": "int32"})
        self.assertEqual(source["inputFacets"]["inputStatistics"]["rowCount"], 4000)

    def test_columns_come_from_columns(self):
        rows, = self.of("dataset", "COMPLETE")["outputs"]
        self.assertEqual(rows["facets"]["version"]["datasetVersion"], self.known["ids"]["dataset_id"])
        folder = self.project.folder / ".coeval/datasets"
        self.assertEqual(rows["name"], str(next(folder.resolve().glob("*.facts.json"))))
        size = sum(path.stat().st_size for path in folder.glob("*.parquet"))
        self.assertEqual(rows["outputFacets"]["outputStatistics"]["size"], size)
        self.assertEqual(rows["outputFacets"]["outputStatistics"]["rowCount"], 4000)
        lineage = rows["facets"]["columnLineage"]["fields"]
        self.assertEqual(set(lineage), {field["name"] for field in rows["facets"]["schema"]["fields"]})
        how = lambda column: {(each["field"], one["type"], one["subtype"]) for each in lineage[column]["inputFields"]
                              for one in each["transformations"]}
        self.assertEqual(how("amount"), {("amount", "DIRECT", "IDENTITY")})
        self.assertEqual(how("(amount > 20.0)"), {("amount", "DIRECT", "TRANSFORMATION")})
        self.assertEqual(how("user.amount_1d"), {("amount", "DIRECT", "AGGREGATION"), ("user", "INDIRECT", "GROUP_BY"),
                                                 ("user", "INDIRECT", "JOIN"), ("ts", "INDIRECT", "WINDOW")})
        self.assertEqual(how("label"), {("bad", "DIRECT", "TRANSFORMATION")})

    def test_training_reads_the_rows_and_writes_the_model(self):
        train = self.of("train", "COMPLETE")
        rows, = train["inputs"]
        made_rows, = self.of("dataset", "COMPLETE")["outputs"]
        self.assertEqual((rows["namespace"], rows["name"]), (made_rows["namespace"], made_rows["name"]))
        metrics = self.known["metrics"]
        parts = ("train", "validate", "calibrate", "threshold", "test")
        label = rows["inputFacets"]["dataQualityMetrics"]["columnMetrics"]["label"]
        self.assertEqual(label["count"], sum(metrics[part + ".rows"] for part in parts))
        model, = train["outputs"]
        self.assertEqual(model["facets"]["version"]["datasetVersion"], self.known["ids"]["bits_id"])
        self.assertEqual(train["job"]["facets"]["sourceCode"]["sourceCode"],
                         (self.project.folder / "coeval.toml").read_text())

    def test_the_same_bytes_again_and_without_the_definition_of_today(self):
        again = self.project.folder / "again.jsonl"
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        self.project.run("export", "openlineage", again, "risk@v1")
        self.assertEqual(again.read_bytes(), self.file.read_bytes())
        (twin.folder / "coeval.toml").write_text(definition().replace("max_depth = 4", "max_depth = 5"))
        twin.run("export", "openlineage", twin.folder / "kept.jsonl", "risk@v1")
        kept = events_in(twin.folder / "kept.jsonl")
        self.assertIn("columnLineage", kept[2]["outputs"][0]["facets"])
        self.assertIn("max_depth = 4", kept[0]["job"]["facets"]["sourceCode"]["sourceCode"])

    def test_a_failed_build_says_why(self):
        twin = self.project.copy()
        self.addCleanup(twin.remove)
        (twin.folder / "coeval.toml").write_text(definition().replace('label    = "bad = 1"', 'label    = "bad = 2"'))
        twin.run("build", check=None)
        failed = next(each for each in twin.json("runs")["runs"] if each["state"] == "failed")
        twin.run("export", "openlineage", twin.folder / "failed.jsonl", failed["id"])
        events = events_in(twin.folder / "failed.jsonl")
        for event in events:
            event_of(event)
        self.assertEqual(events[-1]["eventType"], "FAIL")
        message = events[-1]["run"]["facets"]["errorMessage"]["message"]
        self.assertEqual(message, twin.json("runs", "show", failed["id"])["error"])

    def test_a_receiver_gets_each_event(self):
        got = []

        def respond(method, path, headers, body):
            got.append((method, path, headers.get("Content-Type"), headers.get("Authorization"), json.loads(body)))
            return 201, b""

        with Small(respond) as small:
            self.project.run("export", "openlineage", small.url, env=dict(os.environ, OPENLINEAGE_API_KEY="k3y"))
            self.project.run("export", "openlineage", small.url + "/events")
        self.assertEqual([each[4] for each in got], self.events + self.events)
        self.assertEqual({each[:4] for each in got[:6]}, {("POST", "/api/v1/lineage", "application/json", "Bearer k3y")})
        self.assertEqual({each[:4] for each in got[6:]}, {("POST", "/events", "application/json", None)})

    def test_a_receiver_that_refuses(self):
        got = []

        def respond(method, path, headers, body):
            got.append(body)
            return (200, b"") if len(got) < 3 else (422, b"no such job\nmore")

        with Small(respond) as small:
            text = self.project.run("export", "openlineage", small.url, check=2).stderr
        self.assertIn("C0904", text)
        self.assertIn("status 422: no such job; 2 of 6 events were taken before", text)
        self.assertEqual(len(got), 3)
        nowhere = self.project.run("export", "openlineage", self.project.folder / "no/such/events.jsonl", check=None)
        self.assertNotEqual(nowhere.returncode, 0)


if __name__ == "__main__":
    unittest.main()
