#!/usr/bin/env bash
# array.sh BUILD: a job array whose cells span both nodes, started by srun --mpi=pmix and by mpirun; one job that shares out the
# cells; what squeue, sacct and adapt status say of it; the same rows as an undisturbed run.
. "$(dirname "$0")/common.sh"
undisturbed 0.03

experiment srun.json srun 0.03 '"throttle": 1, "partition": "main", "time": "10"'
sweep srun.json
wait_until 20 is_running "$job" || fail "the sweep does not start"
on squeue --array --format '%.10i %.9P %.14j %.2t %.6M %.5D %R' | tee squeue.txt
on "$adapt" status srun >/dev/null || fail "status before a cell is started"
wait_until 20 eval "ls srun/cells/*.h5 >ls.txt 2>/dev/null" || fail "no cell begins"
sleep 1
on "$adapt" status srun | tee status.txt
grep -q "^queue: job $job: .*running on n\[1-2\]" status.txt || fail "status does not tell of the queue"
on "$adapt" status srun --watch 1 >watch.txt || fail "status --watch"
grep -q '3 cells: 0 planned, 0 running, 3 done, 0 failed' watch.txt || fail "status --watch ended before the cells"
wait_done srun 120
same_as_undisturbed srun
on sacct --completion --format jobid,jobname,partition,state,nodelist,nnodes | tee sacct.txt

experiment mpirun.json mpirun 0.03 '"launch": "mpirun"'
sweep mpirun.json
wait_done mpirun 120
same_as_undisturbed mpirun

experiment one.json one 0.03 '"mode": "job", "tasks_per_node": 2'
sweep one.json
wait_done one 120
same_as_undisturbed one

# Nothing is left to do, and a part of the grid knows what it needs.
on "$adapt" submit one.json | grep -q "nothing to run" || fail "a finished experiment was submitted"
experiment half.json half 0.01
status=0
on "$adapt" submit half.json --cells 0 2>err || status=$?
[ $status = 2 ] && grep -q "which is not done" err || fail "a cell was submitted without its reference"
[ ! -e half ] || fail "a refused submission left something"
