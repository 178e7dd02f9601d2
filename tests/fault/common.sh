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

# ---- runs that are disturbed and go on

[ "$(id -u)" != 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMP_NUM_THREADS=1

# long FILE OUT MINUTES [TRAINING] [TOP]: an experiment of one cell of some hundred steps, with all that a checkpoint must hold: an
# exact lookahead, Adam on the logits and on the weights, set points, the best checkpoint kept, benchmarks on the way and at the
# end. MINUTES is training.checkpoint_minutes; TRAINING and TOP are further members of "training" and of the whole, each with a
# comma at its end.
learned='{"name": "adapt", "interval": 3, "lookahead": "exact", "optimizer": "adam", "objective": "loss"}'
long() {
  cat >"$1" <<JSON
{"name": "fault", "models": [{"name": "tiny-qwen3", "path": "$data/models/tiny-qwen3"}],
 "tasks": {"path": "$data/tasks", "validation_examples": 8, "max_tokens": 128},
 "budgets": [${budget:-0.1}], "seeds": [0],
 "methods": [${methods:-$learned}],
 "training": {${4:-} "batch_tokens": 1024, "micro_batch_tokens": 512, "learning_rate": 1e-3, "checkpoint_minutes": $3},
 "evaluation": {"validation_at": [0, 0.3, 0.6, 1], "at": [0.5, "end"], "limit": 10,
                "benchmarks": {"boolq": "$data/benchmarks/boolq.jsonl", "arc_challenge": "$data/benchmarks/arc_challenge.jsonl"}},
 "keep": "best", ${5:-} "cache": "$work/cache", "out": "$2"}
JSON
}

# launch RANKS FILE [OPTIONS]: runs an experiment in the background; its log is $work/log, its launcher (the program itself for one
# rank) is $job.
launch() {
  local ranks=$1
  shift
  if [ "$ranks" = 1 ]; then
    "$adapt" run "$@" --threads 1 >"$work/log" 2>&1 &
  else
    mpirun --oversubscribe --bind-to none -n "$ranks" "$adapt" run "$@" >"$work/log" 2>&1 &
  fi
  job=$!
}
# rank_ids: the process ids of the ranks that run now, the coordinator first.
rank_ids() { pgrep -f "^$adapt run $work/" | sort -n || true; }
# await: waits for the launched program; its exit status is $status. A launcher that hangs without ranks (Open MPI 4's mpirun does,
# now and then, when a rank is killed while it starts) is killed after a minute.
await() {
  local polls=0 idle=0
  status=0
  while [ $idle -lt 60 ] && kill -0 "$job" 2>/dev/null; do
    polls=$((polls + 1))
    if [ $((polls % 10)) = 0 ]; then # looking for them costs more than looking at one
      idle=$((idle + 1))
      [ -z "$(rank_ids)" ] || idle=0
    fi
    sleep 0.1
  done
  [ $idle -lt 60 ] || kill -9 "$job" 2>/dev/null || true
  wait "$job" 2>/dev/null || status=$?
}
# finish RANKS FILE [OPTIONS]: runs it to its end, which must be good.
finish() {
  launch "$@"
  await
  [ $status = 0 ] || fail "exit status $status, expected 0"
}
# until_made PATTERN: waits for a file; 1 where the program ends before.
until_made() {
  local pattern=$1
  for _ in $(seq 3000); do
    compgen -G "$pattern" >/dev/null && return 0
    kill -0 "$job" 2>/dev/null || return 1
    sleep 0.01
  done
  fail "$pattern does not appear"
}
# same REFERENCE OUT [OPTIONS]: the cells of both folders hold the same, bit for bit.
same() {
  local reference=$1 out=$2 cell
  shift 2
  for cell in "$reference"/cells/*.h5; do
    "$build/tests/compare_cells" "$cell" "$out/cells/$(basename "$cell")" "$@" >"$work/differences" 2>&1 ||
      { cat "$work/differences" >&2; fail "$(basename "$cell") is not what an undisturbed run leaves"; }
  done
  [ -z "$(ls "$out/cells" | grep -v '[.]h5$')" ] || fail "something is left behind: $(ls "$out/cells")"
  if [ -d "$reference/models" ] && [ $# = 0 ]; then
    diff -r "$reference/models" "$out/models" >"$work/differences" 2>&1 ||
      { cat "$work/differences" >&2; fail "the kept models differ"; }
  fi
}
