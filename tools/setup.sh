#!/usr/bin/env bash
# Installs what coeval is built from. Idempotent: does only what is missing, and says what it does.
#   tools/setup.sh [build|lint|data|oracles|peers|pandera|evidently|great-expectations|scikit-learn|trainers|mlflow]...     default: build data
# build: Debian packages, and Arrow, XGBoost, LightGBM, ONNX Runtime and the time zone tables in third_party/.
# lint: the clang tools.
# data: the flights.
# oracles: DuckDB, numpy and fastjsonschema for tests/oracle.sh and bench/, as Python finds them in third_party/oracles/NAME.
# peers: Polars, pandas and Feast for bench/windows, each in a virtual environment third_party/peers/NAME (1.3 GB).
# pandera: for tests/checks.sh, in third_party/peers/pandera. scikit-learn: the same for tests/statistics.sh, trainers
# for the external trainers of tests/program.sh.
# evidently, great-expectations: the same for bench/quality_table.py, on demand.
# mlflow: the same for tests/exports.sh (MLflow, the packages of XGBoost, LightGBM and ONNX Runtime, OpenLineage's classes; 0.7 GB).
# Downloads are kept in $COEVAL_CACHE (default ~/.cache/coeval), so that a second clone fetches nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# How many symbols tools/hide_symbols.py must find in libparquet.so of the pinned wheel.
readonly hidden_symbols=7639

say() { printf 'setup: %s\n' "$*" >&2; }
die() { printf 'setup: error: %s\n' "$*" >&2; exit 1; }

retry() {
  local attempt
  for attempt in 1 2 3; do
    "$@" && return 0
    [[ $attempt == 3 ]] && return 1
    say "failed; trying again in $((attempt * 3)) s"
    sleep $((attempt * 3))
  done
}

# --- Debian packages -----------------------------------------------------------------------------

packages_of() { awk -v set="$1" '$1 == set { print $2 }' tools/packages.txt; }

# Those of the given packages that are not installed.
missing_packages() {
  local installed
  # dpkg-query fails when it has never heard of one of them; that one is missing.
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
  comm -23 <(printf '%s\n' "$@" | sort -u) \
    <(awk '$1 == "installed" { print $2 }' <<<"$installed" | sort -u)
}

apt_get() {
  local as_root=()
  [[ $(id -u) == 0 ]] || as_root=(sudo)
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C \
    apt-get -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

install_packages() {
  local missing log
  command -v apt-get >/dev/null ||
    die "there is no apt-get here. Install by other means what these Debian packages hold: $*"
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} == 0 ]] && return 0
  [[ $(id -u) == 0 ]] || command -v sudo >/dev/null ||
    die "Debian packages are missing, and you are not root and have no sudo. Have somebody run:
  apt-get install --no-install-recommends ${missing[*]}"
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  log=$(mktemp)
  retry apt_get update >"$log" 2>&1 || { tail -n 20 "$log" >&2; die "apt-get update failed"; }
  # --no-remove: never take away a package of yours (libboost1.81-dev and 1.74-dev exclude each other).
  retry apt_get install -y --no-install-recommends --no-remove "${missing[@]}" >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; die "apt-get install failed; its output is in $log"; }
  rm -f "$log"
}

# --- Pinned files --------------------------------------------------------------------------------

# A column of tools/artefacts.txt: 3 version, 4 file, 5 sha256, 6 Python version.
pin() { awk -v name="$1" -v column="$2" '$2 == name { print $column }' tools/artefacts.txt; }

has_hash() { [[ -f $1 ]] && sha256sum --check --status - <<<"$2  $1"; }

choose_cache() {
  cache=${COEVAL_CACHE:-${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/coeval}
  if ! { mkdir -p "$cache" && [[ -w $cache ]]; } 2>/dev/null; then
    cache=$PWD/third_party/downloads
    mkdir -p "$cache"
  fi
}

# Both clients are asked by package name, so that mirrors and proxies of yours are honoured.
download_pypi() {
  local name=$1 folder=$2 python
  python=$(pin "$name" 6)
  python3 -m pip --version >/dev/null 2>&1 || install_packages python3-pip
  echo "$name==$(pin "$name" 3) --hash=sha256:$(pin "$name" 5)" >"$folder/requirements.txt"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
    --only-binary=:all: --implementation cp --python-version "$python" --abi "cp${python/./}" \
    --abi none --platform manylinux_2_28_x86_64 --dest "$folder" \
    --requirement "$folder/requirements.txt" </dev/null
}

download_npm() {
  local name=$1 folder=$2
  command -v npm >/dev/null || install_packages npm
  npm pack --silent --ignore-scripts --pack-destination "$folder" "$name@$(pin "$name" 3)" \
    </dev/null >/dev/null
}

# Leaves the pinned file of package NAME in the cache.
fetch() {
  local kind=$1 name=$2 file hash folder
  file=$(pin "$name" 4) hash=$(pin "$name" 5)
  has_hash "$cache/$file" "$hash" && return 0
  say "fetching $name $(pin "$name" 3)"
  folder=$(mktemp -d "$cache/fetch.XXXXXX")
  if ! retry "download_$kind" "$name" "$folder"; then
    rm -rf "$folder"
    die "$name $(pin "$name" 3) could not be fetched. Without a network, put $file into $cache"
  fi
  has_hash "$folder/$file" "$hash" ||
    { rm -rf "$folder"; die "$file is not the pinned file: its sha256 is not $hash"; }
  mv -f "$folder/$file" "$cache/$file"
  rm -rf "$folder"
}

# Unpacks into a fresh folder beside third_party/TARGET, then swaps it in: never half a library.
unpack() {
  local name=$1 target=third_party/$2 files=$3 stamp fresh
  # A change of the pin, of this script or of the fix unpacks anew.
  stamp=$(cat tools/setup.sh tools/hide_symbols.py <(pin "$name" 5) | sha256sum)
  [[ -f $target/.stamp && $(<"$target/.stamp") == "$stamp" ]] && return 0
  fetch pypi "$name"
  say "unpacking $name into $target"
  rm -rf third_party/fresh.*
  fresh=$(mktemp -d third_party/fresh.XXXXXX)
  chmod 755 "$fresh"
  python3 -m zipfile -e "$cache/$(pin "$name" 4)" "$fresh/wheel"
  "$files" "$fresh/wheel" "$fresh/out"
  echo "$stamp" >"$fresh/out/.stamp"
  rm -rf "$target"
  mv "$fresh/out" "$target"
  rm -rf "$fresh"
}

arrow_files() {
  local wheel=$1 out=$2 library
  mkdir -p "$out/lib"
  mv "$wheel/pyarrow/include" "$out/include"
  mv "$wheel"/pyarrow-*.dist-info/licenses/* "$out/"
  for library in libarrow.so.2600 libparquet.so.2600; do
    strip --strip-unneeded -o "$out/lib/$library" "$wheel/pyarrow/$library"
  done
  python3 tools/hide_symbols.py "$out/lib/libparquet.so.2600" "$hidden_symbols"
}

# The library finds its OpenMP through a relative path, so the wheel's folders stay as they are.
xgboost_files() {
  local wheel=$1 out=$2
  mkdir -p "$out/xgboost"
  mv "$wheel/xgboost/lib" "$out/xgboost/lib"
  mv "$wheel/xgboost_cpu.libs" "$out/xgboost_cpu.libs"
  mv "$wheel"/xgboost_cpu-*.dist-info/licenses/* "$out/"
}

# Its OpenMP is the system's, which comes with g++.
lightgbm_files() {
  local wheel=$1 out=$2
  mkdir -p "$out/lightgbm"
  mv "$wheel/lightgbm/lib" "$out/lightgbm/lib"
  mv "$wheel"/lightgbm-*.dist-info/licenses/* "$out/"
}

# One library; its name has no version, so that another one can be put in its place.
onnxruntime_files() {
  local wheel=$1 out=$2
  mkdir -p "$out/onnxruntime/lib"
  mv "$wheel/onnxruntime/capi/libonnxruntime.so.$(pin onnxruntime 3)" "$out/onnxruntime/lib/libonnxruntime.so"
  mv "$wheel/onnxruntime/LICENSE" "$wheel/onnxruntime/ThirdPartyNotices.txt" "$out/"
}

# The compiled zones, their list and the licences; nothing of it is Python.
tzdata_files() {
  local wheel=$1 out=$2
  mkdir -p "$out"
  mv "$wheel/tzdata/zoneinfo" "$wheel/tzdata/zones" "$out/"
  find "$out/zoneinfo" -name __init__.py -delete
  mv "$wheel"/tzdata-*.dist-info/licenses/* "$out/"
}

# A Python package is used where it lies, by PYTHONPATH.
python_files() { mv "$1" "$2"; }

setup_data() {
  local file=data/flights-3m.parquet hash package
  hash=$(pin flights-3m 5)
  # The size and time of the verified file stand in for hashing it again.
  [[ -f $file && -f data/.stamp && $(<data/.stamp) == "$hash $(stat -c '%s %Y' "$file")" ]] && return 0
  if ! has_hash "$file" "$hash"; then
    fetch npm vega-datasets
    say "unpacking $file"
    package=$cache/$(pin vega-datasets 4)
    mkdir -p data
    tar -xOf "$package" package/data/flights-3m.parquet >"$file.part"
    has_hash "$file.part" "$hash" || die "$file in $package is not the pinned file"
    mv "$file.part" "$file"
  fi
  echo "$hash $(stat -c '%s %Y' "$file")" >data/.stamp
}

setup_build() {
  local packages
  mapfile -t packages < <(packages_of build)
  install_packages "${packages[@]}"
  unpack tzdata tzdata tzdata_files
  if [[ $(uname -m) != x86_64 ]]; then
    say "the pinned Arrow, XGBoost, LightGBM and ONNX Runtime are for x86-64; build with -DCOEVAL_ARROW=OFF here"
    return 0
  fi
  unpack pyarrow arrow arrow_files
  unpack xgboost-cpu xgboost xgboost_files
  unpack lightgbm lightgbm lightgbm_files
  unpack onnxruntime onnxruntime onnxruntime_files
}

setup_lint() {
  local packages
  mapfile -t packages < <(packages_of lint)
  install_packages "${packages[@]}"
}

setup_oracles() {
  local python
  python=$(pin duckdb 6)
  [[ $(uname -m) == x86_64 && $(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])') == "$python" ]] ||
    die "the pinned oracles are for x86-64 and Python $python, which is Debian 12's"
  mkdir -p third_party/oracles
  unpack duckdb oracles/duckdb python_files
  unpack numpy oracles/numpy python_files
  unpack fastjsonschema oracles/fastjsonschema python_files
}

# A peer brings much that it needs, so that pip installs it: the files are pinned in tools/peers/NAME.txt.
setup_peer() {
  local name=$1 target=third_party/peers/$1 stamp log
  stamp=$(sha256sum <"tools/peers/$name.txt")
  [[ -f $target/.stamp && $(<"$target/.stamp") == "$stamp" ]] && return 0
  say "installing $name into $target (minutes)"
  log=$(mktemp)
  rm -rf "$target"
  if ! { python3 -m venv "$target" && retry "$target/bin/pip" install --quiet --disable-pip-version-check --no-deps \
    --require-hashes --only-binary=:all: --requirement "tools/peers/$name.txt" </dev/null; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "$name could not be installed"
  fi
  rm -f "$log"
  echo "$stamp" >"$target/.stamp"
}

setup_peers() {
  python3 -c 'import ensurepip' 2>/dev/null || install_packages python3-venv
  mkdir -p third_party/peers
  setup_peer polars
  setup_peer pandas
  setup_peer feast
}

setup_pandera() {
  python3 -c 'import ensurepip' 2>/dev/null || install_packages python3-venv
  mkdir -p third_party/peers
  setup_peer pandera
}

setup_evidently() {
  python3 -c 'import ensurepip' 2>/dev/null || install_packages python3-venv
  mkdir -p third_party/peers
  setup_peer evidently
}

setup_great-expectations() {
  python3 -c 'import ensurepip' 2>/dev/null || install_packages python3-venv
  mkdir -p third_party/peers
  setup_peer great-expectations
}

setup_scikit-learn() {
  python3 -c 'import ensurepip' 2>/dev/null || install_packages python3-venv
  mkdir -p third_party/peers
  setup_peer scikit-learn
}

setup_trainers() {
  python3 -c 'import ensurepip' 2>/dev/null || install_packages python3-venv
  mkdir -p third_party/peers
  setup_peer trainers
}

setup_mlflow() {
  python3 -c 'import ensurepip' 2>/dev/null || install_packages python3-venv
  mkdir -p third_party/peers
  setup_peer mlflow
}

main() {
  local part
  [[ $# -gt 0 ]] || set -- build data
  # Two builds of one clone may start at once; the second waits, then finds everything done.
  mkdir -p third_party
  exec 9>third_party/.lock
  flock 9
  choose_cache
  for part in "$@"; do
    case $part in
      build | lint | data | oracles | peers | pandera | evidently | great-expectations | scikit-learn | trainers | mlflow)
        "setup_$part" ;;
      *) die "unknown part '$part'; there are build, lint, data, oracles, peers, pandera, evidently, great-expectations, scikit-learn, trainers and mlflow" ;;
    esac
  done
}

main "$@"
