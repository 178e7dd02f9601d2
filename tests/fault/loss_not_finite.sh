#!/usr/bin/env bash
# A cell whose loss is not finite is marked failed with the reason; the other cells go on.
. "$(dirname "$0")/common.sh"
# Finite weights that overflow as soon as they are used: bfloat16's largest number in the last tensor of the file.
weights=$data/models/tiny-llama/model.safetensors
size=$(stat -c %s "$weights")
for _ in $(seq 64); do printf '\x7f\x7f'; done | dd of="$weights" bs=1 seek=$((size - 128)) conv=notrunc status=none
experiment "$work/e.json" "tiny-llama tiny-qwen3" "uniform proportional" "$work/out"
status=0
"$adapt" run "$work/e.json" >"$work/log" 2>&1 || status=$?
[ $status = 1 ] || fail "exit status $status, expected 1"
grep -q "2 cells done, 2 failed" "$work/log" || fail "the other cells did not go on"
grep -Eq "tiny-llama.* failed: .*(loss|norm).*(nan|inf)" "$work/log" || fail "the reason is not told"
"$adapt" status "$work/out" >"$work/status" || fail "status"
grep -q "failed" "$work/status" || fail "status does not tell of the failure"
# Mended, the same command runs the failed cells and only those.
rm -rf "$data" && "$build/adapt_generate" "$data"
"$adapt" run "$work/e.json" >"$work/log" 2>&1 || fail "the mended run"
grep -q "2 cells done, 0 failed, 2 done before" "$work/log" || fail "the mended run did not take up the failed cells"
echo "PASS"
