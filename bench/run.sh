#!/usr/bin/env bash
# The benchmarks beside their peers, in one table. `./dev bench` calls this; README.md says how to read it.
#   bench/run.sh [--quick] [--serve] [--runs N] [--duckdb-runs N]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case ${1:-} in
  -h | --help) exec python3 bench/table.py --help ;;
esac
tools/setup.sh data oracles
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{
  cmake -S . -B build -DCOEVAL_BENCH=ON
  cmake --build build --parallel "${JOBS:-$(nproc)}" --target coeval kernel_bench forest_bench serving_bench
} >"$log" 2>&1 || { tail -n 40 "$log" >&2; exit 1; }
export PYTHONPATH=$PWD/third_party/oracles/duckdb:$PWD/third_party/oracles/numpy PYTHONDONTWRITEBYTECODE=1
python3 bench/table.py "$@"
