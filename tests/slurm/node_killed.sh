#!/usr/bin/env bash
# node_killed.sh BUILD: a node is gone at once, with its slurmd and all processes of the job; first the one without the batch
# script, then the one with it. Slurm requeues the job when it finds out, and it goes on from its checkpoint as soon as the node is
# back.
. "$(dirname "$0")/common.sh"
undisturbed 0.1 --cells 0,1

# under_way_after RESTARTS: the start after so many has claimed a cell and made a checkpoint.
under_way_after() {
  grep -qs "\"restart\": *$1[,}]" out/cells/*.claim && [ -n "$(find out/cells -name '*.checkpoint' -type f -newer "$work/mark")" ]
}
experiment sweep.json out 0.1
sed -i 's|"training": {|&"checkpoint_minutes": 0.01, |' sweep.json
touch "$work/mark"
sweep sweep.json --cells 0,1
restarted=0
for node in n2 n1; do
  wait_until 90 under_way_after $restarted || fail "nothing runs before the end of $node"
  "$here/cluster.sh" kill "$cluster" $node
  touch "$work/mark"
  restarted=$((restarted + 1))
  wait_until 60 eval "[ \"\$(restarts $job)\" = $restarted ]" || fail "Slurm does not requeue the job of $node"
  "$here/cluster.sh" boot "$cluster" $node
done
wait_done out 120 2
[ "$(grep -h 'goes on from its checkpoint' out/slurm/sweep-*.log | wc -l)" -ge 2 ] || fail "it did not go on from its checkpoints"
same_as_undisturbed out adapt
same_as_undisturbed out uniform
