#include "slurm/job_script.h"

#include "slurm/shell_quote.h"
#include <stdbool.h>

static bool is_array(const struct job_script *job) {
    return job->settings->mode == SLURM_MODE_ARRAY;
}

/* ---- #SBATCH */

static int put_option(struct text *out, const char *name, const char *value, struct error *err) {
    return value ? text_printf(out, err, "#SBATCH --%s=%s\n", name, value) : 0;
}

static int put_count(struct text *out, const char *name, long long value, struct error *err) {
    return value ? text_printf(out, err, "#SBATCH --%s=%lld\n", name, value) : 0;
}

static int put_whose(const struct job_script *job, struct text *out, struct error *err) {
    TRY(put_option(out, "partition", job->settings->partition, err));
    return put_option(out, "account", job->settings->account, err);
}

static int put_extra(const struct job_script *job, struct text *out, struct error *err) {
    for (int i = 0; i < job->settings->extra_count; i++)
        TRY(text_printf(out, err, "#SBATCH %s\n", job->settings->extra[i]));
    return 0;
}

static int put_array(const struct job_script *job, struct text *out, struct error *err) {
    if (!is_array(job)) return 0;
    TRY(text_printf(out, err, "#SBATCH --array=0-%d", job->count - 1));
    if (job->settings->throttle) TRY(text_printf(out, err, "%%%lld", job->settings->throttle));
    return text_append_string(out, "\n", err);
}

static int put_resources(const struct job_script *job, struct text *out, struct error *err) {
    const struct slurm_settings *settings = job->settings;
    TRY(put_whose(job, out, err));
    TRY(put_option(out, "time", settings->time, err));
    TRY(put_count(out, "nodes", settings->nodes, err));
    TRY(put_count(out, "ntasks-per-node", job->tasks_per_node, err));
    TRY(put_count(out, "cpus-per-task", settings->cpus_per_task, err));
    TRY(put_count(out, "gpus-per-node", settings->gpus_per_node, err));
    TRY(text_printf(out, err,
                    "#SBATCH --signal=B:USR1@%lld\n"
                    "#SBATCH --requeue\n"
                    "#SBATCH --open-mode=append\n"
                    "#SBATCH --output=%s\n",
                    settings->signal_seconds, is_array(job) ? "sweep-%A_%a.log" : "sweep-%j.log"));
    return put_extra(job, out, err);
}

/* ---- data */

static int put_variable(struct text *out, const char *name, const char *value, struct error *err) {
    TRY(text_printf(out, err, "%s=", name));
    TRY(shell_quote(value, out, err));
    return text_append_string(out, "\n", err);
}

static int put_paths(const struct job_script *job, struct text *out, struct error *err) {
    TRY(put_variable(out, "adapt", job->program, err));
    TRY(put_variable(out, "experiment", job->experiment, err));
    return put_variable(out, "out", job->out, err);
}

static int put_cells(const struct job_script *job, struct text *out, struct error *err) {
    if (!is_array(job)) return put_variable(out, "cells", job->cells[0], err);
    TRY(text_append_string(out, "all_cells=( # of array task 0, 1, ...\n", err));
    for (int i = 0; i < job->count; i++) TRY(text_printf(out, err, "  %s\n", job->cells[i]));
    return text_append_string(out, ")\ncells=${all_cells[SLURM_ARRAY_TASK_ID]}\n", err);
}

static int put_setup(const struct job_script *job, struct text *out, struct error *err) {
    if (!job->settings->setup_count) return 0;
    TRY(text_append_string(out, "\n# The experiment's slurm.setup, in the folder of its file:\ncd ", err));
    TRY(shell_quote(job->folder, out, err));
    TRY(text_append_string(out, " || exit 1\n", err));
    for (int i = 0; i < job->settings->setup_count; i++)
        TRY(text_printf(out, err, "%s\n", job->settings->setup[i]));
    return 0;
}

/* ---- ranks */

static const char head[] = "\n# What starts the ranks.\n";

/* srun does not take over --cpus-per-task of the allocation; 60 s after the first rank's end it ends the
 * others. */
static int put_srun(const struct job_script *job, const char *indent, struct text *out, struct error *err) {
    TRY(text_printf(out, err, "%slauncher=(srun --mpi=pmix --wait=60", indent));
    if (job->settings->cpus_per_task)
        TRY(text_printf(out, err, " --cpus-per-task=%lld", job->settings->cpus_per_task));
    return text_append_string(out, ")\n", err);
}

/* Its ranks are not bound to cores, as each has threads. On TERM it gives them that long before it kills
 * them. */
static int put_mpirun(const char *indent, struct text *out, struct error *err) {
    return text_printf(
        out, err,
        "%slauncher=(mpirun --bind-to none)\n"
        "%sexport OMPI_MCA_odls_base_sigkill_timeout=${OMPI_MCA_odls_base_sigkill_timeout:-25}\n",
        indent, indent);
}

static int put_launcher(const struct job_script *job, struct text *out, struct error *err) {
    TRY(text_append_string(out, head, err));
    switch (job->settings->launch) {
    case SLURM_LAUNCH_SRUN: return put_srun(job, "", out, err);
    case SLURM_LAUNCH_MPIRUN: return put_mpirun("", out, err);
    default:
        TRY(text_append_string(out, "if srun --mpi=list 2>&1 | grep -q pmix; then\n", err));
        TRY(put_srun(job, "  ", out, err));
        TRY(text_append_string(out, "else\n", err));
        TRY(put_mpirun("  ", out, err));
        return text_append_string(out, "fi\n", err);
    }
}

/* In the folder of the logs, where the script starts. */
static const char counts[] = "max_launches=9 # that fail one after the other\n"
                             "restarts=${SLURM_RESTART_COUNT:-0}\n"
                             "launches=$PWD/launches-$SLURM_JOB_ID\n";

/* Before all else that takes time. */
static const char signals[] =
    "\n"
    "# Slurm sends USR1 to this script alone, some time before the time limit: the ranks get it from\n"
    "# here, save their state and end. TERM (scancel, preemption) they get from Slurm\n"
    "# itself; here it must only not end the script before them.\n"
    "ranks=\n"
    "warned=no\n"
    "woken=no\n"
    "ended=no\n"
    "trap 'warned=yes; woken=yes; [ -z \"$ranks\" ] || kill -USR1 \"$ranks\"' USR1\n"
    "trap 'woken=yes; ended=yes' TERM\n";

static const char before_run[] =
    "\n"
    "# $launches has a line for each launch. adapt removes it when all ranks have started, so that a launch\n"
    "# that leaves it has failed (2, 126, 127: no program, or not these options). Where a signal stopped the\n"
    "# run adapt makes it again, of one word, and ends with 0: on another status mpirun takes minutes to end.\n"
    "launch_failed() {\n"
    "  case $status in 0 | 2 | 75 | 126 | 127) return 1 ;; esac\n"
    "  [ -e \"$launches\" ]\n"
    "}\n"
    "\n"
    "status=75\n"
    "tries=3 # here, for the sockets of a step that died with its node are in the way of one of that number\n"
    "while [ $warned = no ]; do\n"
    "  echo \"restart $restarts on $SLURM_JOB_NODELIST\" >>\"$launches\"\n"
    "  \"${launcher[@]}\" \"$adapt\" run \"$experiment\" --out \"$out\" --cells \"$cells\" \\\n"
    "    --launch-file \"$launches\"";

static const char after_run[] =
    "  ranks=$!\n"
    "  [ $warned = no ] || kill -USR1 \"$ranks\"\n"
    "  while :; do\n"
    "    woken=no\n"
    "    wait \"$ranks\"\n"
    "    status=$?\n"
    "    [ $status -ge 0 ] || status=1 # some bash, where the end and a signal meet\n"
    "    [ $woken = yes ] || break # a signal interrupted the wait\n"
    "  done\n"
    "  ranks=\n"
    "  if [ $status = 0 ] && [ -e \"$launches\" ]; then\n"
    "    status=1 # srun has been seen to end with 0 after a launch that failed\n"
    "    [ \"$(cat \"$launches\")\" != stopped ] || status=75\n"
    "  fi\n"
    "  tries=$((tries - 1))\n"
    "  if ! launch_failed || [ $tries = 0 ] || [ $ended = yes ]; then break; fi\n"
    "  echo \"the launch failed with status $status: once more\"\n"
    "  sleep 5\n"
    "done\n";

static int put_run(const struct job_script *job, struct text *out, struct error *err) {
    TRY(text_append_string(out, before_run, err));
    if (job->settings->cpus_per_task)
        TRY(text_printf(out, err, " --threads %lld", job->settings->cpus_per_task));
    TRY(text_append_string(out, " &\n", err));
    return text_append_string(out, after_run, err);
}

static const char decide[] =
    "\n"
    "# Back into the queue after a time limit, a preemption or failed launches; never after a failure of the\n"
    "# run itself, nor when the job was cancelled (its state then is not RUNNING).\n"
    "job=$(scontrol show job \"$SLURM_JOB_ID\")\n"
    "again=no\n"
    "why=\"stopped with status $status\"\n"
    "bound=$max_requeues\n"
    "case $status in\n"
    "  0) exit 0 ;;\n"
    "  75) again=yes ;;      # stopped by a signal, everything saved\n"
    "  138) again=$warned ;; # USR1 before there was anything to save\n"
    "esac\n"
    "[[ $job == *PreemptTime=[0-9]* ]] && again=yes # which may end the launcher in any way\n"
    "if [ $again = no ] && launch_failed; then\n"
    "  failed=$(wc -l <\"$launches\")\n"
    "  why=\"the launch failed with status $status, $failed of at most $max_launches in a row\"\n"
    "  again=yes\n"
    "  [ \"$failed\" -lt $max_launches ] || bound=0\n"
    "else\n"
    "  rm -f \"$launches\"\n"
    "fi\n"
    "[[ $job == *JobState=RUNNING* ]] || again=no\n"
    "if [ $again = yes ] && [ \"$restarts\" -lt $bound ]; then\n"
    "  echo \"$why, restart $restarts: back into the queue\"\n"
    "  scontrol requeue \"$SLURM_JOB_ID\" && exit 0\n"
    "elif [ $again = yes ]; then\n"
    "  echo \"$why, after $restarts restarts: not put back into the queue again\"\n"
    "fi\n"
    "rm -f \"$launches\"\n"
    "exit $status\n";

int job_script_sweep(const struct job_script *job, struct text *out, struct error *err) {
    TRY(text_printf(out, err, "#!/bin/bash\n#SBATCH --job-name=%s\n", job->name));
    TRY(put_array(job, out, err));
    TRY(put_resources(job, out, err));
    TRY(text_printf(
        out, err,
        "\n"
        "# Runs the grid of the experiment \"%s\". Written by `adapt submit`, and yours to edit.\n"
        "# To submit it again: cd to this folder, then sbatch sweep.sh\n"
        "\n",
        job->name));
    TRY(put_paths(job, out, err));
    TRY(put_cells(job, out, err));
    TRY(text_printf(out, err, "max_requeues=%lld\n%s", job->settings->max_requeues, counts));
    TRY(text_append_string(out, signals, err));
    TRY(put_setup(job, out, err));
    TRY(put_launcher(job, out, err));
    TRY(put_run(job, out, err));
    return text_append_string(out, decide, err);
}

int job_script_collect(const struct job_script *job, struct text *out, struct error *err) {
    TRY(text_printf(out, err, "#!/bin/bash\n#SBATCH --job-name=%s-collect\n", job->name));
    TRY(put_whose(job, out, err));
    TRY(text_append_string(out,
                           "#SBATCH --ntasks=1\n"
                           "#SBATCH --open-mode=append\n"
                           "#SBATCH --output=collect-%j.log\n",
                           err));
    TRY(put_extra(job, out, err));
    TRY(text_append_string(
        out,
        "\n"
        "# Checks the cells that the sweep left, puts them into the archive, and says what is missing.\n"
        "# Written by `adapt submit`; to run it again: cd to this folder, then bash collect.sh\n"
        "\n",
        err));
    TRY(put_variable(out, "adapt", job->program, err));
    TRY(put_variable(out, "out", job->out, err));
    TRY(put_setup(job, out, err));
    return text_append_string(out, "\nexec \"$adapt\" collect \"$out\"\n", err);
}
