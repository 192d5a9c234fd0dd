#!/usr/bin/env bash
# Compares the verdicts of row checks with pandera's and pandas'; COEVAL names the binary, which stands beside the one used.
set -euo pipefail
if [[ -n ${COEVAL_SKIP_ORACLE:-} ]]; then
  echo "left to the release build"
  echo "0 passed, 0 failed"
  exit 0
fi
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/tools/setup.sh" pandera
binary=${COEVAL:-$root/build/bin/coeval}
export COEVAL_ROW_VERDICTS=${COEVAL_ROW_VERDICTS:-$(dirname "$binary")/coeval_row_verdicts}
export PYTHONDONTWRITEBYTECODE=1
exec "$root/third_party/peers/pandera/bin/python" "$root/tests/checks/run.py"
