#!/usr/bin/env bash
# What the job script of `adapt submit` makes of every way a launch or a run can end, with srun and scontrol that only say what
# they are told: back into the queue or not, the exit status, and what the log tells. tests/slurm does it with a real Slurm.
set -euo pipefail
build=$(cd "${1:?usage: $0 BUILD_FOLDER}" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/adapt-job-script-XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0
cd "$work"
mkdir bin logs
cat >bin/srun <<'SRUN'
#!/bin/bash
[ "$1" != --mpi=list ] || { echo pmix; exit; }
while [ $# -gt 0 ]; do
  [ "$1" != --launch-file ] || file=$2
  shift
done
[ -s "$file" ] || { echo "no launch file"; exit 99; }
echo launch >>launched
cp "$file" seen
[ "$BEGINS" != later ] || [ "$(wc -l <launched)" = 1 ] || { rm "$file"; exit 0; }
[ "$BEGINS" != yes ] || rm "$file"
[ "$WARN" = no ] || { trap 'exit $STATUS' USR1; kill -USR1 $PPID; while :; do /bin/sleep 0.01; done; }
[ -z "${ENDED:-}" ] || { kill $PPID; /bin/sleep 0.1; }
[ -z "${STOPS:-}" ] || echo stopped >"$file"
[ "$STATUS" -le 128 ] || kill -$((STATUS - 128)) $$
exit "$STATUS"
SRUN
cat >bin/scontrol <<'SCONTROL'
#!/bin/bash
case $1 in
  show) echo "JobId=$3 JobState=$STATE Reason=None PreemptTime=${PREEMPTED:-None} X=Y" ;;
  requeue) echo "$2" >>requeued ;;
esac
SCONTROL
ln -s /bin/true bin/sleep
chmod +x bin/srun bin/scontrol
cat >e.json <<'JSON'
{"name": "e", "models": [{"name": "m", "path": "m"}], "tasks": {"path": "t"}, "budgets": [0.1], "seeds": [0],
 "methods": [{"name": "uniform"}], "slurm": {"max_requeues": 5}, "out": "out"}
JSON
"$build/adapt" submit e.json --dry-run >sweep.sh
! command -v shellcheck >/dev/null || shellcheck sweep.sh || failed=1

# start NAME REQUEUED STATUS TEXT [VARIABLE=VALUE...]: one start of the script; TEXT: what the log holds (nothing if empty).
start() {
  local name=$1 requeued=$2 status=$3 text=$4 got=0
  shift 4
  (cd logs && env PATH="$work/bin:$PATH" SLURM_JOB_ID=7 SLURM_ARRAY_TASK_ID=0 SLURM_JOB_NODELIST='n[1-2]' SLURM_RESTART_COUNT=0 \
    BEGINS=yes WARN=no STATE=RUNNING "$@" bash ../sweep.sh) >log 2>&1 || got=$?
  [ $got = "$status" ] || { echo "FAILED: $name: exit status $got, $status expected" >&2; cat log >&2; failed=1; }
  got=no
  [ ! -e logs/requeued ] || got=yes
  rm -f logs/requeued
  [ $got = "$requeued" ] || { echo "FAILED: $name: requeued: $got" >&2; cat log >&2; failed=1; }
  if [ -n "$text" ]; then
    grep -qF -- "$text" log || { echo "FAILED: $name: the log lacks '$text'" >&2; cat log >&2; failed=1; }
  else
    [ ! -s log ] || { echo "FAILED: $name: the log has" >&2; cat log >&2; failed=1; }
  fi
}
left() { # launch files
  [ "$(find logs -name 'launches-*' | wc -l)" = "$1" ] || { echo "FAILED: launch files: $(ls logs), $1 expected" >&2; failed=1; }
}

start "a good run" no 0 "" STATUS=0
start "a stop" yes 0 "stopped with status 75, restart 4: back into the queue" STATUS=75 SLURM_RESTART_COUNT=4
start "a stop that the file tells" yes 0 "stopped with status 75, restart 0: back into the queue" STATUS=0 STOPS=yes
left 0
start "a stop, too often" no 75 "stopped with status 75, after 5 restarts: not put back" STATUS=75 SLURM_RESTART_COUNT=5
start "a failure" no 1 "" STATUS=1
start "a crash" no 139 "Segmentation fault" STATUS=139 LC_ALL=C
start "a signal that ends it early" no 138 "" STATUS=138
start "the same on a warning" yes 0 "stopped with status 138" STATUS=138 WARN=yes BEGINS=no
left 0
start "a cancelled job" no 75 "" STATUS=75 STATE=CANCELLED
start "preemption" yes 0 "stopped with status 143" STATUS=143 PREEMPTED=2026-01-01T00:00:00
start "preemption before the start" yes 0 "stopped with status 143" STATUS=143 PREEMPTED=2026-01-01T00:00:00 BEGINS=no ENDED=yes
left 0

launches() { # how many since the last look
  [ "$(wc -l <logs/launched)" = "$1" ] || { echo "FAILED: $(wc -l <logs/launched) launches, $1 expected" >&2; failed=1; }
  rm logs/launched
}
rm logs/launched

# A launch that fails: twice more at once, then back into the queue; nine in a row, fewer where requeues are up. A start in between
# counts from the beginning.
start "a launch that fails once" no 0 "the launch failed with status 1: once more" STATUS=1 BEGINS=later
left 0
launches 2
first="the launch failed with status 1, 3 of at most 9 in a row, restart 0: back into the queue"
start "launches that fail" yes 0 "$first" STATUS=1 BEGINS=no
grep -qx 'restart 0 on n\[1-2\]' logs/seen || { echo "FAILED: the launch file says: $(cat logs/seen)" >&2; failed=1; }
start "others" yes 0 "status 139, 6 of at most 9 in a row, restart 1: back" STATUS=139 BEGINS=no SLURM_RESTART_COUNT=1
left 1
start "the last ones" no 1 "9 of at most 9 in a row, after 2 restarts: not put back" STATUS=1 BEGINS=no SLURM_RESTART_COUNT=2
left 0
launches 9
start "launches that fail" yes 0 "3 of at most 9" STATUS=1 BEGINS=no
start "a run and its stop" yes 0 "stopped with status 75" STATUS=75
left 0
start "launches that fail after it" yes 0 "3 of at most 9" STATUS=1 BEGINS=no
start "and a failure of the run" no 1 "" STATUS=1
left 0
rm logs/launched
start "launches that fail with status 0" yes 0 "the launch failed with status 1, 3 of at most 9" STATUS=0 BEGINS=no
launches 3
rm -f logs/launches-*
start "launches that fail, too late" no 1 "3 of at most 9 in a row, after 5 restarts: not put back" STATUS=1 BEGINS=no SLURM_RESTART_COUNT=5
launches 3
start "a cancelled launch" no 1 "" STATUS=1 BEGINS=no STATE=CANCELLED ENDED=yes
left 0
launches 1
start "no such program" no 2 "" STATUS=2 BEGINS=no
start "no such library" no 127 "" STATUS=127 BEGINS=no
left 0
launches 2
[ $failed = 0 ] && echo "every end of a run as expected"
exit $failed
