#!/usr/bin/env bash
# node_killed.sh BUILD: a node is gone at once, with its slurmd and all processes of the job; first the one without the batch
# script, then the one with it. Slurm requeues the job when it finds out, and it goes on as soon as the node is back.
. "$(dirname "$0")/common.sh"
undisturbed 0.1

experiment sweep.json out 0.1
sweep sweep.json
restarted=0
for node in n2 n1; do
  wait_until 90 under_way out || fail "nothing runs before the end of $node"
  "$here/cluster.sh" kill "$cluster" $node
  restarted=$((restarted + 1))
  wait_until 90 eval "[ \"\$(restarts $job)\" -ge $restarted ]" || fail "Slurm does not requeue the job of $node"
  "$here/cluster.sh" boot "$cluster" $node
done
wait_done out 200
grep -h 'goes on from its checkpoint\|is taken over' out/slurm/sweep-*.log || true
same_as_undisturbed out
