#!/usr/bin/env bash
# bench.sh BUILD: `adapt bench` on a model folder and on an experiment, on one and two ranks: one line of JSON whose numbers
# fit each other. How fast anything is, is not tested.
set -euo pipefail
build=$1
. "$(dirname "$0")/../support/e2e.sh"

expect 0 "$build/adapt_generate" "$work/demo"
demo_part "$work/part.json" tiny-qwen3 0.05 0
model=$work/demo/models/tiny-qwen3

# number KEY...: a number of the line in $work/out, by the keys that lead to it.
number() {
  python3 - "$work/out" "$@" <<'PY'
import json, sys
value = json.loads(open(sys.argv[1]).read())
for key in sys.argv[2:]:
    value = value[key]
print(value)
PY
}
# holds EXPRESSION: of numbers; false for NaN
holds() { awk "BEGIN { exit !($1) }" || fail "not so: $1"; }

expect 0 "$adapt" bench "$model" --steps 2 --threads 1 --tasks 3 --length 32 --supervised 0.5 --batch-tokens 384
[ "$(wc -l <"$work/out")" = 1 ] || fail "not one line"
if command -v python3 >/dev/null; then
  # 12 examples of 32 tokens, of which half are supervised, and in an update step 4 of each task for either purpose
  holds "$(number plain tokens) == 384 && $(number plain supervised) == 12 * 16"
  holds "$(number update tokens) == 384 && $(number update validation_tokens) == 384"
  holds "$(number plain step_seconds) > 0 && $(number plain tokens_per_s) > 0 && $(number peak_gib) >= $(number plain_peak_gib)"
  holds "$(number plain product_share) > 0 && $(number update_ratio) > 0 && $(number amortised_ratio) > 0"
  holds "$(number plain operation_seconds linear_weight) > 0 && $(number plain operation_seconds row_dot) > 0"
  holds "$(number update operation_seconds row_dot) > $(number plain operation_seconds row_dot)"
  holds "$(number update phase_seconds validation) > 0"
fi
expect 0 "$adapt" bench "$model" --steps 1 --threads 1 --tasks 3 --length 32 --batch-tokens 384 --method uniform
says out '"method":"uniform"'
! grep -q '"update"' "$work/out" || fail "update steps of a static method"

expect 0 "$mpirun" 2 "$adapt" bench "$work/part.json" --steps 1 --threads 1
says out '"ranks":2' '"model":"tiny-qwen3"' '"method":"adapt"' '"update"' '"reduction":{"overlapped_seconds":'
expect 0 "$adapt" bench "$work/part.json" --steps 1 --threads 1 --method uniform
says out '"method":"uniform"'

expect 2 "$adapt" bench
expect 2 "$adapt" bench "$model" --steps 0
says err "--steps 0: not a number in 1..10000"
expect 2 "$adapt" bench "$model" --length 100000
says err "--length 100000" positions
expect 2 "$adapt" bench "$work/part.json" --method nosuch
says err "--method nosuch" part.json
expect 2 "$adapt" bench "$work/part.json" --model nosuch
says err "--model nosuch" part.json
expect 1 "$adapt" bench "$work/no-such-file"
says err no-such-file
expect 0 "$adapt" bench --help
says out "--batch-tokens N"
