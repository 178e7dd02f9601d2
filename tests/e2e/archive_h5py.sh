#!/usr/bin/env bash
# archive_h5py.sh BUILD: what others read: h5dump, h5py and xarray (through h5netcdf) open our archives without our code, also
# the file of a killed writer. ADAPT_TEST_PYTHON names the Python to use.
set -euo pipefail
build=$1
. "$(dirname "$0")/../support/e2e.sh"
python=${ADAPT_TEST_PYTHON:-python3}

expect 0 "$build/tests/test_report" --write "$work/archive"
expect 137 "$build/tests/test_report" --killed "$work/killed.h5"
cell=$work/archive/cells/tiny-llama__0.01__adapt__seed0.h5

if command -v h5dump >/dev/null; then
  for file in "$work/archive/experiment.h5" "$cell" "$work/killed.h5"; do expect 0 h5dump -n "$file"; done
  expect 0 h5dump -d /cells/tiny-llama/0.01/adapt/seed0/steps/step "$work/killed.h5"
  says out "SIMPLE { ( 20 ) / ( H5S_UNLIMITED ) }"
  expect 0 h5dump -n "$work/archive/experiment.h5"
  says out " -> cells/tiny-llama__0.01__adapt__seed0.h5 /cells/tiny-llama/0.01/adapt/seed0"
  echo "h5dump reads them"
else
  echo "h5dump is not here: not tried"
fi

if ! "$python" -c "import h5py" 2>"$work/err"; then
  echo "skipped: $python has no h5py ($(tail -n 1 "$work/err")); ADAPT_TEST_PYTHON names another Python"
  exit 77
fi
HDF5_USE_FILE_LOCKING='' "$python" "$top/tests/support/archive_read.py" "$work/archive" "$work/killed.h5" || fail "python"
