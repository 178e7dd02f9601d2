# Sourced by the tests of this folder: a cluster of two nodes, a small experiment, and what an undisturbed run of it leaves. Sets
# adapt, work (on all nodes; removed at the end with the cluster), and offers fail, on, sweep, wait_done, same_as_undisturbed.
set -euo pipefail
build=$(cd "${1:?usage: $0 BUILD_FOLDER}" && pwd)
adapt=$build/adapt
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cluster=$(mktemp -d "${TMPDIR:-/tmp}/adapt-slurm-XXXXXX")
work=$cluster/work
trap '"$here/cluster.sh" stop "$cluster"' EXIT
export ADAPT_CLUSTER_SHARED=$build
"$here/cluster.sh" start "$cluster" 2
mkdir "$work"
cd "$work"
"$build/adapt_generate" "$work/demo" >/dev/null
# Of the tests alone: mpirun refuses root; two ranks share a core; a dead node's claims must not be waited for.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1 HDF5_USE_FILE_LOCKING=FALSE

fail() {
  echo "FAILED: $*" >&2
  tail -n 30 "$work"/*/slurm/*.log >&2 2>/dev/null || true
  tail -n 20 "$cluster"/log/slurmctld.log "$cluster"/log/n?.log >&2
  on squeue >&2 || true
  exit 1
}

# on COMMAND...: on the cluster's controller.
on() {
  "$here/cluster.sh" run "$cluster" "$@"
}

# experiment FILE OUT BUDGET [SLURM-JSON]: two methods, the one after the other, and a third; every cell spans both nodes.
experiment() {
  cat >"$1" <<JSON
{
  "name": "sweep",
  "models": [{"name": "tiny-qwen3", "path": "demo/models/tiny-qwen3"}],
  "tasks": {"path": "demo/tasks", "validation_examples": 8, "max_tokens": 96, "template": "{definition}\n{input}\nAnswer:"},
  "budgets": [$3],
  "methods": [{"name": "adapt", "reference": "uniform", "probe": 1}, {"name": "uniform"}, {"name": "proportional"}],
  "seeds": [0],
  "training": {"batch_tokens": 512, "micro_batch_tokens": 512, "learning_rate": 5e-3},
  "evaluation": {"limit": 20, "benchmarks": {"arc_challenge": "demo/benchmarks/arc_challenge.jsonl",
                                             "winogrande": "demo/benchmarks/winogrande.jsonl"}},
  "ranks_per_cell": 2, "out": "$2",
  "slurm": {"nodes": 2${4:+, $4}}
}
JSON
}

# sweep EXPERIMENT OPTION...: submits; sets job (of the sweep) and collector.
sweep() {
  on "$adapt" submit "$@" >"$work/submitted" || fail "submit $*"
  job=$(sed -n '1s/job \([0-9]*\):.*/\1/p' "$work/submitted")
  collector=$(sed -n '2s/job \([0-9]*\):.*/\1/p' "$work/submitted")
  [ -n "$job" ] && [ -n "$collector" ] || fail "submit said: $(cat "$work/submitted")"
}

# wait_until SECONDS COMMAND...: looks five times a second.
wait_until() {
  local looks=$(($1 * 5))
  shift
  while ! "$@"; do
    looks=$((looks - 1))
    [ $looks -gt 0 ] || return 1
    sleep 0.2
  done
}

has_ended() {
  [ -z "$(on squeue --noheader --jobs "$1" 2>/dev/null)" ]
}

is_running() {
  on squeue --noheader --jobs "$1" --states RUNNING | grep -q .
}

# wait_done OUT SECONDS [CELLS]: until the collector has ended; its verdict must be that so many cells (3) are there.
wait_done() {
  wait_until "$2" has_ended "$collector" || fail "the sweep has not ended within $2 s"
  grep -q " cells: ${3:-3} done, 0 running, 0 stopped or failed, .* 0 damaged" "$1/slurm/collect-$collector.log" ||
    fail "the collection says: $(cat "$1/slurm/collect-$collector.log")"
}

# undisturbed BUDGET [OPTION...]: the same experiment on two ranks of this machine, in $work/plain; its rows are what others are
# compared with.
undisturbed() {
  experiment plain.json plain "$1"
  shift
  "$here/../support/mpirun.sh" 2 "$adapt" run plain.json "$@" >plain.log 2>&1 || fail "the undisturbed run: $(cat plain.log)"
}

# same_as_undisturbed OUT [METHOD]: bit for bit in all but times and places; all cells, or those of one method.
same_as_undisturbed() {
  local cell
  for cell in plain/cells/*"${2:-}"*.h5; do
    "$build/tests/compare_cells" "$cell" "$1/cells/$(basename "$cell")" || fail "$(basename "$cell") of $1 is not as undisturbed"
  done
  echo "same rows as undisturbed: $1"
}

# under_way OUT: a job runs, and a cell of it has got somewhere.
under_way() {
  is_running "$job" && "$adapt" status "$1" 2>/dev/null | grep ", job ${job}[_ ]" | grep -Eq ' [0-9]{4,} of '
}

# restarts JOB: how often Slurm has requeued its tasks.
restarts() {
  on scontrol show job "$1" | sed -n 's/.* Restarts=\([0-9]*\) .*/\1/p' | awk '{ n += $1 } END { print n + 0 }'
}
