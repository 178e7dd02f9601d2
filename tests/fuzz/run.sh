#!/usr/bin/env bash
# run.sh TARGET SECONDS: runs one fuzz target. Starts from tests/fuzz/seeds/NAME where there are seeds; what it finds grows
# beside the target in corpus/NAME; an input that crashes stays there as crash-*, and its path is printed.
set -uo pipefail
target=$1 seconds=$2
name=$(basename "$target")
name=${name#fuzz_}
corpus=$(dirname "$target")/corpus/$name
seeds=$(cd "$(dirname "$0")" && pwd)/seeds/$name
mkdir -p "$corpus"
folders=("$corpus")
[ -d "$seeds" ] && folders+=("$seeds")
log=$corpus.log
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -artifact_prefix="$corpus.crash-" \
  "${folders[@]}" >"$log" 2>&1; then
  echo "fuzz $name: $(grep -c '^#.*NEW' "$log") new inputs, $(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$log") runs, nothing found"
else
  tail -n 40 "$log"
  echo "fuzz $name: FAILED; input: $(ls -t "$corpus".crash-* 2>/dev/null | head -n 1)"
  exit 1
fi
