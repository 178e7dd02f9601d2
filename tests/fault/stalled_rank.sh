#!/usr/bin/env bash
# stalled_rank.sh BUILD: a rank that stops responding (SIGSTOP) ends its group with a message within training.stall_minutes, and the
# same command goes on.
. "$(dirname "$0")/common.sh"
budget=0.05
long "$work/plain.json" "$work/plain" 0 '' '"ranks_per_cell": 2,'
finish 2 "$work/plain.json"
long "$work/e.json" "$work/out" 0.005 '"stall_minutes": 0.1,' '"ranks_per_cell": 2,'
for which in 2 1; do
  rm -rf "$work/out"
  launch 2 "$work/e.json"
  until_made "$work/out/cells/*.claim"
  until_made "$work/out/cells/*.checkpoint/*.checkpoint" || fail "the run ended before it had a checkpoint"
  sleep 0.2
  victim=$(rank_ids | sed -n ${which}p)
  kill -STOP "$victim"
  started=$(date +%s)
  await
  took=$(($(date +%s) - started))
  [ $status != 0 ] || fail "a run with a stopped rank ended well"
  [ $took -le 40 ] || fail "it took $took s"
  grep -q "no progress for .* a rank of its group does not respond" "$work/log" || fail "the reason is not told"
  [ -z "$(rank_ids)" ] || { sleep 2; [ -z "$(rank_ids)" ] || fail "ranks are left"; }
  echo "rank $which stopped: ended after $took s"
done
finish 2 "$work/e.json"
same "$work/plain" "$work/out"
echo "PASS"
