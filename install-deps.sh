#!/usr/bin/env bash
# install-deps.sh [--check] [--fuzz] [--slurm]: installs what adapt needs from the distribution (Debian 12 or newer, Ubuntu 22.04 or
# newer), says what and why, and does nothing when all of it is there. --check only reports (exit status 1 if something is
# missing); --fuzz also wants what tests/run.sh --fuzz needs, --slurm what the tests with a cluster of their own do.
set -euo pipefail

# package | why
packages='build-essential | C compiler and C library headers
cmake | build system (3.22 or newer)
ninja-build | runs the build
pkg-config | finds libraries for the build
git | the commit that is compiled into the program
libopenmpi-dev | MPI headers: ranks that train together
openmpi-bin | mpirun
libhdf5-dev | HDF5: the archive of results
hdf5-tools | h5dump and h5diff, to look into archives
libcjson-dev | JSON parser: experiment files, tasks, model configurations
libdnnl-dev | oneDNN: matrix products, dispatched to the CPU found at run time
libpcre2-dev | regular expressions of tokenizers
libutf8proc-dev | Unicode normalisation of tokenizers
librandom123-dev | Philox, the counter-based random numbers
libssl-dev | SHA-256 (libcrypto): content hashes of caches and archives
bubblewrap | sandboxes for generated programs (humaneval, mbpp)
python3 | runs generated programs, in the sandbox
libcmocka-dev | unit tests
python3-venv | tests only: an environment with h5py and tokenizers to compare with'
fuzz_packages='clang | compiler of the fuzz targets
libclang-rt-dev | libFuzzer and the sanitizers
libomp-dev | OpenMP for clang'
slurm_packages='slurm-wlm | tests only: the Slurm of a test cluster
munge | tests only: its authentication
iproute2 | tests only: its network'

check=no
for argument in "$@"; do
  case $argument in
    --check) check=yes ;;
    --fuzz) packages="$packages
$fuzz_packages" ;;
    --slurm) packages="$packages
$slurm_packages" ;;
    -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;;
    *) echo "install-deps.sh: unknown option '$argument' (expected --check, --fuzz or --slurm)" >&2; exit 2 ;;
  esac
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "install-deps.sh: this is not a Debian or Ubuntu system; install the counterparts of these packages yourself:" >&2
  echo "$packages" >&2
  exit 1
fi

installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}
satisfied() {
  case $1 in
    libdnnl-dev) installed libdnnl-dev || installed libopenblas-dev ;; # either serves
    cmake) command -v cmake >/dev/null ;;                              # pip or Kitware's build will do
    pkg-config) command -v pkg-config >/dev/null ;;
    clang | libclang-rt-dev) command -v clang >/dev/null && fuzzer_runtime ;;
    libomp-dev) echo 'int main(void) { return 0; }' | clang -x c -fopenmp -o /dev/null - 2>/dev/null ;;
    *) installed "$1" ;;
  esac
}
fuzzer_runtime() {
  [ -n "$(find "$(clang -print-resource-dir)" -name 'libclang_rt.fuzzer*.a' -print -quit 2>/dev/null)" ]
}

missing=()
while IFS='|' read -r name why; do
  name=${name% }
  if ! satisfied "$name"; then
    missing+=("$name")
    printf 'missing: %-20s%s\n' "$name" "$why"
  fi
done <<<"$packages"

cmake_is_new_enough() {
  local version
  version=$(cmake --version 2>/dev/null | sed -n '1s/.* //p')
  if [ -n "$version" ] && [ "$(printf '3.22\n%s\n' "$version" | sort -V | head -n 1)" != 3.22 ]; then
    echo "install-deps.sh: cmake $version is too old, 3.22 or newer is needed: this distribution has no newer one; run" >&2
    echo "  python3 -m pip install --user cmake    (or add https://apt.kitware.com, and install cmake from there)" >&2
    return 1
  fi
}

if [ ${#missing[@]} -eq 0 ]; then
  cmake_is_new_enough
  echo "install-deps.sh: everything is installed"
  exit 0
fi
if [ $check = yes ]; then
  echo "install-deps.sh: ${#missing[@]} packages are missing; install them with: ./install-deps.sh"
  exit 1
fi

as_root=()
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "install-deps.sh: not root and no sudo; ask an administrator for: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  echo "asking for sudo to install: ${missing[*]}"
  as_root=(sudo)
fi
"${as_root[@]}" apt-get update -q
for i in "${!missing[@]}"; do
  apt-cache show "${missing[$i]}" >/dev/null 2>&1 && continue
  case ${missing[$i]} in
    libdnnl-dev) echo "libdnnl-dev is not available here: libopenblas-dev takes its place"; missing[$i]=libopenblas-dev ;;
    libclang-rt-dev) unset "missing[$i]" ;; # older releases: part of what clang depends on
  esac
done
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
cmake_is_new_enough
echo "install-deps.sh: installed ${missing[*]}"
