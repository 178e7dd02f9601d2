# Sourced by end-to-end tests, after `build` is set: a working folder that is removed at the end, and checks that fail
# the test with a reason.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
mpirun=$top/tests/support/mpirun.sh
adapt=$build/adapt
work=$(mktemp -d "${TMPDIR:-/tmp}/adapt-e2e.XXXXXX")
trap 'rm -rf "$work"' EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# expect STATUS COMMAND...: runs a command, keeps its output in $work/out and $work/err, and checks its exit status.
expect() {
  local wanted=$1 status=0
  shift
  "$@" >"$work/out" 2>"$work/err" || status=$?
  if [ "$status" != "$wanted" ]; then
    cat "$work/out" "$work/err" >&2
    fail "exit status $status, not $wanted: $*"
  fi
}

# says FILE TEXT...: every text occurs in $work/FILE.
says() {
  local file=$work/$1 text
  shift
  for text in "$@"; do
    if ! grep -qF -- "$text" "$file"; then
      cat "$file" >&2
      fail "this does not say '$text'"
    fi
  done
}

# demo_part FILE MODEL BUDGET SEED: writes an experiment, a part of demo.json on the data in $work/demo.
demo_part() {
  cat >"$1" <<JSON
{
  "name": "part",
  "models": [{"name": "$2", "path": "demo/models/$2"}],
  "tasks": {"path": "demo/tasks", "validation_examples": 8, "max_tokens": 96,
            "template": "{definition}\n{input}\nAnswer:"},
  "budgets": [$3],
  "methods": [{"name": "adapt", "reference": "uniform", "probe": 1}, {"name": "uniform"}],
  "seeds": [$4],
  "training": {"batch_tokens": 512, "micro_batch_tokens": 512, "learning_rate": 5e-3},
  "evaluation": {"limit": 20, "benchmarks": {"arc_challenge": "demo/benchmarks/arc_challenge.jsonl",
                                             "winogrande": "demo/benchmarks/winogrande.jsonl"}},
  "ranks_per_cell": 1,
  "out": "run"
}
JSON
}
