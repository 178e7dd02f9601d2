#!/usr/bin/env bash
# generated_data.sh BUILD: what adapt_generate writes is what it promises: twenty tasks, benchmarks that guessing does not
# beat and that no task gives away, a tokenizer that the reference reads as we do.
set -euo pipefail
build=$1
. "$(dirname "$0")/../support/e2e.sh"
python=${ADAPT_TEST_PYTHON:-python3}
if ! "$python" -c 'import tokenizers' 2>/dev/null; then
  echo "SKIP: $python has no tokenizers (ADAPT_TEST_PYTHON names an environment that has)"
  exit 77
fi

expect 0 "$build/adapt_generate" "$work/demo"
expect 0 "$build/adapt_generate" "$work/other" --seed 1
cmp -s "$work/demo/models/tiny-llama/model.safetensors" "$work/other/models/tiny-llama/model.safetensors" &&
  fail "two seeds give the same weights"
cmp -s "$work/demo/tasks/task009_copy_words.json" "$work/other/tasks/task009_copy_words.json" &&
  fail "two seeds give the same task"
expect 2 "$build/adapt_generate"
expect 2 "$build/adapt_generate" "$work/demo" --seed x
: >"$work/file"
expect 1 "$build/adapt_generate" "$work/file/inside"
says err "$work/file"

"$python" "$top/tests/support/check_generated.py" "$work/demo" "$adapt"
