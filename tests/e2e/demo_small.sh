#!/usr/bin/env bash
# demo_small.sh BUILD: a part of the demonstration (one model, one budget, two methods) from generated data to the report,
# on two ranks; a second run has nothing to do; a changed experiment is refused.
set -euo pipefail
build=$1
. "$(dirname "$0")/../support/e2e.sh"

expect 0 "$build/adapt_generate" "$work/demo"
expect 0 "$build/adapt_generate" "$work/again"
diff -r "$work/demo" "$work/again" || fail "two generations with one seed differ"
demo_part "$work/part.json" tiny-qwen3 0.01 0

expect 0 "$adapt" check "$work/part.json"
expect 0 "$adapt" plan "$work/part.json"
says out adapt uniform
expect 0 "$mpirun" 2 "$adapt" run "$work/part.json"
says err "2 cells done, 0 failed, 0 done before"
for method in adapt uniform; do
  cell=$(echo "$work"/run/cells/*"__${method}__"*.h5)
  [ -f "$cell" ] || fail "no cell file for $method in $work/run/cells"
  h5dump -a "/cells/tiny-qwen3/0.01/$method/seed0/state" "$cell" | grep -q '"done"' || fail "$cell does not say done"
done
h5dump -d /grid/score "$work/run/experiment.h5" >"$work/out"
grep -q 'nan' "$work/out" && fail "the grid has scores missing"

expect 0 "$mpirun" 2 "$adapt" run "$work/part.json"
says err "0 cells done, 0 failed, 2 done before"

sed 's/"learning_rate": 5e-3/"learning_rate": 4e-3/' "$work/part.json" >"$work/changed.json"
expect 2 "$mpirun" 2 "$adapt" run "$work/changed.json"
says err training.learning_rate 0.005 0.004

expect 0 "$adapt" status "$work/run"
says out "2 done"
expect 0 "$adapt" report "$work/run"
says out adapt uniform tiny-qwen3 arc_challenge winogrande
# A step's seconds are those of its phases.
expect 0 "$adapt" report "$work/run" --csv "$work/report.csv"
awk -F, '$5 == "seconds" { whole[$1 FS $2 FS $3 FS $4] = $7 }
         $5 ~ /^seconds_/ && $5 != "seconds_per_token" { parts[$1 FS $2 FS $3 FS $4] += $7 }
         END { for (c in whole) { n++; d = whole[c] - parts[c]; if (!(d < 1e-6 && d > -1e-6 && whole[c] > 0)) exit 1 } exit n < 2 }' \
  "$work/report.csv" || fail "the phases of steps do not add up to their seconds"
