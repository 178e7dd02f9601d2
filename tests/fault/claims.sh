#!/usr/bin/env bash
# claims.sh BUILD: two runs on one folder share the cells; claims of dead processes are taken over, those of living ones are
# respected, however wrong the hosts' clocks are.
. "$(dirname "$0")/common.sh"
budget=0.02 methods='{"name": "adapt"}, {"name": "uniform"}, {"name": "proportional"}, {"name": "temperature"}'
long "$work/plain.json" "$work/plain" 0
finish 1 "$work/plain.json"
long "$work/e.json" "$work/out" 5
finish 1 "$work/e.json" --cells 1 # the token cache is made once
rm -r "$work/out"

# Two at once: each cell is run by one of them, and both end well.
launch 1 "$work/e.json"
"$adapt" run "$work/e.json" --threads 1 >"$work/log2" 2>&1 &
second=$!
await
[ $status = 0 ] || fail "the first of two: exit status $status"
wait $second || { cat "$work/log2" >&2; fail "the second of two: exit status $?"; }
[ "$(cat "$work/log" "$work/log2" | grep -c "^cell . .* done in ")" = 4 ] || { cat "$work/log2" >&2; fail "not every cell was run once"; }
same "$work/plain" "$work/out"

# One cell's claim by somebody: FILE as `adapt run` writes it, of another machine.
claim=$work/out/cells/tiny-qwen3__0.02__uniform__seed0.claim
somebody() {
  rm "$work/out/cells/tiny-qwen3__0.02__uniform__seed0.h5"
  echo '{"host": "far-away", "job": "77_3", "process": 4711, "started": 1.7e9, "machine": "another", "birth": "5", "token": "a1b2"}' >"$claim"
}
somebody
finish 1 "$work/e.json"
grep -q "0 cells done, 0 failed, 3 done before, 1 left to other jobs" "$work/log" || fail "a living claim is not respected"
touch -d '-1 hour' "$claim" # the file server's clock: no beat for an hour
finish 1 "$work/e.json"
grep -q "taken over from far-away, process 4711, job 77_3" "$work/log" || fail "a dead claim is not taken over"
same "$work/plain" "$work/out"
somebody
touch -d '+1 day' "$claim" # the clock was set back
finish 1 "$work/e.json"
grep -q "1 left to other jobs" "$work/log" || fail "a claim of the future is not respected"
age=$(($(date +%s) - $(stat -c %Y "$claim")))
[ $age -ge 0 ] && [ $age -lt 60 ] || fail "a claim of the future was not brought to the present ($age s)"
touch -d '-10 minutes' "$claim"
finish 1 "$work/e.json"
same "$work/plain" "$work/out"

# Of this machine: a process that is gone is known to be so at once, whatever the file's age.
launch 1 "$work/e.json" --out "$work/killed"
until_made "$work/killed/cells/*.claim"
kill -9 "$job"
await
touch -d '+1 hour' "$work"/killed/cells/*.claim
finish 1 "$work/e.json" --out "$work/killed"
grep -q "taken over from" "$work/log" || fail "the claim of a process that is gone is not taken over"
same "$work/plain" "$work/killed"

# Two takers of one dead claim.
for i in 1 2 3; do
  somebody
  touch -d '-1 hour' "$claim"
  launch 1 "$work/e.json"
  "$adapt" run "$work/e.json" --threads 1 >"$work/log2" 2>&1 &
  second=$!
  await
  wait $second || fail "the second taker: exit status $?"
  [ "$(cat "$work/log" "$work/log2" | grep -c "taken over from far-away")" = 1 ] || fail "the claim was taken over not exactly once"
  same "$work/plain" "$work/out"
done

# A claim is lost to another process: the holder writes nothing any more.
long "$work/lost.json" "$work/lost" 0.002
sed -i 's|"budgets": \[0.02\]|"budgets": [0.1]|; s|"methods": .*$|"methods": [{"name": "uniform"}],|' "$work/lost.json"
launch 1 "$work/lost.json"
until_made "$work/lost/cells/*.claim"
until_made "$work/lost/cells/*.checkpoint/*.checkpoint"
echo '{"host": "far-away", "process": 4711, "machine": "another", "birth": "5", "token": "a1b2"}' >"$work/new"
mv "$work/new" "$(echo "$work"/lost/cells/*.claim)"
await
[ $status = 1 ] || fail "a lost claim: exit status $status, expected 1"
grep -q "another process has taken the cell over" "$work/log" || fail "a lost claim is not told"
grep -q far-away "$work"/lost/cells/*.claim || fail "the other's claim was removed"
echo "PASS"
