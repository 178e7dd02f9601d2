#!/usr/bin/env bash
# recompute.sh BUILD: a run whose layers are computed again in the backward pass archives the rows of one that keeps everything,
# and may go on with the other's archive.
set -euo pipefail
build=$1
. "$(dirname "$0")/../support/e2e.sh"

expect 0 "$build/adapt_generate" "$work/demo"
demo_part "$work/plain.json" tiny-gemma3 0.01 0
sed -i 's|"micro_batch_tokens": 512|"micro_batch_tokens": 8192|' "$work/plain.json" # enough to see the difference
sed -e 's|"out": "run"|"out": "again"|; s|"training": {|"training": {"recompute": "layer", |' "$work/plain.json" >"$work/again.json"

# memory FILE: what the experiment's ranks need for the method adapt, in GiB
memory() {
  expect 0 "$adapt" check "$1"
  sed -n 's/^  memory of a rank: adapt \([0-9.]*\) GiB.*/\1/p' "$work/out"
}
plain=$(memory "$work/plain.json")
again=$(memory "$work/again.json")
awk -v again="$again" -v plain="$plain" 'BEGIN { exit !(again > 0 && again < plain) }' || fail "$again GiB with, $plain without"

expect 0 "$adapt" run "$work/plain.json"
expect 0 "$adapt" run "$work/again.json"
for method in adapt uniform; do
  for cell in "$work/run/cells/"*"__${method}__"*.h5; do
    for rows in steps/loss steps/mixture steps/grad_norm steps/alignment steps/validation_loss validation/loss; do
      h5diff "$cell" "$work/again/cells/$(basename "$cell")" "/cells/tiny-gemma3/0.01/$method/seed0/$rows" >"$work/out" ||
        fail "$method: $rows differs"
    done
  done
done
sed 's|"out": "again"|"out": "run"|' "$work/again.json" >"$work/on.json"
expect 0 "$adapt" run "$work/on.json"
says err "0 cells done, 0 failed, 2 done before"
