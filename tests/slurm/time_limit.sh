#!/usr/bin/env bash
# time_limit.sh BUILD: jobs whose time limit comes in the middle of a cell save their state on Slurm's USR1, requeue themselves
# and go on, until all is there; a bound on requeues is kept; a failure is not requeued.
. "$(dirname "$0")/common.sh"
undisturbed 0.3 --cells 0,1 # long enough for a time limit to come in the middle, also where nothing else runs

# A real limit: one minute, USR1 55 s before it, which is when Slurm looks next: it does so every 30 s from its start on.
while [ $((($(date +%s) - $(stat -c %Y "$cluster/up")) % 30)) != 20 ]; do sleep 0.2; done
experiment limit.json limit 0.3 '"time": "1", "signal_seconds": 55'
sweep limit.json --cells 0,1
wait_done limit 300 2
grep -h 'back into the queue' limit/slurm/sweep-*.log || fail "nothing was requeued"
same_as_undisturbed limit uniform
same_as_undisturbed limit adapt

# The same signal by hand, under mpirun, in a longer cell: back into the queue once, which is its bound. What the collection then
# says to run runs.
rm -r plain
undisturbed 0.6 --cells 1
experiment mpirun.json mpirun 0.6 '"launch": "mpirun", "max_requeues": 1'
sweep mpirun.json --cells 1
wait_until 90 under_way mpirun || fail "nothing runs"
on scancel --batch --signal USR1 "${job}_0"
wait_until 90 eval '[ "$(restarts "$job")" = 1 ]' || fail "USR1 did not requeue"
wait_until 90 under_way mpirun || fail "nothing runs after the requeue"
on scancel --batch --signal USR1 "${job}_0"
wait_until 90 has_ended "$collector" || fail "the bound on requeues is not kept"
grep -q 'after 1 restarts: not put back' mpirun/slurm/sweep-*.log || fail "the bound is not told"
grep -q 'adapt run .*/mpirun.json --out .*/mpirun --cells 0-2$' mpirun/slurm/collect-*.log || fail "the collection does not say how to go on"
sweep mpirun.json --cells 1
wait_done mpirun 120 1
same_as_undisturbed mpirun uniform

# USR1 in the setup, before there are ranks.
experiment early.json early 0.01 '"setup": ["sleep 4"]'
sweep early.json --cells 1
wait_until 30 is_running "$job" || fail "the sweep does not start"
sleep 1
on scancel --batch --signal USR1 "${job}_0"
wait_until 60 eval '[ "$(restarts "$job")" = 1 ]' || fail "USR1 in the setup did not requeue"
wait_done early 120 1

# A run that fails is not put back.
experiment broken.json broken 0.01
sed -i 's|demo/benchmarks/winogrande.jsonl|demo/benchmarks/none.jsonl|' broken.json
sweep broken.json
wait_until 60 has_ended "$collector" || fail "a broken sweep does not end"
! grep -q 'back into the queue' broken/slurm/sweep-*.log || fail "a failure was requeued"
grep -q 'none.jsonl' broken/slurm/sweep-*.log || fail "the failure is not told"
