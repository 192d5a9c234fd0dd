"""Servers to export to: MLflow's own on a free port, and small ones that refuse, break off or only listen."""

import contextlib
import datetime
import http.client
import http.server
import ipaddress
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Mlflow:
    """The server that `mlflow server` starts, with a database and artefacts in a folder of its own. It is started as that
    command does (mlflow.server._run_server), which would load all of MLflow a second time: half of the wait."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="coeval-mlflow-"))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.said = []  # its lines
        self.listens_or_ended = threading.Event()
        database = f"sqlite:///{self.folder}/mlflow.db"
        environment = dict(os.environ, MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false", _MLFLOW_SGI_NAME="uvicorn",
                           _MLFLOW_SERVER_FILE_STORE=database, _MLFLOW_SERVER_REGISTRY_STORE=database,
                           _MLFLOW_SERVER_ARTIFACT_ROOT="mlflow-artifacts:/", _MLFLOW_SERVER_SERVE_ARTIFACTS="true",
                           _MLFLOW_SERVER_ARTIFACT_DESTINATION=str(self.folder / "artifacts"))
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "uvicorn", "--host", "127.0.0.1", "--port", str(port),
             "mlflow.server.fastapi_app:app"],
            env=environment, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True)
        self.listener = threading.Thread(target=self.listen, daemon=True)
        self.listener.start()

    def listen(self):
        for line in self.process.stdout:
            self.said.append(line)
            if "Uvicorn running on" in line:
                self.listens_or_ended.set()
        self.listens_or_ended.set()

    def wait(self, seconds=240):
        """Until it answers and has its tables. It is a matter of CPU: 10 s of it, many times that on a busy machine."""
        end = self.started + seconds
        self.listens_or_ended.wait(seconds)
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(self.url + "/api/2.0/mlflow/experiments/search?max_results=1",
                                        timeout=max(1, end - time.monotonic())) as answer:
                json.load(answer)
            print(f"the MLflow server answers after {time.monotonic() - self.started:.0f} s", flush=True)
            return self
        raise AssertionError("the MLflow server did not start:\n" + "".join(self.said)[-3000:])

    def stop(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(30)
        self.listener.join(30)
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, content = self.server.respond(self.command, self.path, dict(self.headers), body)
        if status is None:  # breaks off
            return
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *arguments):
        pass


class Small:
    """respond(method, path, headers, body) → (status, bytes); a status of None closes without an answer."""

    def __init__(self, respond, certificate=None):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.respond = respond
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            scheme = "https"
        self.port = self.server.server_address[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def breaking(url, after, how):
    """Hands `after` requests on to the server at `url`; then answers as `how` says."""
    host, _, port = url.removeprefix("http://").partition(":")
    count = 0

    def respond(method, path, headers, body):
        nonlocal count
        count += 1
        if count > after:
            return how
        connection = http.client.HTTPConnection(host, int(port), timeout=240)
        kept = {name: value for name, value in headers.items() if name in ("Content-Type", "Accept")}
        connection.request(method, path, body, kept)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    return respond


def certificate(folder, name):
    """A self-signed certificate with its key, as one PEM file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    is_address = name.replace(".", "").isdigit()
    names = [x509.IPAddress(ipaddress.ip_address(name)) if is_address else x509.DNSName(name)]
    now = datetime.datetime.now(datetime.timezone.utc)
    built = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
             .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
             .not_valid_after(now + datetime.timedelta(days=1))
             .add_extension(x509.SubjectAlternativeName(names), critical=False)
             .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
             .sign(key, hashes.SHA256()))
    path = pathlib.Path(folder) / f"{name}.pem"
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                       serialization.NoEncryption()) + built.public_bytes(serialization.Encoding.PEM))
    return path


def refusal(status, code, message):
    return status, json.dumps({"error_code": code, "message": message}).encode()
