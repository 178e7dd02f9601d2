#!/usr/bin/env bash
# resume_exact.sh BUILD: runs that are stopped again and again go on bit for bit: on one and on two ranks, with AdamW's moments sharded
# and not, with methods that wait for another cell's losses, with plain SGD; and from two ranks on one and on three up to rounding.
. "$(dirname "$0")/common.sh"
budget=0.05

# disturb NAME RANKS: stops NAME.json at three random instants, then lets it end.
disturb() {
  local name=$1 ranks=$2 stops=0
  for _ in 1 2 3; do
    launch "$ranks" "$work/$name.json"
    until_made "$work/$name/cells/*.claim" || true
    sleep "0.$(printf %03d $((RANDOM % 700)))"
    kill -USR1 $(rank_ids) 2>/dev/null || true
    await
    [ $status != 75 ] || stops=$((stops + 1))
    [ $status = 0 ] || [ $status = 75 ] || [ $status = 138 ] || fail "$name: exit status $status after a signal"
  done
  finish "$ranks" "$work/$name.json" --resume
  echo "$name: stopped $stops times"
}

# check NAME RANKS [TRAINING]: with and without disturbance.
check() {
  long "$work/plain_$1.json" "$work/plain_$1" 0 "${3:-}" "\"ranks_per_cell\": $2,"
  long "$work/$1.json" "$work/$1" 0.01 "${3:-}" "\"ranks_per_cell\": $2,"
  finish "$2" "$work/plain_$1.json"
  disturb "$1" "$2"
  same "$work/plain_$1" "$work/$1"
}
check one 1
check sharded 2 '"shard_optimizer": true,'
check whole 2 '"shard_optimizer": false,'
same "$work/sharded" "$work/whole"
methods='{"name": "adapt", "interval": 4}, {"name": "uniform"}' check waiting 1 '"optimizer": "sgd", "clip": 0,'

# Another number of ranks goes on with a checkpoint of two.
for ranks in 1 3; do
  long "$work/moved$ranks.json" "$work/moved$ranks" 0 "" '"ranks_per_cell": 2,'
  launch 2 "$work/moved$ranks.json"
  until_made "$work/moved$ranks/cells/*.claim"
  sleep 0.5
  kill -USR1 $(rank_ids)
  await
  [ $status = 75 ] || fail "exit status $status, expected 75"
  long "$work/moved$ranks.json" "$work/moved$ranks" 0 "" "\"ranks_per_cell\": $ranks,"
  finish $ranks "$work/moved$ranks.json"
  grep -q "goes on from its checkpoint at step" "$work/log" || fail "$ranks ranks: does not go on"
  same "$work/sharded" "$work/moved$ranks" --rounding 1e-3
done
echo "PASS"
