#!/bin/bash
#SBATCH --job-name=small-collect
#SBATCH --ntasks=1
#SBATCH --open-mode=append
#SBATCH --output=collect-%j.log

# Checks the cells that the sweep left, puts them into the archive, and says what is missing.
# Written by `adapt submit`; to run it again: cd to this folder, then bash collect.sh

adapt=/home/u/adapt/build/adapt
out=/scratch/u/runs/small

exec "$adapt" collect "$out"
