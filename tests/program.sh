#!/usr/bin/env bash
# Tests of the built program as a user runs it: COEVAL names the binary.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/tools/setup.sh" trainers scikit-learn
exec python3 "$root/tests/program/run.py"
