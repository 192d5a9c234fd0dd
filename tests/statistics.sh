#!/usr/bin/env bash
# Compares src/stats with scikit-learn, scipy and brute force on 1,000 random cases of each kind; COEVAL names the binary,
# which stands beside the one used.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
if [[ -n ${COEVAL_SKIP_ORACLE:-} ]]; then
  export COEVAL_STATISTICS_CASES=${COEVAL_STATISTICS_CASES:-100}
fi
"$root/tools/setup.sh" scikit-learn
binary=${COEVAL:-$root/build/bin/coeval}
export COEVAL_STATISTICS_ANSWERS=${COEVAL_STATISTICS_ANSWERS:-$(dirname "$binary")/coeval_statistics_answers}
export PYTHONDONTWRITEBYTECODE=1
exec "$root/third_party/peers/scikit-learn/bin/python" "$root/tests/statistics/run.py"
