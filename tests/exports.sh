#!/usr/bin/env bash
# Exports to an MLflow server that the test starts, loads the exported models in MLflow, and reads OpenLineage's events
# with its own classes; COEVAL names the binary.
set -euo pipefail
if [[ -n ${COEVAL_SKIP_ORACLE:-} ]]; then
  echo "left to the release build"
  echo "0 passed, 0 failed"
  exit 0
fi
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/tools/setup.sh" mlflow
export COEVAL=${COEVAL:-$root/build/bin/coeval}
# Nothing leaves the machine, and nobody else's settings or credentials come in.
export MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=1 OMP_NUM_THREADS=1
unset MLFLOW_TRACKING_URI MLFLOW_TRACKING_TOKEN MLFLOW_TRACKING_USERNAME MLFLOW_TRACKING_PASSWORD \
  MLFLOW_TRACKING_SERVER_CERT_PATH OPENLINEAGE_API_KEY
exec "$root/third_party/peers/mlflow/bin/python" -W ignore "$root/tests/exports/run.py"
