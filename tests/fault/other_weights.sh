#!/usr/bin/env bash
# other_weights.sh BUILD: the model folder's weights are others when a cell that was stopped goes on: its checkpoint is not used, and
# the archive in the end is that of a run on the new weights alone.
. "$(dirname "$0")/common.sh"
budget=0.05 methods='{"name": "uniform"}'
long "$work/first.json" "$work/first" 0
finish 1 "$work/first.json"
long "$work/e.json" "$work/out" 5
launch 1 "$work/e.json"
until_made "$work/out/cells/*.h5"
kill -USR1 "$job"
await
[ $status = 75 ] || fail "exit status $status, expected 75"
trained=("$work"/first/models/*/model.safetensors)
[ -f "${trained[0]}" ] || fail "no trained weights were kept"
cp "${trained[0]}" "$data/models/tiny-qwen3/model.safetensors"
finish 1 "$work/e.json"
grep -q "cannot be used: it is of another cell, or of other data, weights or settings" "$work/log" || fail "the checkpoint was used"
grep -q "starts from its first step" "$work/log" || fail "does not tell that it starts anew"
long "$work/plain.json" "$work/plain" 0
finish 1 "$work/plain.json"
same "$work/plain" "$work/out"
echo "PASS"
