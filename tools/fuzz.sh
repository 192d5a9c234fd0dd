#!/usr/bin/env bash
# Runs each fuzzer, or those named, for FUZZ_SECONDS (default 20) on fuzz/corpus/NAME, as many at a time as
# there are cores. What it finds new
# goes to build/fuzz/corpus/NAME; an input that crashes is left in build/fuzz/crashes and named.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${FUZZ_SECONDS:-20}
export ARROW_DEFAULT_MEMORY_POOL=system

names=("$@")
if [[ ${#names[@]} == 0 ]]; then
  for source in fuzz/*_fuzz.cc; do
    names+=("$(basename "$source" _fuzz.cc)")
  done
fi

for name in "${names[@]}"; do
  [[ -x build/asan/bin/${name}_fuzz ]] || { echo "fuzz: there is no fuzzer '$name'" >&2; exit 2; }
done

run_fuzzer() {
  local name=$1
  local log=build/fuzz/$name.log
  mkdir -p "build/fuzz/corpus/$name" "fuzz/corpus/$name" build/fuzz/crashes
  echo "fuzz: $name for $seconds s" >&2
  "build/asan/bin/${name}_fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=0 -verbosity=0 -artifact_prefix="build/fuzz/crashes/$name-" \
    "build/fuzz/corpus/$name" "fuzz/corpus/$name" </dev/null >"$log" 2>&1 && return
  grep -v '# Uses:' "$log" | tail -n 60 >&2
  echo "fuzz: $name FAILED; the input is in build/fuzz/crashes, what it said in $log" >&2
  echo "$name" >>"$failures"
}
failures=$(mktemp)
trap 'rm -f "$failures"' EXIT
export -f run_fuzzer
export seconds failures
# One for each core.
printf '%s\n' "${names[@]}" | xargs -P "$(nproc)" -I{} bash -c 'run_fuzzer {}' || true
failed=$(wc -l <"$failures")
echo "$((${#names[@]} - failed)) passed, $failed failed"
[[ $failed == 0 ]]
