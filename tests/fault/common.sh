# Sourced by the scripts of this folder: a demonstration to break. Sets adapt, work (a fresh folder, removed at exit) and
# offers say/fail/expect; DATA is generated once a build folder.
set -euo pipefail
build=${1:?usage: $0 BUILD_FOLDER}
adapt=$build/adapt
support=$(cd "$(dirname "${BASH_SOURCE[0]}")/../support" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/adapt-fault-XXXXXX")
cleanup() { rm -rf "$work"; }
trap cleanup EXIT
data=$work/data
"$build/adapt_generate" "$data"

fail() {
  echo "FAIL: $*" >&2
  [ ! -f "$work/log" ] || tail -20 "$work/log" >&2
  exit 1
}
skip() {
  echo "SKIP: $*"
  exit 77
}
# experiment FILE MODELS METHODS OUT: a small experiment; MODELS and METHODS are space-separated names.
experiment() {
  local models= methods= name
  for name in $2; do models+="${models:+, }{\"name\": \"$name\", \"path\": \"$data/models/$name\"}"; done
  for name in $3; do methods+="${methods:+, }{\"name\": \"$name\"}"; done
  cat >"$1" <<EOF
{"name": "fault", "models": [$models],
 "tasks": {"path": "$data/tasks", "validation_examples": 8, "max_tokens": 128},
 "budgets": [0.05], "methods": [$methods], "seeds": [0],
 "training": {"batch_tokens": 1024, "micro_batch_tokens": 512, "learning_rate": 1e-3},
 "evaluation": {"validation_at": [0, 1], "benchmarks": {"boolq": "$data/benchmarks/boolq.jsonl"}, "limit": 10},
 "out": "$4"}
EOF
}
