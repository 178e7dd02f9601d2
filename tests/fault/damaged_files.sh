#!/usr/bin/env bash
# damaged_files.sh BUILD: a checkpoint that was cut or changed is found out, and the one before it is used; without a good one, or with
# a damaged archive, the cell starts anew, and nothing else is lost. In the end the archive is that of an undisturbed run.
. "$(dirname "$0")/common.sh"
budget=0.05 methods='{"name": "adapt", "interval": 3, "objective": "loss"}, {"name": "uniform"}'
long "$work/plain.json" "$work/plain" 0
finish 1 "$work/plain.json"
long "$work/e.json" "$work/out" 0.002

# Kills the run of the cell `adapt` (it is first) when it has two whole checkpoints, and copies the folder.
launch 1 "$work/e.json"
cell=$work/out/cells/tiny-qwen3__0.05__adapt__seed0
until [ "$(ls "$cell.checkpoint" 2>/dev/null | grep -c '[.]checkpoint$')" = 2 ]; do
  kill -0 "$job" 2>/dev/null || fail "the run ended before it had two checkpoints"
  sleep 0.01
done
kill -9 "$job"
await
cp -a "$work/out" "$work/killed"

newest() { ls "$cell.checkpoint"/*"$1" | grep -v tmp- | sort | tail -1; }
older() { ls "$cell.checkpoint"/*"$1" | grep -v tmp- | sort | tail -2 | head -1; }
flip() { # FILE: changes one bit in its middle
  local at=$(($(stat -c %s "$1") / 2)) byte
  byte=$(od -An -tu1 -j $at -N 1 "$1")
  printf "\\x$(printf %x $((byte ^ 4)))" | dd of="$1" bs=1 seek=$at conv=notrunc status=none
}
# try WHAT TEXT...: damages a fresh copy by the function `damage`, and runs it; the log must say TEXT.
try() {
  local what=$1 text
  shift
  rm -rf "$work/out"
  cp -a "$work/killed" "$work/out"
  # Parts of a checkpoint that the kill left unfinished have no manifest.
  damage
  finish 1 "$work/e.json"
  for text; do grep -q "$text" "$work/log" || fail "$what: the log does not say '$text'"; done
  same "$work/plain" "$work/out"
  echo "$what: as an undisturbed run"
}
last=$(basename "$(newest .checkpoint)" .checkpoint)
damage() { :; }
try "nothing" "goes on from its checkpoint"
damage() { truncate -s -100 "$cell.checkpoint/$last.rank-0-of-1"; }
try "a shard that was cut" "it was cut" "cannot be used" "goes on from its checkpoint"
damage() { flip "$cell.checkpoint/$last.rank-0-of-1"; }
try "a shard with a changed bit" "its checksum is wrong" "goes on from its checkpoint"
damage() { rm "$cell.checkpoint/$last.rank-0-of-1"; }
try "a missing shard" "cannot be used" "goes on from its checkpoint"
damage() { flip "$cell.checkpoint/$last.checkpoint"; }
try "a manifest with a changed bit" "its checksum is wrong" "goes on from its checkpoint"
damage() { truncate -s 200 "$cell.checkpoint/$last.checkpoint"; }
try "a manifest that was cut" "it was cut or changed" "goes on from its checkpoint"
damage() { for file in "$cell.checkpoint"/*.rank-*; do flip "$file"; done; }
try "no good checkpoint" "its checksum is wrong" "starts from its first step"
damage() { truncate -s 3000 "$cell.h5"; }
try "an archive that was cut" "cannot be used" "starts from its first step"
damage() { rm "$cell.h5"; }
try "an archive that is gone" "starts from its first step"
damage() { rm -rf "$cell.checkpoint"; }
try "no checkpoint"

# --restart throws it away, --resume insists on an archive.
rm -rf "$work/out"
cp -a "$work/killed" "$work/out"
finish 1 "$work/e.json" --restart
! grep -q "goes on" "$work/log" || fail "--restart goes on from a checkpoint"
same "$work/plain" "$work/out"
launch 1 "$work/e.json" --resume --out "$work/mistyped"
await
[ $status = 2 ] || fail "--resume: exit status $status, expected 2"
grep -q "holds no archive" "$work/log" || fail "--resume does not tell"

# A finished cell whose file is damaged is made again; the other one is left alone.
truncate -s 3000 "$cell.h5"
other=$(stat -c %y "$work/out/cells/tiny-qwen3__0.05__uniform__seed0.h5")
finish 1 "$work/e.json"
[ "$other" = "$(stat -c %y "$work/out/cells/tiny-qwen3__0.05__uniform__seed0.h5")" ] || fail "a good cell was touched"
same "$work/plain" "$work/out"
echo "PASS"
