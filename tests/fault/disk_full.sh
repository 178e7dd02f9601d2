#!/usr/bin/env bash
# No space is left in the middle of a run: the error names the file, what was flushed stays readable, and with space the same
# command finishes.
. "$(dirname "$0")/common.sh"
[ "$(id -u)" = 0 ] || skip "needs root for a small file system"
mkdir "$work/small"
mount -t tmpfs -o size=900k tmpfs "$work/small" 2>/dev/null || skip "cannot mount a small file system"
cleanup() { umount "$work/small" 2>/dev/null || true; rm -rf "$work"; }
experiment "$work/e.json" "tiny-qwen3" "uniform proportional adapt" "$work/small/out"
sed -i "s|\"out\":|\"cache\": \"$work/cache\", \"out\":|" "$work/e.json"
head -c 700k /dev/zero >"$work/small/ballast"
status=0
timeout 120 "$adapt" run "$work/e.json" >"$work/log" 2>&1 || status=$?
[ $status = 1 ] || fail "exit status $status, expected 1"
grep -Eqi "$work/small/out.*(no space left|space)" "$work/log" || fail "the error does not name the file and the reason"
for cell in "$work"/small/out/cells/*.h5; do
  [ -s "$cell" ] || continue
  "$adapt" report "$work/small/out" >/dev/null 2>"$work/log" || fail "what was flushed cannot be read"
done
rm "$work/small/ballast"
mount -o remount,size=20m "$work/small"
"$adapt" run "$work/e.json" >"$work/log" 2>&1 || fail "with space again"
grep -q " 0 failed" "$work/log" || fail "cells failed with space again"
echo "PASS"
