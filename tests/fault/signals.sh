#!/usr/bin/env bash
# signals.sh BUILD: SIGTERM, SIGINT and SIGUSR1 end a run with status 75 and everything saved; a second signal ends it at once; one
# rank's signal stops all groups; evaluations are cut short, too, and those that were done are kept.
. "$(dirname "$0")/common.sh"
budget=0.05
long "$work/plain.json" "$work/plain" 0
finish 1 "$work/plain.json"

long "$work/one.json" "$work/one" 5
for signal in TERM INT USR1; do
  launch 1 "$work/one.json"
  until_made "$work/one/cells/*.claim"
  sleep 0.5
  kill -$signal "$job"
  await
  [ $status = 75 ] || fail "SIG$signal: exit status $status, expected 75"
  grep -q "stopped by a signal at step" "$work/log" || fail "SIG$signal: does not tell"
  [ -z "$(ls "$work"/one/cells/*.claim 2>/dev/null)" ] || fail "SIG$signal: the claim is left"
  "$adapt" report "$work/one" >/dev/null || fail "SIG$signal: the archive cannot be read"
done
finish 1 "$work/one.json"
grep -q "goes on from its checkpoint" "$work/log" || fail "does not go on"
same "$work/plain" "$work/one"

# A second signal, while a step of many tokens goes on.
budget=0.5 long "$work/two.json" "$work/two" 0
sed -i 's|"batch_tokens": 1024|"batch_tokens": 262144|' "$work/two.json"
launch 1 "$work/two.json"
until_made "$work/two/cells/*.h5"
kill -TERM "$job"
sleep 0.8
kill -TERM "$job" 2>/dev/null || fail "the step ended too early for a second signal"
await
[ $status = 143 ] || fail "second signal: exit status $status, expected 143"

# Two groups of one rank, one of which gets the signal.
budget=0.1 methods='{"name": "uniform"}, {"name": "proportional"}' long "$work/groups.json" "$work/groups" 5
launch 2 "$work/groups.json"
until_made "$work/groups/cells/*proportional*.h5"
until_made "$work/groups/cells/*uniform*.h5"
sleep 0.3
kill -USR1 "$(rank_ids | tail -1)"
await
[ $status = 75 ] || fail "two groups: exit status $status, expected 75"
[ "$(grep -c "stopped by a signal at step" "$work/log")" = 2 ] || fail "one group did not stop"
finish 2 "$work/groups.json"
budget=0.1 methods='{"name": "uniform"}, {"name": "proportional"}' long "$work/groups_plain.json" "$work/groups_plain" 0
finish 1 "$work/groups_plain.json"
same "$work/groups_plain" "$work/groups"

# In the middle of a benchmark of the end: training is not repeated, and what was measured is kept.
sed -i 's|"limit": 10|"limit": 0|' "$work/plain.json" "$work/one.json"
sed 's|/one"|/late"|' "$work/one.json" >"$work/late.json"
sed 's|/plain"|/whole"|' "$work/plain.json" >"$work/whole.json"
finish 1 "$work/whole.json"
launch 1 "$work/late.json"
until_made "$work/late/cells/*.checkpoint/at-1.*.json" || fail "no benchmark's result is kept"
kill -TERM "$job"
await
if [ $status = 75 ]; then
  finish 1 "$work/late.json"
  grep -q "goes on from its checkpoint at step [0-9]*, trained" "$work/log" || fail "the training is repeated"
fi
same "$work/whole" "$work/late"
echo "PASS"
