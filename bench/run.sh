#!/usr/bin/env bash
# The benchmarks beside their peers, in one table. `./dev bench` calls this; README.md says how to read it.
#   bench/run.sh [flights|ingest|windows] [--quick] [--serve] [--runs N] [--duckdb-runs N] [--all-plans]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case ${1:-} in
  -h | --help) exec python3 bench/table.py --help ;;
esac
parts=(data oracles)
# The peers of windows are large; neither a quick run nor one of the flights needs them.
[[ " $* " == *" --quick "* || " $* " == *" flights "* || " $* " == *" ingest "* ]] || parts+=(peers)
[[ " $* " == *" --quick "* || " $* " == *" flights "* || " $* " == *" windows "* ]] || parts+=(pandera)
tools/setup.sh "${parts[@]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{
  cmake -S . -B build -DCOEVAL_BENCH=ON
  cmake --build build --parallel "${JOBS:-$(nproc)}" \
    --target coeval coeval_parquet_module kernel_bench forest_bench serving_bench windows_bench
} >"$log" 2>&1 || { tail -n 40 "$log" >&2; exit 1; }
export PYTHONPATH=$PWD/third_party/oracles/duckdb:$PWD/third_party/oracles/numpy PYTHONDONTWRITEBYTECODE=1
python3 bench/table.py "$@"
