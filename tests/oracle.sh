#!/usr/bin/env bash
# Compares the window features of three million flights with exact oracles; COEVAL names the binary.
set -euo pipefail
if [[ -n ${COEVAL_SKIP_ORACLE:-} ]]; then
  echo "left to the release build"
  echo "0 passed, 0 failed"
  exit 0
fi
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/tools/setup.sh" data oracles
export COEVAL=${COEVAL:-$root/build/bin/coeval}
oracles=$root/third_party/oracles
export PYTHONPATH=$oracles/duckdb:$oracles/numpy:$oracles/fastjsonschema PYTHONDONTWRITEBYTECODE=1
exec python3 "$root/tests/oracle/run.py"
