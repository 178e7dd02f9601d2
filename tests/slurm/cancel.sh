#!/usr/bin/env bash
# cancel.sh BUILD: scancel in the middle of cells; the jobs do not come back by themselves, the collection says what is missing,
# and a second submission goes on from where they were.
. "$(dirname "$0")/common.sh"
undisturbed 0.1

for launch in srun mpirun; do
  experiment $launch.json $launch 0.1 "\"launch\": \"$launch\""
  sweep $launch.json
  wait_until 90 under_way $launch || fail "$launch: nothing runs"
  on scancel "$job"
  wait_until 60 has_ended "$collector" || fail "$launch: the collection does not come after a cancelled sweep"
  [ "$(on squeue --noheader | wc -l)" = 0 ] || fail "$launch: a cancelled job came back"
  ! grep -h 'back into the queue' $launch/slurm/sweep-*.log || fail "$launch: a cancelled job was requeued"
  grep -q "to run what is missing:" $launch/slurm/collect-*.log || fail "$launch: the collection does not say what is missing"
  sweep $launch.json
  wait_done $launch 200
  grep -h 'goes on from its checkpoint' $launch/slurm/sweep-"$job"_*.log || echo "$launch: no checkpoint was left to go on from"
  same_as_undisturbed $launch
done
