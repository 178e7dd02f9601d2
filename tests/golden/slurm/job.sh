#!/bin/bash
#SBATCH --job-name=everything
#SBATCH --partition=gpu,gpu-long
#SBATCH --account=p_1234
#SBATCH --time=1-12:00:00
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=4
#SBATCH --cpus-per-task=8
#SBATCH --gpus-per-node=4
#SBATCH --signal=B:USR1@300
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=sweep-%j.log
#SBATCH --qos=long
#SBATCH --constraint="a100&nvlink"

# Runs the grid of the experiment "everything". Written by `adapt submit`, and yours to edit.
# To submit it again: cd to this folder, then sbatch sweep.sh

adapt='/opt/my tools/adapt'
experiment='/data/it'\''s "here"/$(touch owned)/a
b `id`.json'
out='/data/-rf *;&|'
cells=0-107
max_requeues=7
max_launches=3 # that fail one after the other
restarts=${SLURM_RESTART_COUNT:-0}
launches=$PWD/launches-$SLURM_JOB_ID

# Slurm sends USR1 to this script alone, some time before the time limit: the ranks get it from
# here, save their state and end with status 75. TERM (scancel, preemption) they get from Slurm
# itself; here it must only not end the script before them.
ranks=
warned=no
woken=no
trap 'warned=yes; woken=yes; [ -z "$ranks" ] || kill -USR1 "$ranks"' USR1
trap 'woken=yes' TERM

# The experiment's slurm.setup, in the folder of its file:
cd '/data/it'\''s "here"/$(touch owned)' || exit 1
module purge
module load openmpi/5 hdf5
export FOO="$(date)"

# What starts the ranks.
launcher=(srun --mpi=pmix --wait=60 --cpus-per-task=8)

status=75
if [ $warned = no ]; then
  echo "restart $restarts on $SLURM_JOB_NODELIST" >>"$launches"
  "${launcher[@]}" "$adapt" run "$experiment" --out "$out" --cells "$cells" --launch-file "$launches" --threads 8 &
  ranks=$!
  [ $warned = no ] || kill -USR1 "$ranks"
  while :; do
    woken=no
    wait "$ranks"
    status=$?
    [ $woken = yes ] || break # a signal interrupted the wait
  done
fi

# Back into the queue after a time limit, a preemption, or a launch that failed before all ranks had
# started (adapt then removes $launches, which has a line for every launch); never after a failure of
# the run itself, nor when the job was cancelled (its state then is not RUNNING).
job=$(scontrol show job "$SLURM_JOB_ID")
failed=0 # launches, one after the other
[ ! -e "$launches" ] || failed=$(wc -l <"$launches")
again=no
case $status in
  0) exit 0 ;;
  75) again=yes ;;      # stopped by a signal, everything saved
  138) again=$warned ;; # USR1 before there was anything to save
  2 | 126 | 127) ;;     # no program, or not these options: on any node
  *) [ "${failed:-0}" = 0 ] || again=launch ;;
esac
[[ $job == *PreemptTime=[0-9]* ]] && again=yes # which may end the launcher in any way
[[ $job == *JobState=RUNNING* ]] || again=no
bound=$max_requeues
case $again in
  launch)
    why="the launch failed with status $status, $failed of at most $max_launches in a row"
    [ "$failed" -lt $max_launches ] || bound=0
    ;;
  *)
    why="stopped with status $status"
    rm -f "$launches"
    ;;
esac
if [ $again != no ] && [ "$restarts" -lt $bound ]; then
  echo "$why, restart $restarts: back into the queue"
  scontrol requeue "$SLURM_JOB_ID" && exit 0
elif [ $again != no ]; then
  echo "$why, after $restarts restarts: not put back into the queue again"
fi
rm -f "$launches"
exit $status
