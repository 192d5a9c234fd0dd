#!/usr/bin/env bash
# Checks format, layers and shell syntax; `--fix` formats in place. TIDY=1 adds clang-tidy on the C++
# files that differ from HEAD (TIDY=all: on every one), which takes a while.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

failed=0
complain() { printf 'lint: %s\n' "$*" >&2; failed=1; }

mapfile -t sources < <(find src bench fuzz sim tests -name '*.cc' -o -name '*.h' | sort)
if [[ ${1:-} == --fix ]]; then
  clang-format-22 -i "${sources[@]}"
else
  unformatted=$(clang-format-22 --dry-run --Werror "${sources[@]}" 2>&1 |
    awk -F: '/ error:/ { print $1 }' | sort | uniq -c || true)
  [[ -z $unformatted ]] || complain "lines to be formatted; ./dev lint --fix does it:"$'\n'"$unformatted"
fi

python3 tools/check_layers.py || complain "the layers test fails"

conflicts=$(git grep -nE '^(<{7}|>{7})( |$)' || true)
[[ -z $conflicts ]] || complain "marks of a merge are left:"$'\n'"$conflicts"

for script in dev .ci/run tools/*.sh tests/*.sh bench/*.sh; do
  [[ -f $script ]] || continue
  bash -n "$script" || complain "$script does not parse"
done

if [[ -n ${TIDY:-} ]]; then
  [[ -f build/dev/compile_commands.json ]] || cmake --preset dev >/dev/null
  changed=("${sources[@]}")
  [[ $TIDY == all ]] || mapfile -t changed < <(git diff --name-only HEAD -- 'src/*.cc')
  for source in "${changed[@]}"; do
    [[ $source == *.cc && $source == src/* ]] || continue
    clang-tidy-22 --quiet -p build/dev "$source" 2>/dev/null || complain "clang-tidy: $source"
  done
fi

[[ $failed == 0 ]] && echo "lint: clean"
exit "$failed"
