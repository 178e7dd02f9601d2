#!/usr/bin/env bash
# bad_input.sh BUILD: mistakes of users, one at a time. Each is found, with a line on standard error that
# names the file and the place.
set -euo pipefail
build=$1
. "$(dirname "$0")/../support/e2e.sh"

expect 0 "$build/adapt_generate" "$work/good"
for task in "$work"/good/tasks/*.json; do
  case $task in *task013* | *task018* | *task020*) ;; *) rm "$task" ;; esac # three are enough
done
demo_part "$work/good.json" tiny-qwen3 0.05 0

# fresh: a good experiment and good data, to be spoilt.
fresh() {
  rm -rf "$work/demo" "$work/run"
  cp -r "$work/good" "$work/demo"
  cp "$work/good.json" "$work/part.json"
}

# refused TEXT...: `adapt check` finds the mistake, exit status 2, and tells it in one line that holds every text; `adapt
# run` does not go on either, and says the same.
cases=0
refused() {
  expect 2 "$adapt" check "$work/part.json"
  says err "$@"
  if [ "$(grep -cv '^adapt: warning: ' "$work/err")" != 1 ] || ! grep -q '^adapt: ' "$work/err"; then
    cat "$work/err" >&2
    fail "not one line on standard error"
  fi
  local status=0
  "$adapt" run "$work/part.json" --threads 1 >"$work/out" 2>"$work/err" || status=$?
  [ "$status" = 1 ] || [ "$status" = 2 ] || fail "adapt run ended with $status"
  says err "$@"
  cases=$((cases + 1))
}

change() { # FILE SED-EXPRESSION...: edits a file, and makes sure that it changed
  local file=$1 before
  shift
  before=$(cksum <"$file")
  sed -i "$@" "$file"
  [ "$(cksum <"$file")" != "$before" ] || fail "the test did not change $file"
}

model=$work/demo/models/tiny-qwen3
opposite=$work/demo/tasks/task020_opposite.json

fresh
expect 0 "$adapt" check "$work/part.json"

# --- the experiment file
fresh; change "$work/part.json" 's/"seeds"/"seedz"/'
refused part.json seedz '"seeds"'
fresh; change "$work/part.json" 's/"learning_rate"/"learnin_rate"/'
refused part.json training learnin_rate '"learning_rate"'
fresh; change "$work/part.json" 's/"learning_rate": 5e-3/"learning_rate": -1/'
refused part.json training.learning_rate -1
fresh; change "$work/part.json" 's/"learning_rate": 5e-3/"learning_rate": "high"/'
refused part.json training.learning_rate number
fresh; change "$work/part.json" 's/"budgets": \[0.05\]/"budgets": [0]/'
refused part.json 'budgets[0]'
fresh; change "$work/part.json" 's/"budgets": \[0.05\]/"budgets": [5]/'
refused part.json 'budgets[0]' 5
fresh; change "$work/part.json" 's/{"name": "uniform"}/{"name": "unifrom"}/; s/, "reference": "uniform"/, "objective": "loss"/'
refused part.json 'methods[1]' unifrom uniform
fresh; change "$work/part.json" 's/{"name": "uniform"}/{"name": "uniform"}, {"name": "uniform"}/'
refused part.json 'methods[2]' uniform
fresh; change "$work/part.json" 's/"arc_challenge":/"arc_chalenge":/'
refused part.json arc_chalenge arc_challenge
fresh; change "$work/part.json" 's/{input}/{inptu}/'
refused part.json tasks.template '{inptu}'
fresh; change "$work/part.json" '/"seeds"/s/,$//'
refused part.json:9
fresh; : >"$work/part.json"
refused part.json
fresh; change "$work/part.json" 's/"budgets": \[0.05\]/"budgets": [0.00001]/'
refused 0.00001
fresh; rm "$work/part.json"
refused part.json

# --- the model
fresh; rm -r "$model"
expect 2 "$adapt" check "$work/part.json"
says err models/tiny-qwen3/config.json
fresh; rm "$model/model.safetensors"
refused tiny-qwen3
fresh; truncate -s -100 "$model/model.safetensors"
refused tiny-qwen3/model.safetensors
fresh; truncate -s 5 "$model/model.safetensors"
refused tiny-qwen3/model.safetensors
fresh; size=$(stat -c %s "$model/model.safetensors")
printf '\0\0\300\177' | dd of="$model/model.safetensors" bs=1 seek=$((size - 400)) conv=notrunc status=none
refused tiny-qwen3 model.
fresh; change "$model/model.safetensors" 's/model.norm.weight/model.norn.weight/'
refused tiny-qwen3 model.norn.weight
fresh; change "$model/config.json" 's/"hidden_size":\s*64/"hidden_size": 32/'
refused tiny-qwen3 model.embed_tokens.weight
fresh; change "$model/config.json" 's/"attention_bias":\s*false/"attention_bias": true/'
refused config.json attention_bias
fresh; change "$model/config.json" 's/"qwen3"/"qwen9"/'
refused config.json model_type qwen9
fresh; truncate -s 2000 "$model/tokenizer.json"
refused tokenizer.json
fresh; change "$model/tokenizer.json" '0,/"ByteLevel"/s//"Metaspace7"/'
refused tokenizer.json Metaspace7

# --- the data
fresh; rm -r "$work/demo/tasks"
refused demo/tasks
fresh; rm "$work"/demo/tasks/*
refused demo/tasks
fresh; printf '{"Definition": ["x"], "Categories": ["Few"], "Instances": [%s]}' \
  '{"id": "1", "input": "a", "output": ["b"]}, {"id": "2", "input": "c", "output": ["d"]}' >"$work/demo/tasks/task099_few.json"
refused Few validation
fresh; change "$opposite" '0,/"output":\s*\[[^]]*\]/s//"output": [" "]/'
refused task020_opposite.json instance output
fresh; truncate -s 4000 "$opposite"
refused task020_opposite.json
fresh; change "$work/demo/benchmarks/winogrande.jsonl" '3s/"option1"/"option3"/'
refused winogrande.jsonl:3 option1
fresh; rm "$work/demo/benchmarks/winogrande.jsonl"
refused winogrande.jsonl
fresh; : >"$work/demo/benchmarks/winogrande.jsonl"
refused winogrande.jsonl

# --- a model and a benchmark that do not fit: told before training, not after it
fresh; change "$work/part.json" 's/"limit": 20/"limit": 20, "chat_template": "chatml"/'
refused tiny-qwen3 chatml '<|im_start|>'
fresh; change "$work/part.json" 's/"limit": 20/"limit": 20, "max_length": 100000/'
refused tiny-qwen3 'context length 100000'
fresh; cp "$top/tests/golden/eval/records/gsm8k.jsonl" "$work/demo/benchmarks/"
change "$work/part.json" 's|"benchmarks": {|"max_new_tokens": 512, "benchmarks": {"gsm8k": "demo/benchmarks/gsm8k.jsonl", |'
refused tiny-qwen3 gsm8k 512 max_new_tokens

# --- the archive's folder, which is a file
fresh; : >"$work/run"
expect 1 "$adapt" run "$work/part.json"
says err "adapt: " "$work/run"

# --- the command line
fresh
expect 2 "$adapt" run "$work/part.json" --cells 99
says err 99
expect 2 "$adapt" run
expect 2 "$adapt" run "$work/part.json" --no-such-option
expect 2 "$adapt" runn
says err runn
[ ! -e "$work/run" ] || fail "a refused run left $work/run behind"
echo "$cases mistakes refused"
