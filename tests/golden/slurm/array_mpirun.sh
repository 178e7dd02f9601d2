#!/bin/bash
#SBATCH --job-name=everything
#SBATCH --array=0-0%6
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
#SBATCH --output=sweep-%A_%a.log
#SBATCH --qos=long
#SBATCH --constraint="a100&nvlink"

# Runs the grid of the experiment "everything". Written by `adapt submit`, and yours to edit.
# To submit it again: cd to this folder, then sbatch sweep.sh

adapt='/opt/my tools/adapt'
experiment='/data/it'\''s "here"/$(touch owned)/a
b `id`.json'
out='/data/-rf *;&|'
all_cells=( # of array task 0, 1, ...
  0-107
)
cells=${all_cells[SLURM_ARRAY_TASK_ID]}
max_requeues=7
max_launches=9 # that fail one after the other
restarts=${SLURM_RESTART_COUNT:-0}
launches=$PWD/launches-$SLURM_JOB_ID

# Slurm sends USR1 to this script alone, some time before the time limit: the ranks get it from
# here, save their state and end. TERM (scancel, preemption) they get from Slurm
# itself; here it must only not end the script before them.
ranks=
warned=no
woken=no
ended=no
trap 'warned=yes; woken=yes; [ -z "$ranks" ] || kill -USR1 "$ranks"' USR1
trap 'woken=yes; ended=yes' TERM

# The experiment's slurm.setup, in the folder of its file:
cd '/data/it'\''s "here"/$(touch owned)' || exit 1
module purge
module load openmpi/5 hdf5
export FOO="$(date)"

# What starts the ranks.
launcher=(mpirun --bind-to none)
export OMPI_MCA_odls_base_sigkill_timeout=${OMPI_MCA_odls_base_sigkill_timeout:-25}

# $launches has a line for each launch. adapt removes it when all ranks have started, so that a launch
# that leaves it has failed (2, 126, 127: no program, or not these options). Where a signal stopped the
# run adapt makes it again, of one word, and ends with 0: on another status mpirun takes minutes to end.
launch_failed() {
  case $status in 0 | 2 | 75 | 126 | 127) return 1 ;; esac
  [ -e "$launches" ]
}

status=75
tries=3 # here, for the sockets of a step that died with its node are in the way of one of that number
while [ $warned = no ]; do
  echo "restart $restarts on $SLURM_JOB_NODELIST" >>"$launches"
  "${launcher[@]}" "$adapt" run "$experiment" --out "$out" --cells "$cells" \
    --launch-file "$launches" --threads 8 &
  ranks=$!
  [ $warned = no ] || kill -USR1 "$ranks"
  while :; do
    woken=no
    wait "$ranks"
    status=$?
    [ $status -ge 0 ] || status=1 # some bash, where the end and a signal meet
    [ $woken = yes ] || break # a signal interrupted the wait
  done
  ranks=
  if [ $status = 0 ] && [ -e "$launches" ]; then
    status=1 # srun has been seen to end with 0 after a launch that failed
    [ "$(cat "$launches")" != stopped ] || status=75
  fi
  tries=$((tries - 1))
  if ! launch_failed || [ $tries = 0 ] || [ $ended = yes ]; then break; fi
  echo "the launch failed with status $status: once more"
  sleep 5
done

# Back into the queue after a time limit, a preemption or failed launches; never after a failure of the
# run itself, nor when the job was cancelled (its state then is not RUNNING).
job=$(scontrol show job "$SLURM_JOB_ID")
again=no
why="stopped with status $status"
bound=$max_requeues
case $status in
  0) exit 0 ;;
  75) again=yes ;;      # stopped by a signal, everything saved
  138) again=$warned ;; # USR1 before there was anything to save
esac
[[ $job == *PreemptTime=[0-9]* ]] && again=yes # which may end the launcher in any way
if [ $again = no ] && launch_failed; then
  failed=$(wc -l <"$launches")
  why="the launch failed with status $status, $failed of at most $max_launches in a row"
  again=yes
  [ "$failed" -lt $max_launches ] || bound=0
else
  rm -f "$launches"
fi
[[ $job == *JobState=RUNNING* ]] || again=no
if [ $again = yes ] && [ "$restarts" -lt $bound ]; then
  echo "$why, restart $restarts: back into the queue"
  scontrol requeue "$SLURM_JOB_ID" && exit 0
elif [ $again = yes ]; then
  echo "$why, after $restarts restarts: not put back into the queue again"
fi
rm -f "$launches"
exit $status
