#!/usr/bin/env bash
# preempt.sh BUILD: a sweep that has to give way to jobs of a higher partition goes back into the queue, goes on when they are
# gone, and leaves the rows of an undisturbed run; under srun, whose ranks get Slurm's TERM, and under mpirun, whose daemons it ends.
. "$(dirname "$0")/common.sh"
undisturbed 0.1

for launch in srun mpirun; do
  experiment $launch.json $launch 0.1 "\"launch\": \"$launch\", \"partition\": \"low\""
  sweep $launch.json
  for round in 0 1; do
    wait_until 90 under_way $launch || fail "$launch: nothing runs in round $round"
    high=$(on sbatch --parsable --partition high --nodes 2 --exclusive --output /dev/null --wrap 'sleep 2')
    wait_until 60 has_ended "$high" || fail "$launch: the job of high did not get the nodes"
  done
  wait_done $launch 200
  grep -h 'back into the queue\|DUE TO\|PREEMPT' $launch/slurm/sweep-*.log || fail "$launch: nothing was preempted"
  same_as_undisturbed $launch
done
