#!/usr/bin/env bash
# demo.sh: the embedded demonstration, start to end: installs what is missing, builds into build/, makes the data in
# experiments/demo/, runs the grid of demo.json on two ranks of this machine and reports. Called again, it goes on where
# it stopped.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
build=$top/build

"$top/install-deps.sh"
cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release
cmake --build "$build" --target adapt adapt_generate
"$build/adapt_generate" "$here/demo"
"$top/tests/support/mpirun.sh" 2 "$build/adapt" run "$here/demo.json"
"$build/adapt" report "$here/demo/run"
