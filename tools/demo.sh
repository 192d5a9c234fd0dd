#!/usr/bin/env bash
# The main job on three million real flights: checked rows, point-in-time features, trained and gated
# models, a server, June played as live traffic, and an audit. `./dev demo` builds first and calls this.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
coeval=$root/build/bin/coeval
work=$root/build/demo
landing='date + minutes(40 + distance / 7.5)'

say() { printf '\n== %s\n' "$*"; }
# One number or text out of a JSON file: value FILE key key …
value() { python3 -c 'import json,sys
v=json.load(open(sys.argv[1]))
for k in sys.argv[2:]: v=v[k]
print(v)' "$@"; }
round() { printf '%.3f' "$1"; }

server_pid=
stop_server() {
  [ -n "$server_pid" ] || return 0
  local pid=$server_pid
  server_pid=
  kill -TERM "$pid"
  wait "$pid"
}
trap stop_server EXIT

# serve PROJECT: starts a server of it on a free port and waits until it says where.
serve() {
  "$coeval" serve -C "$1" --as-of 2001-06-01 --clock data --port 0 >"$work/serve.out" &
  server_pid=$!
  until grep -q '^serving at' "$work/serve.out"; do
    kill -0 "$server_pid" 2>/dev/null || { echo "the server stopped" >&2; exit 1; }
    sleep 0.1
  done
  url=$(sed -n 's/^serving at //p' "$work/serve.out")
}

# The projects are copied so that the examples stay as they are; each demo starts a new log, builds are kept.
mkdir -p "$work/examples"
ln -sfn "$root/data" "$work/data"
for name in flights flights-leaky; do
  mkdir -p "$work/examples/$name"
  cp "$root/examples/$name/coeval.toml" "$work/examples/$name/"
  rm -rf "$work/examples/$name/.coeval/log" "$work/examples/$name/.coeval/snapshots"
done
flights=$work/examples/flights
leaky=$work/examples/flights-leaky

say "the honest definition: an event counts once its flight has landed"
"$coeval" check -C "$flights"
"$coeval" build -C "$flights"
for model in late late_basic; do "$coeval" promote -C "$flights" "$model" --reason demo; done

say "the same definition with a false claim: known = \"event time\""
diff "$root/examples/flights/coeval.toml" "$root/examples/flights-leaky/coeval.toml" || true
"$coeval" build -C "$leaky" late
"$coeval" promote -C "$leaky" late --reason demo

say "June 2001 as live traffic: questions at take-off, events at landing"
serve "$flights"
"$coeval" replay -C "$flights" late late_basic --from 2001-06-01 --to 2001-07-01 --url "$url" --json >"$work/flights.json"
stop_server
serve "$leaky"
"$coeval" replay -C "$leaky" late --from 2001-06-01 --to 2001-07-01 --url "$url" --arrival "$landing" --json >"$work/leaky.json"
stop_server

say "audit: every prediction recomputed from the log"
"$coeval" audit -C "$flights" | tee "$work/audit.txt"
"$coeval" audit -C "$leaky"

say "audit against the dataset that the model was trained and tested on"
"$coeval" audit -C "$flights" --against-dataset
status=0
"$coeval" audit -C "$leaky" --against-dataset >"$work/leaky-audit.txt" || status=$?
cat "$work/leaky-audit.txt"
[ "$status" = 3 ] || { echo "the audit of the leaky example should have exited 3, not $status" >&2; exit 1; }

for model in late late_basic; do "$coeval" show -C "$flights" "$model" --json >"$work/$model.json"; done
"$coeval" show -C "$leaky" late --json >"$work/leaky-late.json"
offline() { printf '%s / %s' "$(round "$(value "$1" metrics test auc)")" "$(round "$(value "$1" metrics test average_precision)")"; }
served() { printf '%s / %s' "$(round "$(value "$1" models "$2" auc)")" "$(round "$(value "$1" models "$2" average_precision)")"; }
# "N predictions, M differ" is an audit's first line.
read -r audited _ differ _ <"$work/audit.txt"
read -r leaky_audited _ leaky_differ _ <"$work/leaky-audit.txt"

cat <<TABLE

| flights, test month June 2001 | offline AUC / AP | the same model as served |
|---|---|---|
| 5 columns of the question | $(offline "$work/late_basic.json") | $(served "$work/flights.json" late_basic) |
| + 36 window features, each event counted once it has landed | $(offline "$work/late.json") | $(served "$work/flights.json" late), audit: $differ of $audited predictions differ |
| + the same windows with a false claim (known = "event time") | $(offline "$work/leaky-late.json") (it leaks) | $(served "$work/leaky.json" late), audit against the dataset: $leaky_differ of $leaky_audited predictions differ |

Go on:
  cd $flights
  $coeval serve --clock data          # then open http://127.0.0.1:8080
  $coeval explain $(value "$work/flights.json" models late last_prediction_id)
  $coeval show late
TABLE
