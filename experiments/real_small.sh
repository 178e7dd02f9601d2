#!/usr/bin/env bash
# real_small.sh [FOLDER]: a small grid on real data: SmolLM2-135M and Gemma-3-270M on twenty Natural Instructions tasks,
# scored on real benchmark records; about half an hour on two cores. Needs, and says what is missing:
#   MODELS  a folder with smollm2-135m-instruct/ and gemma3-270m/ (default: where tests/fetch_models.sh puts them)
#   DATA    a folder with natural-instructions/tasks/ and benchmarks/*.jsonl (default: ../shared/data beside the repository)
# Fills these into real_small.json, writes the result to FOLDER/experiment.json (default: runs/real-small), runs it on two
# ranks and reports. Called again, it goes on where it stopped.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
build=$top/build
models=${MODELS:-${ADAPT_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/adapt}/models}
data=${DATA:-$(dirname "$top")/shared/data}
folder=${1:-$top/runs/real-small}

missing=no
for path in "$models/smollm2-135m-instruct/model.safetensors" "$models/gemma3-270m/model.safetensors" \
  "$data/natural-instructions/tasks" "$data/benchmarks/arc_challenge.jsonl"; do
  if [ ! -e "$path" ]; then
    echo "real_small.sh: there is no $path (set MODELS and DATA to where they are)" >&2
    missing=yes
  fi
done
[ $missing = no ] || exit 2

"$top/install-deps.sh"
cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release
cmake --build "$build" --target adapt
mkdir -p "$folder"
sed -e "s|MODELS/|$models/|; s|DATA/|$data/|" "$here/real_small.json" >"$folder/experiment.json"
"$top/tests/support/mpirun.sh" 2 "$build/adapt" run "$folder/experiment.json" --out "$folder"
"$build/adapt" report "$folder"
