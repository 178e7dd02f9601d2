#!/usr/bin/env bash
# One rank runs out of memory: the group ends its cell with one message that names the rank, and nothing hangs.
. "$(dirname "$0")/common.sh"
experiment "$work/e.json" "tiny-qwen3" "uniform" "$work/out"
sed -i 's|"out":|"ranks_per_cell": 2, "out":|; s|"micro_batch_tokens": 512|"micro_batch_tokens": 131072|; s|"batch_tokens": 1024|"batch_tokens": 131072|' "$work/e.json"
[ "$(id -u)" = 0 ] && export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMP_NUM_THREADS=1
status=0
timeout 120 mpirun --oversubscribe --bind-to none -n 1 "$adapt" run "$work/e.json" : \
  -n 1 bash -c 'ulimit -v 1200000; exec "$0" run "$1"' "$adapt" "$work/e.json" >"$work/log" 2>&1 || status=$?
[ $status != 124 ] || fail "the run hangs"
[ $status = 1 ] || fail "exit status $status, expected 1"
grep -q "rank 1: .*memory" "$work/log" || fail "the message does not name rank 1 and the reason"
[ "$(grep -c "out of memory" "$work/log")" = 1 ] || fail "more than one message"
echo "PASS"
