#!/usr/bin/env bash
# kill_random.sh BUILD [COUNT]: kill -9 at COUNT instants (6): the only rank at random, while a checkpoint is written, while the
# archive is flushed; one of two ranks at random, the coordinator of two. The same command then goes on, and the archive is that of
# an undisturbed run, bit for bit. The last lines are a table.
. "$(dirname "$0")/common.sh"
count=${2:-6} budget=0.05
kinds=(random checkpoint flush rank coordinator)
declare -A kills rows same_after
for kind in "${kinds[@]}"; do kills[$kind]=0 rows[$kind]=0 same_after[$kind]=0; done

for ranks in 1 2; do
  long "$work/reference$ranks.json" "$work/reference$ranks" 0 "" "\"ranks_per_cell\": $ranks,"
  finish $ranks "$work/reference$ranks.json"
  long "$work/e$ranks.json" "$work/out$ranks" 0.002 "" "\"ranks_per_cell\": $ranks,"
done

# The instant: returns 1 where the run has ended before.
await_instant() {
  local out=$2 before
  until_made "$out/cells/*.h5" || return 1
  sleep "0.$(printf %03d $((RANDOM % 1000)))"
  case $1 in
  checkpoint) until_made "$out/cells/*.checkpoint/*.tmp-*" || return 1 ;;
  flush)
    before=$(stat -c %Y.%y.%s "$out"/cells/*.h5)
    while [ "$(stat -c %Y.%y.%s "$out"/cells/*.h5)" = "$before" ]; do kill -0 "$job" 2>/dev/null || return 1; done ;;
  esac
}

n=0
while [ $n -lt "$count" ]; do
  kind=${kinds[$((n % ${#kinds[@]}))]}
  ranks=1
  [[ $kind != rank && $kind != coordinator ]] || ranks=2
  out=$work/out$ranks
  rm -rf "$out"
  # A few kills on the way of one run.
  for _ in 1 2 3; do
    launch $ranks "$work/e$ranks.json"
    if await_instant $kind "$out"; then
      case $kind in
      rank) victim=$(rank_ids | sed -n 2p) ;;
      *) victim=$(rank_ids | sed -n 1p) ;;
      esac
      if [ -n "$victim" ] && kill -9 "$victim" 2>/dev/null; then
        kills[$kind]=$((kills[$kind] + 1))
        n=$((n + 1))
      fi
    fi
    await
    [ $status != 0 ] || break
    [ -z "$(rank_ids)" ] || { sleep 1; [ -z "$(rank_ids)" ] || fail "ranks are left running"; }
  done
  finish $ranks "$work/e$ranks.json"
  same "$work/reference$ranks" "$out"
  same_after[$kind]=$((same_after[$kind] + 1))
  rows[$kind]=$((rows[$kind] + 1))
done
printf '%-12s %6s %6s %10s\n' instant kills runs identical
for kind in "${kinds[@]}"; do printf '%-12s %6d %6d %10d\n' "$kind" "${kills[$kind]}" "${rows[$kind]}" "${same_after[$kind]}"; done
echo "PASS"
