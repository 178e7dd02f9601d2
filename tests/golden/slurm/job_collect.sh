#!/bin/bash
#SBATCH --job-name=everything-collect
#SBATCH --partition=gpu,gpu-long
#SBATCH --account=p_1234
#SBATCH --ntasks=1
#SBATCH --open-mode=append
#SBATCH --output=collect-%j.log
#SBATCH --qos=long
#SBATCH --constraint="a100&nvlink"

# Checks the cells that the sweep left, puts them into the archive, and says what is missing.
# Written by `adapt submit`; to run it again: cd to this folder, then bash collect.sh

adapt='/opt/my tools/adapt'
out='/data/-rf *;&|'

# The experiment's slurm.setup, in the folder of its file:
cd '/data/it'\''s "here"/$(touch owned)' || exit 1
module purge
module load openmpi/5 hdf5
export FOO="$(date)"

exec "$adapt" collect "$out"
