#!/usr/bin/env bash
# mpirun.sh RANKS COMMAND...: runs a command on so many ranks of this machine, whatever its size and whoever asks.
set -euo pipefail
ranks=$1
shift
if [ "$(id -u)" = 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
export OMP_NUM_THREADS=${OMP_NUM_THREADS_PER_RANK:-1}
exec mpirun --oversubscribe --bind-to none -n "$ranks" "$@"
