"""Runs in a real MLflow server: all that is known of them, found again, completed after a failure."""

import base64
import json
import math
import os
import pathlib
import re
import tempfile
import unittest

import mlflow
import numpy as np
import pandas as pd
from mlflow.tracking import MlflowClient
from program import run
from server import Mlflow, Small, breaking, certificate, refusal
from shop import built, definition
from test_mlflow_model import example_of, golden_of, score_bits

LONG = "x" * 7000


def setUpModule():
    global server, project, client
    server = Mlflow()
    try:
        project = built()
        project.run("promote", "risk")
        project.run("promote", "risk", "--alias", "shadow")
        server.wait()
    except BaseException:
        server.stop()
        raise
    mlflow.set_tracking_uri(server.url)
    client = MlflowClient(server.url)


def tearDownModule():
    project.remove()
    server.stop()


def export(*arguments, url=None, **options):
    return project.json("export", "mlflow-run", url or server.url, *arguments, **options)


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


def fail_a_build():
    """A build that trains nothing: its test part is empty. Its weight is a text longer than MLflow takes."""
    broken = definition().replace("test_until = 2024-05-01", "test_until = 2024-04-06")
    broken = broken.replace("threshold_until = 2024-04-05", "threshold_until = 2024-04-05T23:59:59")
    broken = broken.replace("[model.risk.params]", f'weights = "if(user = \'{LONG}\', 2, 1)"\n[model.risk.params]')
    twin = project.copy()
    (twin.folder / "coeval.toml").write_text(broken)
    twin.run("build", check=None)
    return twin


class Runs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.first = export()[0]
        cls.known = project.json("runs", "show", "risk@v1")
        cls.made = client.get_run(cls.first["mlflow_run_id"])

    def test_all_parameters_metrics_and_ids_are_there(self):
        self.assertFalse(self.first["found"])
        self.assertEqual(self.made.data.params, self.known["params"])
        metrics = dict(self.known["metrics"], dataset_s=self.known["dataset_s"], train_s=self.known["train_s"])
        metrics["validation"] = self.known["curves"]["validation"][-1]
        self.assertEqual(set(self.made.data.metrics), set(metrics))
        for name, value in metrics.items():
            self.assertTrue(same(self.made.data.metrics[name], float(value)), name)
        self.assertGreater(len(metrics), 50)
        tags = self.made.data.tags
        for name, text in self.known["ids"].items():
            self.assertEqual(tags["coeval." + name], text)
        for name, text in self.known["environment"].items():
            self.assertEqual(tags["coeval.environment." + name], text)
        self.assertEqual((tags["coeval.run_id"], tags["coeval.version"], tags["coeval.export"]),
                         (self.known["id"], "risk@v1", "complete"))

    def test_the_curve_has_its_steps(self):
        curve = self.known["curves"]["validation"]
        history = client.get_metric_history(self.made.info.run_id, "validation")
        self.assertEqual(sorted((point.step, point.value) for point in history), list(enumerate(curve)))

    def test_it_ended_as_it_did_and_when(self):
        self.assertEqual(self.made.info.status, "FINISHED")
        started = pd.Timestamp(self.known["started"]).value // 10**6
        ended = pd.Timestamp(self.known["ended"]).value // 10**6
        self.assertEqual((self.made.info.start_time, self.made.info.end_time), (started, ended))
        self.assertEqual(client.get_experiment(self.made.info.experiment_id).name, "shop")
        inputs = self.made.inputs.dataset_inputs
        self.assertEqual([each.dataset.digest for each in inputs], [self.known["ids"]["dataset_id"][:32]])

    def test_artefacts_are_the_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(mlflow.artifacts.download_artifacts(run_id=self.made.info.run_id, dst_path=folder))
            self.assertEqual(json.loads((path / "run.json").read_text()), self.known)
            self.assertEqual((path / "coeval.toml").read_text(), (project.folder / "coeval.toml").read_text())
            project.run("show", "risk", "--card", project.folder / "card.html")
            self.assertEqual((path / "model_card.html").read_text(), (project.folder / "card.html").read_text())
            self.assertIn("risk", (path / "model_card.md").read_text())
            ours = next((project.folder / ".coeval/models/risk").iterdir())
            for file in ours.iterdir():
                self.assertEqual((path / "model/data" / file.name).read_bytes(), file.read_bytes())

    def test_the_version_is_registered_with_its_aliases_and_scores(self):
        for alias in ("champion", "shadow"):
            version = client.get_model_version_by_alias("risk", alias)
            self.assertEqual((version.version, version.run_id, version.status),
                             (self.first["mlflow_version"], self.made.info.run_id, "READY"))
        self.assertEqual(version.tags["coeval.version"], "risk@v1")
        self.assertEqual(version.tags["coeval.bits_id"], self.known["ids"]["bits_id"])
        folder = next((project.folder / ".coeval/models/risk").iterdir())
        model = mlflow.pyfunc.load_model("models:/risk@champion")
        scores = model.predict(example_of(model))["score"]
        self.assertEqual(score_bits(scores).tolist(), golden_of(folder)[2].view("<u4").tolist())

    def test_again_it_is_found_and_nothing_is_doubled(self):
        again = export("risk@v1")[0]
        self.assertTrue(again["found"] and again["version_found"])
        self.assertEqual(again["mlflow_run_id"], self.first["mlflow_run_id"])
        found = client.search_runs([self.made.info.experiment_id], f"tags.`coeval.run_id` = '{self.known['id']}'")
        self.assertEqual(len(found), 1)
        self.assertEqual(found[0].info.status, "FINISHED")
        versions = client.search_model_versions("name = 'risk'")  # another project of the tests has one, too
        self.assertEqual([each.version for each in versions if each.run_id == self.made.info.run_id],
                         [self.first["mlflow_version"]])
        self.assertEqual(len(client.get_metric_history(again["mlflow_run_id"], "validation")),
                         len(self.known["curves"]["validation"]))

    def test_nothing_of_the_project_is_changed(self):
        before = {path: path.read_bytes() for path in (project.folder / ".coeval").rglob("*") if path.is_file()}
        export()
        after = {path: path.read_bytes() for path in (project.folder / ".coeval").rglob("*") if path.is_file()}
        self.assertEqual(before, after)

    def test_a_failed_run_is_one_there_too(self):
        twin = fail_a_build()
        self.addCleanup(twin.remove)
        failed = next(each for each in twin.json("runs")["runs"] if each["state"] == "failed")
        known = twin.json("runs", "show", failed["id"])
        self.assertGreater(len(known["params"]["weight"]), 7000)
        told = twin.json("export", "mlflow-run", server.url, failed["id"])[0]
        self.assertEqual(told["cut"], ["params.weight"])
        self.assertNotIn("mlflow_version", told)
        there = client.get_run(told["mlflow_run_id"])
        self.assertEqual(there.info.status, "FAILED")
        self.assertEqual(there.data.tags["coeval.error"], known["error"])
        self.assertEqual(there.data.params["weight"], known["params"]["weight"][:6000])
        text = mlflow.artifacts.load_text(f"runs:/{told['mlflow_run_id']}/run.json")
        self.assertEqual(json.loads(text), known)


class Failures(unittest.TestCase):
    def failing(self, *arguments, url, **options):
        done = project.run("export", "mlflow-run", url, *arguments, check=None, **options)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return done.stderr

    def test_what_breaks_off_is_marked_and_completed_by_the_same_command(self):
        # A project of its own, so that its run is not there yet.
        twin = built(count=4000)
        self.addCleanup(twin.remove)
        known = twin.json("runs", "show", "risk@v1")
        # Each time one request further: whatever was asked last, no run is called finished.
        for after, how in ((5, (503, b"")), (9, (None, b"")), (14, (500, b"<html>"))):
            with Small(breaking(server.url, after, how)) as small:
                done = twin.run("export", "mlflow-run", small.url, check=1)
            self.assertIn("the same command", done.stderr)
            found = client.search_runs([client.get_experiment_by_name("shop").experiment_id],
                                       f"tags.`coeval.run_id` = '{known['id']}'")
            self.assertEqual([each.data.tags["coeval.export"] for each in found], ["incomplete"])
            self.assertNotEqual(found[0].info.status, "FINISHED")
        told = twin.json("export", "mlflow-run", server.url)[0]
        self.assertTrue(told["found"])
        there = client.get_run(told["mlflow_run_id"])
        self.assertEqual((there.info.status, there.data.tags["coeval.export"]), ("FINISHED", "complete"))
        self.assertEqual(there.data.params, known["params"])
        self.assertEqual(len(client.get_metric_history(told["mlflow_run_id"], "validation")),
                         len(known["curves"]["validation"]))

    def test_refusals_are_told_with_status_and_code(self):
        with Small(lambda *_: refusal(403, "PERMISSION_DENIED", "not yours")) as small:
            text = self.failing(url=small.url)
        self.assertIn("C0904", text)
        self.assertIn("status 403 PERMISSION_DENIED: not yours", text)
        self.assertIn("MLFLOW_TRACKING_TOKEN", text)
        with Small(lambda *_: (404, b"<html>no</html>")) as small:
            self.assertIn("status 404", self.failing(url=small.url))
        with Small(lambda *_: (200, b"welcome")) as small:
            self.assertIn("C0202", self.failing(url=small.url))

    def test_credentials_are_sent_and_never_shown(self):
        seen = []

        def respond(method, path, headers, body):
            seen.append(headers.get("Authorization"))
            return refusal(401, "UNAUTHENTICATED", "who?")

        with Small(respond) as small:
            token = self.failing(url=small.url, env=dict(os.environ, MLFLOW_TRACKING_TOKEN="t0ken"))
            basic = self.failing(url=small.url, env=dict(os.environ, MLFLOW_TRACKING_USERNAME="anna",
                                                         MLFLOW_TRACKING_PASSWORD="s3cret:ü"))
            self.failing(url=small.url)
        self.assertEqual(seen, ["Bearer t0ken",
                                "Basic " + base64.b64encode("anna:s3cret:ü".encode()).decode(), None])
        self.assertNotIn("t0ken", token)
        self.assertNotIn("s3cret", basic)
        self.assertNotIn("s3cret", self.failing(url="http://anna:s3cret@127.0.0.1:1"))

    def test_nobody_there_and_no_address(self):
        with Small(lambda *_: (200, b"")) as small:
            url = small.url
        self.assertIn("C0907", self.failing(url=url))
        self.assertIn("C1001", self.failing(url="mlruns"))
        self.assertIn("C0901", self.failing("risk@v9", url=server.url))
        self.assertIn("C0902", self.failing("1999", url=server.url))

    def test_https_is_verified(self):
        with tempfile.TemporaryDirectory() as folder:
            own, other = certificate(folder, "127.0.0.1"), certificate(folder, "elsewhere.example")
            answered = lambda *_: refusal(418, "TEAPOT", "reached")
            trusting = lambda path: dict(os.environ, MLFLOW_TRACKING_SERVER_CERT_PATH=str(path))
            with Small(answered, own) as small:
                self.assertIn("certificate verify failed", self.failing(url=small.url))
                self.assertIn("418 TEAPOT: reached", self.failing(url=small.url, env=trusting(own)))
                self.assertIn("certificate verify failed", self.failing(url=small.url, env=trusting(other)))
            with Small(answered, other) as small:  # trusted, but another's name
                self.assertIn("certificate verify failed", self.failing(url=small.url, env=trusting(other)))


if __name__ == "__main__":
    unittest.main()
