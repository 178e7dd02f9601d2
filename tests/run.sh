#!/usr/bin/env bash
# tests/run.sh: the one command for tests. Installs what is missing, builds into build/, fills the test cache, runs the
# suite and ends with the line "N passed, N failed, N skipped". Exit status 0 if nothing failed.
#   --quick           unit tests only
#   --filter REGEX    only tests whose name matches ("unit", "mpi.group", "e2e", ...)
#   --sanitize        also builds with the address and undefined-behaviour sanitizers (build-sanitize/): unit tests, and ranks and
#                     cells on the emulated GPU under them
#   --cuda            also builds with CUDA (build-cuda/) and runs the tests on this machine's GPU, those of operations once more
#                     under each tool of compute-sanitizer, where that is installed
#   --slurm           also installs Slurm, for the tests on a cluster of their own (as root; they are skipped where it is not)
#   --fuzz SECONDS    also builds every fuzz target with clang (build-fuzz/) and runs each for so long
# Under CI=true warnings are errors.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"

quick=no sanitize=no cuda=no slurm=no fuzz=0 filter=
usage() {
  sed -n '2,12s/^# \{0,1\}//p' "$0"
}
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=yes ;;
    --sanitize) sanitize=yes ;;
    --cuda) cuda=yes ;;
    --slurm) slurm=yes ;;
    --filter) filter=${2:?--filter needs a regular expression}; shift ;;
    --fuzz) fuzz=${2:?--fuzz needs a number of seconds}; shift ;;
    -h | --help) usage; exit 0 ;;
    *) echo "tests/run.sh: unknown option '$1'" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
[[ $fuzz =~ ^[0-9]+$ ]] || { echo "tests/run.sh: --fuzz needs a number of seconds, not '$fuzz'" >&2; exit 2; }

passed=0 failed=0 skipped=0
only_unit=(-E '^(mpi|e2e|fault|slurm)[.]')
werror=OFF
[ "${CI:-}" = true ] && werror=ON

# build FOLDER OPTION...: configures (once) and builds everything.
build() {
  local folder=$1
  shift
  echo "== building $folder"
  mkdir -p "$folder"
  if ! cmake -S . -B "$folder" -G Ninja -DADAPT_WERROR=$werror "$@" >"$folder/configure.log" 2>&1; then
    cat "$folder/configure.log"
    return 1
  fi
  grep -- '-- adapt:' "$folder/configure.log" || true
  ninja -C "$folder" --quiet
}

# suite FOLDER CTEST-OPTION...: runs tests, adds to the counts, lists what did not pass.
suite() {
  local folder=$1 report
  shift
  report=$top/$folder/tests.xml
  rm -f "$report"
  ctest --test-dir "$folder" -R "${filter:-.}" "$@" -j "$(nproc)" --output-on-failure --output-junit "$report" || true
  if [ ! -f "$report" ]; then
    echo "tests/run.sh: ctest left no report in $folder" >&2
    failed=$((failed + 1))
    return
  fi
  local counts
  counts=$(awk -f tests/support/junit_counts.awk "$report")
  printf '%s\n' "$counts" | sed -n '/^counts /!p'
  read -r _ p f s < <(printf '%s\n' "$counts" | grep '^counts ')
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

wanted=()
[ "$fuzz" -eq 0 ] || wanted+=(--fuzz)
[ $slurm = no ] || wanted+=(--slurm)
./install-deps.sh "${wanted[@]}"
[ $cuda = no ] || build build-cuda -DADAPT_CUDA=ON # first of all, as there may be no nvcc
build build

tests/fetch_models.sh
cache=${ADAPT_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/adapt}
if [ -z "${ADAPT_TEST_PYTHON:-}" ] && [ -x "$cache/venv/bin/python" ]; then
  export ADAPT_TEST_PYTHON=$cache/venv/bin/python
fi
export ADAPT_TEST_MODELS=${ADAPT_TEST_MODELS:-$cache/models}

if [ $quick = yes ]; then
  suite build "${only_unit[@]}"
else
  suite build
fi

if [ $sanitize = yes ]; then
  build build-sanitize -DADAPT_SANITIZE=address,undefined -DCMAKE_BUILD_TYPE=RelWithDebInfo
  export UBSAN_OPTIONS=print_stacktrace=1
  suite build-sanitize -L '^sanitized$'
fi

if [ $cuda = yes ]; then
  suite build-cuda -L '^gpu$'
fi

if [ "$fuzz" -gt 0 ]; then
  CC=clang build build-fuzz -DADAPT_FUZZ=ON -DBUILD_TESTING=OFF -DADAPT_SANITIZE=fuzzer-no-link,address,undefined \
    -DCMAKE_BUILD_TYPE=RelWithDebInfo
  for target in build-fuzz/tests/fuzz/fuzz_*; do
    [ -f "$target" ] && [ -x "$target" ] || continue
    if tests/fuzz/run.sh "$target" "$fuzz"; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
    fi
  done
fi

if [ $((passed + failed + skipped)) -eq 0 ]; then
  echo "tests/run.sh: no test matches '$filter'" >&2
  failed=1
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
