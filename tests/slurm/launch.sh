#!/usr/bin/env bash
# launch.sh BUILD: srun cannot start its step on a node where a dead step has left its socket, as nodes do that come back: the job
# tries twice more, then goes back into the queue, and does not come back for ever.
. "$(dirname "$0")/common.sh"
undisturbed 0.01 --cells 2

# block NODE STEP...: where the steps' processes on the node will want to make theirs, for every job to come.
block() {
  local node=$1 job step
  shift
  for step; do
    for job in {1..20}; do : >"$cluster/spool/$node/stepd.slurm.pmix.$job.$step"; done
  done
}
unblock() {
  rm -f "$cluster/spool/$1"/stepd.slurm.pmix.*
}
says() { # OUT TEXT
  grep -hs -- "$2" "$1"/slurm/sweep-*.log
}

block n2 0
block n1 1
experiment again.json again 0.01
sweep again.json --cells 2
wait_done again 90 1
says again 'the launch failed with status .*: once more' || fail "the step could be launched at once"
! says again 'back into the queue' || fail "a third try was not enough"
same_as_undisturbed again proportional
unblock n2
unblock n1

block n1 0 1 2
experiment queue.json queue 0.01
sweep queue.json --cells 2
wait_until 60 says queue '3 of at most 9 in a row, restart 0: back into the queue' || fail "a failed launch does not go back into the queue"
unblock n1
wait_done queue 90 1
same_as_undisturbed queue proportional
[ -z "$(ls queue/slurm/launches-* 2>/dev/null)" ] || fail "a launch file is left"
