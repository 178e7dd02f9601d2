#!/usr/bin/env bash
# A Slurm cluster on one machine: munged, slurmctld and several slurmd that are separate hosts to each other, each with a
# network, host name, process table, /tmp and /dev/shm of its own. Needs root, namespaces, slurm-wlm and munge; says what is
# missing and ends with 77 without. All of it lives in one folder and in namespaces that `stop` ends as a whole.
#
#   cluster.sh start FOLDER [NODES]     FOLDER is made; 2 nodes (n1, n2) unless told
#   cluster.sh run FOLDER COMMAND...    runs a command (sbatch, squeue, adapt submit, ...) on the controller
#   cluster.sh kill FOLDER NODE         ends a node at once, as a power failure does
#   cluster.sh boot FOLDER NODE         starts it again
#   cluster.sh stop FOLDER              ends everything and removes FOLDER
#
# Partitions: main (the default); low, whose jobs give way to those of high (requeued, 20 s of grace).
# Folders below /tmp that the nodes shall see are named in ADAPT_CLUSTER_SHARED (separated by colons).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command=${1:?usage: $0 start|run|kill|boot|stop FOLDER [...] (see its first lines)}
folder=${2:?$0 $command: a folder is expected}
shift 2

skip() {
  echo "SKIP: $*"
  exit 77
}
fail() {
  echo "cluster.sh: $*" >&2
  exit 1
}

# What has to be there before anything is started.
check_machine() {
  [ "$(id -u)" = 0 ] || skip "a test cluster needs root, for namespaces"
  local tool
  for tool in slurmctld slurmd munged sbatch squeue ip unshare nsenter; do
    command -v "$tool" >/dev/null || skip "$tool is not installed (./install-deps.sh --slurm installs Slurm)"
  done
  unshare --mount --net --uts --pid --fork --mount-proc bash -c \
    'hostname x && ip link add pair0 type veth peer name pair1 && ip link add bridge0 type bridge && mount -t tmpfs none /mnt' 2>/dev/null ||
    skip "this machine does not let root make namespaces with interfaces of their own"
}

write_configuration() {
  local nodes=$1 i
  {
    echo "127.0.0.1 localhost"
    echo "10.77.0.100 ctl"
    for ((i = 1; i <= nodes; i++)); do echo "10.77.0.$i n$i"; done
  } >"$folder/hosts"
  cat >"$folder/slurm.conf" <<CONF
ClusterName=adapt
SlurmctldHost=ctl
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool/%n
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmdPidFile=$folder/run/%n.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/%n.log
SlurmdDebug=verbose
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/filetxt
JobCompLoc=$folder/log/jobs.txt
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
ReturnToService=2
SlurmdTimeout=6
KillWait=3
MessageTimeout=5
MinJobAge=100000
NodeName=n[1-$nodes] CPUs=2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=5 PreemptMode=OFF
PartitionName=low Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=20
PartitionName=high Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
CONF
}

in_world() {
  nsenter --target "$(cat "$folder/world.pid")" --mount --net --uts --pid -- "$@"
}

# A folder of `folder` in place of a public one, in this mount namespace; what lies below it and is shared stays.
replace_tmp() {
  local own=$1 path
  mkdir -p "$own"
  chmod 1777 "$own"
  local IFS=:
  for path in $folder $(cat "$folder/shared"); do
    [[ $path == /tmp/* ]] || continue
    mkdir -p "$own/${path#/tmp/}"
    mount --bind "$path" "$own/${path#/tmp/}"
  done
  mount --rbind "$own" /tmp
}

# ---- inside: the controller's host, which is the first process of the cluster's process table
world() {
  local nodes=$1 i
  mount --make-rprivate /
  hostname ctl
  mount --bind "$folder/hosts" /etc/hosts
  ip link set lo up
  ip link add bridge0 type bridge
  ip address add 10.77.0.100/24 dev bridge0
  ip link set bridge0 up
  munged --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" --pid-file="$folder/munge/pid" \
    --seed-file="$folder/munge/seed" --log-file="$folder/log/munged.log"
  slurmctld -c -f "$folder/slurm.conf"
  for ((i = 1; i <= nodes; i++)); do boot "n$i"; done
  touch "$folder/up"
  while :; do sleep 1000 & wait; done
}

# ---- inside: a node's host; $1 its name
node() {
  mount --make-rprivate /
  hostname "$1"
  replace_tmp "$folder/nodes/$1/tmp"
  mount -t tmpfs none /dev/shm
  ip link set lo up
  for ((i = 0; i < 100; i++)); do
    ip link show eth0 >/dev/null 2>&1 && break
    sleep 0.05
  done
  ip address add "$(awk -v n="$1" '$2 == n { print $1 }' "$folder/hosts")/24" dev eth0
  ip link set eth0 up
  slurmd -D -f "$folder/slurm.conf" &
  while :; do sleep 1000 & wait; done
}

# Runs on the controller's host.
boot() {
  local name=$1 i
  # What a node that died has left of its jobs.
  rm -rf "$folder/spool/$name" "$folder/nodes/$name/tmp"/spmix_*
  mkdir -p "$folder/spool/$name" "$folder/nodes/$name"
  unshare --mount --net --uts --pid --fork --kill-child --mount-proc \
    "$here/cluster.sh" node "$folder" "$name" </dev/null >"$folder/log/$name.start" 2>&1 &
  local pid=$!
  echo $pid >"$folder/nodes/$name/pid" # in the cluster's process table
  for ((i = 0; i < 100; i++)); do
    [ "$(readlink /proc/$pid/ns/net)" != "$(readlink /proc/self/ns/net)" ] && break
    sleep 0.05
  done
  ip link add "$name" type veth peer name eth0 netns $pid
  ip link set "$name" master bridge0 up
}

wait_until_idle() {
  local i
  for ((i = 0; i < 150; i++)); do
    if [ -f "$folder/up" ] &&
      [ "$(in_world sinfo --noheader --Node --partition main --format %t 2>/dev/null | grep -c '^\(idle\|mix\|alloc\)$')" = "$1" ]; then
      return
    fi
    sleep 0.2
  done
  tail -n 5 "$folder"/log/* >&2
  fail "the cluster did not come up"
}

export SLURM_CONF=$folder/slurm.conf
case $command in
  start)
    check_machine
    nodes=${1:-2}
    mkdir -p "$folder"
    folder=$(cd "$folder" && pwd)
    export SLURM_CONF=$folder/slurm.conf
    chmod 755 "$folder"
    mkdir -p "$folder"/{munge,state,spool,run,log,nodes}
    chmod 755 "$folder/munge"
    head -c 1024 /dev/urandom >"$folder/munge/key"
    chmod 400 "$folder/munge/key"
    echo "$nodes" >"$folder/count"
    echo "${ADAPT_CLUSTER_SHARED:-}" >"$folder/shared"
    write_configuration "$nodes"
    setsid unshare --mount --net --uts --pid --fork --kill-child --mount-proc \
      "$here/cluster.sh" world "$folder" "$nodes" </dev/null >"$folder/log/world" 2>&1 &
    for ((i = 0; i < 100; i++)); do # the child of unshare is the first process
      pid=$(cat "/proc/$!/task/$!/children" 2>/dev/null | tr -d ' ') || true
      [ -n "$pid" ] && break
      sleep 0.05
    done
    echo "$pid" >"$folder/world.pid"
    wait_until_idle "$nodes"
    ;;
  world) world "$1" ;;
  node) node "$1" ;;
  run) in_world env --chdir="$PWD" SLURM_CONF="$SLURM_CONF" bash -c 'exec "$@"' bash "$@" ;; # env takes a=b for a variable
  kill) in_world kill -9 "$(cat "$folder/nodes/$1/pid")" ;;
  boot) in_world "$here/cluster.sh" boot_inside "$folder" "$1" && wait_until_idle "$(cat "$folder/count")" ;;
  boot_inside) boot "$1" ;;
  stop)
    if [ -f "$folder/world.pid" ]; then
      kill -9 "$(cat "$folder/world.pid")" 2>/dev/null || true # with it goes all that runs in there
      for ((i = 0; i < 100; i++)); do
        kill -0 "$(cat "$folder/world.pid")" 2>/dev/null || break
        sleep 0.05
      done
    fi
    rm -rf "$folder"
    ;;
  *) fail "no command is called '$command'" ;;
esac
