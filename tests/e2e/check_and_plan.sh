#!/usr/bin/env bash
# `adapt check` and `adapt plan` on the demonstration's data: what they print of a good experiment, and that every fault of a bad
# one is told at once, with exit status 2.
set -u
build=$1
adapt=$build/adapt
work=$(mktemp -d "${TMPDIR:-/tmp}/adapt-check-XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0

fail() {
  echo "FAILED: $*" >&2
  failed=1
}
# run STATUS NAME ARGUMENTS...: runs adapt, keeps its output in NAME.out and NAME.err
run() {
  local expected=$1 name=$2 status
  shift 2
  "$adapt" "$@" >"$work/$name.out" 2>"$work/$name.err"
  status=$?
  [ "$status" = "$expected" ] || { fail "adapt $*: exit status $status, $expected expected"; cat "$work/$name".{out,err} >&2; }
}
has() { # has FILE TEXT: a line that contains the text
  grep -qF -- "$2" "$work/$1" || { fail "$1 lacks: $2"; cat "$work/$1" >&2; }
}
lacks() {
  ! grep -qF -- "$2" "$work/$1" || fail "$1 has: $2"
}
count() { # count FILE PATTERN NUMBER
  local found
  found=$(grep -cE -- "$2" "$work/$1")
  [ "$found" = "$3" ] || fail "$1: $found lines match $2, $3 expected"
}

"$build/adapt_generate" "$work/data" || exit 1
cat >"$work/good.json" <<JSON
{"name": "good",
 "models": [{"name": "g", "path": "data/models/tiny-gemma3"}, {"name": "q", "path": "data/models/tiny-qwen3"}],
 "tasks": {"path": "data/tasks", "validation_examples": 8, "max_tokens": 128},
 "budgets": [0.05, 0.10],
 "methods": [{"name": "adapt", "interval": 5, "probe": 1}, {"name": "uniform"}],
 "training": {"batch_tokens": 1024},
 "evaluation": {"benchmarks": {"boolq": "data/benchmarks/boolq.jsonl"}, "limit": 7},
 "out": "out"}
JSON

run 0 check check "$work/good.json"
has check.out "experiment good: 2 models x 2 budgets x 2 methods x 1 seeds = 8 cells"
has check.out "model g: gemma3_text, "
has check.out "model q: qwen3, "
count check.out "weights complete and finite" 2
count check.out "^  20 tasks, [0-9]+ supervised tokens" 2
count check.out "^  budget 0.05: [0-9]+ supervised tokens, about [0-9]+ steps" 2
count check.out "^  budget 0.10: " 2
count check.out "^  memory of a rank: adapt [0-9.]+ GiB, uniform [0-9.]+ GiB" 2
has check.out "benchmark boolq: 7 of "
has check.out "out: new"
[ ! -s "$work/check.err" ] || { fail "a good experiment has warnings"; cat "$work/check.err" >&2; }
[ -n "$(ls "$work"/out/cache/*.tokens 2>/dev/null)" ] || fail "no token cache"

run 0 plan plan "$work/good.json"
count plan.out "^ +[0-9]+  [gq] .* planned$" 8
count plan.out "^ +0  g +0.05 +[0-9]+  adapt +0 +[0-9]+ .* 1  planned$" 1
has plan.out "8 cells to run, about "
run 0 part plan "$work/good.json" --cells 1,4-5
count part.out " planned$" 3
run 2 bad_cells plan "$work/good.json" --cells 8
has bad_cells.err 'adapt: cells "8": there is no cell 8 (the grid has 0 to 7)'

# Faults in every part at once.
cp -r "$work/data/models/tiny-gemma3" "$work/broken"
truncate -s -100 "$work/broken/model.safetensors"
cp -r "$work/data/models/tiny-qwen3" "$work/no_tokenizer"
rm "$work/no_tokenizer/tokenizer.json"
head -3 "$work/data/benchmarks/boolq.jsonl" >"$work/boolq.jsonl"
echo '{"question": 1}' >>"$work/boolq.jsonl"
echo '{"Arithmetic": 1.0}' >"$work/losses.json"
cat >"$work/bad.json" <<JSON
{"name": "bad",
 "models": [{"name": "a", "path": "broken"}, {"name": "b", "path": "no_tokenizer"}, {"name": "c", "path": "nowhere"},
            {"name": "d", "path": "data/models/tiny-llama"}],
 "tasks": {"path": "data/tasks", "validation_examples": 8, "max_tokens": 128},
 "budgets": [0.0000001, 0.001],
 "methods": [{"name": "adapt", "reference": "losses.json"}],
 "evaluation": {"benchmarks": {"boolq": "boolq.jsonl", "piqa": "missing.jsonl"}},
 "out": "data/tasks.txt/out"}
JSON
touch "$work/data/tasks.txt"
run 2 bad check "$work/bad.json"
has bad.err "adapt: model a: $work/broken/model.safetensors: "
has bad.err "adapt: model b: $work/no_tokenizer"
has bad.err "adapt: model c: $work/nowhere"
has bad.err "/bad.json: budget 0.0000001 of "
has bad.err "is zero tokens (for model d)"
has bad.err "adapt: $work/losses.json: no reference loss for task "
has bad.err "boolq.jsonl"
has bad.err "missing.jsonl"
has bad.err "data/tasks.txt/out"
has bad.err "adapt: warning: $work/bad.json: a method learns its mixture, but there is no \"uniform\" to compare it with"
has bad.err "adapt: warning: model d: budget 0.001 is about "
count bad.err "^adapt: " "$(wc -l <"$work/bad.err")"
lacks bad.out "model a: gemma3_text"
has bad.out "model b: qwen3, "

# Too little memory: the settings that need less are named; each only while it does.
sed 's|"batch_tokens": 1024|"batch_tokens": 1024, "micro_batch_tokens": 100000000|' "$work/good.json" >"$work/large.json"
run 2 large check "$work/large.json"
count large.err 'model [gq]: a rank needs [0-9.]+ GiB of memory, the machine has [0-9.]+ \(a smaller training.micro_batch_tokens needs less, training.recompute "layer" needs [0-9.]+\)$' 2
sed 's|"batch_tokens": 1024|"recompute": "layer", &|' "$work/large.json" >"$work/least.json"
run 2 least check "$work/least.json"
count least.err '\(a smaller training.micro_batch_tokens needs less\)$' 2

# A mistake in the tasks is told once, not for every model.
sed 's|"data/tasks"|"no/tasks"|' "$work/good.json" >"$work/no_tasks.json"
run 2 no_tasks check "$work/no_tasks.json"
count no_tasks.err "no/tasks" 1

# An archive that is there: finished cells are known, and other settings are refused.
sed 's|\[0.05, 0.10\]|[0.002]|; s|"out": "out"|"out": "short"|; s|"limit": 7|"limit": 1|' "$work/good.json" >"$work/short.json"
run 0 short run "$work/short.json" --cells 1
run 0 after plan "$work/short.json"
count after.out "^ +1  .* done$" 1
count after.out " planned$" 3
has after.out "3 cells to run"
run 0 again check "$work/short.json"
has again.out "short: goes on with the one that is there"
run 0 reference plan "$work/short.json" --cells 0
run 2 no_reference plan "$work/short.json" --cells 2
has no_reference.err "cell 2 (method adapt) compares with cell 3 (method uniform), which is not done (select it too)"
sed 's|"batch_tokens": 1024|"batch_tokens": 512|' "$work/short.json" >"$work/changed.json"
run 2 changed check "$work/changed.json"
has changed.err "was made with other settings (another \"out\" is expected): "
has changed.err "changed.json: training.batch_tokens: 1024 in the archive, 512 now"

# Mistakes in the file itself.
echo '{"name": 1, "bugdets": []}' >"$work/wrong.json"
run 2 wrong check "$work/wrong.json"
has wrong.err 'adapt: '"$work"'/wrong.json: bugdets: unknown key (did you mean "budgets"?)'
has wrong.err 'adapt: '"$work"'/wrong.json: "models" is missing'
count wrong.err "^adapt: " "$(wc -l <"$work/wrong.err")"

run 2 usage check
has usage.err "usage: adapt check"
run 2 usage plan --nothing
run 0 help check --help
has help.out "usage: adapt check"
run 0 help plan --help
has help.out "usage: adapt plan"
run 2 missing check "$work/nothing.json"
exit $failed
