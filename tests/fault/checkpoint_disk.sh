#!/usr/bin/env bash
# checkpoint_disk.sh BUILD: no space for a checkpoint is a warning, and the run goes on; a folder that cannot be written to ends it with a
# reason, and loses nothing.
. "$(dirname "$0")/common.sh"
[ "$(id -u)" = 0 ] || skip "needs root for a small file system"
budget=0.05
long "$work/plain.json" "$work/plain" 0
finish 1 "$work/plain.json"
small=$work/out/cells/tiny-qwen3__0.05__adapt__seed0.checkpoint
mkdir -p "$small" "$work/folder"
mount -t tmpfs -o size=40k tmpfs "$small" 2>/dev/null || skip "cannot mount a small file system"
cleanup() {
  umount "$small" 2>/dev/null || true # it may be gone already
  umount "$work/folder" 2>/dev/null || true
  rm -rf "$work"
}
long "$work/e.json" "$work/out" 0.002
finish 1 "$work/e.json"
grep -q "warning: the checkpoint at step .* could not be written: .*No space left" "$work/log" || fail "the warning is missing"
umount "$small"
rmdir "$small"
same "$work/plain" "$work/out"

long "$work/e.json" "$work/folder/out" 0.002
mount --bind "$work/folder" "$work/folder"
launch 1 "$work/e.json"
until_made "$work/folder/out/cells/*.checkpoint/*.checkpoint"
kill -9 "$job"
await
mount -o remount,bind,ro "$work/folder"
launch 1 "$work/e.json"
await
[ $status = 1 ] || fail "a read-only folder: exit status $status, expected 1"
grep -qi "$work/folder/out.*read-only" "$work/log" || fail "the file and the reason are not told"
mount -o remount,bind,rw "$work/folder"
finish 1 "$work/e.json"
grep -q "goes on from its checkpoint" "$work/log" || fail "does not go on"
same "$work/plain" "$work/folder/out"
echo "PASS"
