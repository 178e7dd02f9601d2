#!/usr/bin/env bash
# The real tokenizers on thousands of random Unicode texts, live against Hugging Face tokenizers. Needs a Python with that
# package ($ADAPT_TEST_PYTHON, or python3) and the tokenizers below $ADAPT_TEST_DATA; skipped (77) without.
# ADAPT_TEST_SEED repeats a run; ADAPT_TEST_SWEEP=1 adds every code point in several contexts (a quarter of an hour).
set -u
build=$1
here=$(cd "$(dirname "$0")" && pwd)
python=${ADAPT_TEST_PYTHON:-python3}
data=${ADAPT_TEST_DATA:-$here/../../../shared}
folder=$data/data/tokenizers
[ -d "$data/tokenizers" ] && folder=$data/tokenizers

if ! "$python" -c 'import tokenizers' 2>/dev/null; then
  echo "skipped: $python has no tokenizers package (set ADAPT_TEST_PYTHON)"
  exit 77
fi
if [ ! -d "$folder" ]; then
  echo "skipped: no $folder (set ADAPT_TEST_DATA)"
  exit 77
fi
options=(--count 2000)
[ -n "${ADAPT_TEST_SEED:-}" ] && options+=(--seed "$ADAPT_TEST_SEED")
[ "${ADAPT_TEST_SWEEP:-}" = 1 ] && options+=(--sweep)
exec "$python" "$here/../support/tokenizer_live.py" "$build/adapt" "$folder" "${options[@]}"
