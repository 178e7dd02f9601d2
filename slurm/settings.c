#include "slurm/settings.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *const modes[] = {[SLURM_MODE_ARRAY] = "array", [SLURM_MODE_JOB] = "job", NULL};
static const char *const launches[] = {
    [SLURM_LAUNCH_AUTO] = "auto", [SLURM_LAUNCH_SRUN] = "srun", [SLURM_LAUNCH_MPIRUN] = "mpirun", NULL};

#define FIELD(name) offsetof(struct slurm_settings, name)
const struct setting slurm_settings_table[] = {
    {"partition", SETTING_TEXT, FIELD(partition), 0, 0, 0, NULL, NULL,
     "where the jobs run; absent: the cluster's default"},
    {"account", SETTING_TEXT, FIELD(account), 0, 0, 0, NULL, NULL, "whose share of the cluster they use"},
    {"time", SETTING_TEXT, FIELD(time), 0, 0, 0, NULL, NULL,
     "time limit of a job, such as 4:00:00; what is not done by then goes on in the next"},
    {"nodes", SETTING_COUNT, FIELD(nodes), 1, 1, 1e5, NULL, NULL, "nodes of an array task, or of the job"},
    {"tasks_per_node", SETTING_COUNT, FIELD(tasks_per_node), 0, 0, 1e5, NULL, NULL,
     "MPI ranks on each node; 0: as many as ranks_per_cell needs"},
    {"cpus_per_task", SETTING_COUNT, FIELD(cpus_per_task), 0, 0, 1e5, NULL, NULL,
     "cores, and threads, of each rank; 0: not asked for"},
    {"gpus_per_node", SETTING_COUNT, FIELD(gpus_per_node), 0, 0, 1e5, NULL, NULL,
     "GPUs of each node; 0: not asked for"},
    {"throttle", SETTING_COUNT, FIELD(throttle), 0, 0, 1e6, NULL, NULL,
     "array tasks that run at the same time, at most; 0: no limit"},
    {"mode", SETTING_CHOICE, FIELD(mode), SLURM_MODE_ARRAY, 0, 0, modes, NULL,
     "a job array with a cell (or cells that wait for each other) a task, or one job that shares out the "
     "cells"},
    {"launch", SETTING_CHOICE, FIELD(launch), SLURM_LAUNCH_AUTO, 0, 0, launches, NULL,
     "what starts the ranks; auto: srun --mpi=pmix where Slurm has it, else mpirun"},
    {"max_requeues", SETTING_COUNT, FIELD(max_requeues), 50, 0, 1e6, NULL, NULL,
     "times that a job puts itself back into the queue, at most"},
    {"signal_seconds", SETTING_COUNT, FIELD(signal_seconds), 120, 1, 65535, NULL, NULL,
     "seconds before the time limit at which the ranks save their state and the job goes back to the queue"},
    {"program", SETTING_TEXT, FIELD(program), 0, 0, 0, NULL, NULL,
     "the adapt to run on the nodes; absent: the one that submits"},
    {0},
};
#undef FIELD

/* A value of an #SBATCH line, which sbatch reads up to the next space, with rules of its own for quotes,
 * backslashes and #. */
static const char *word_problem(const char *text) {
    if (!*text) return "empty (leave it out instead)";
    if (*text == '-') return "begins with a dash";
    for (; *text; text++)
        if (!isascii((unsigned char)*text) || !(isalnum((unsigned char)*text) || strchr("._+-:,@/=", *text)))
            return "holds a character that cannot stand in a job script's #SBATCH line (letters, digits and "
                   "._+-:,@/= are expected)";
    return NULL;
}

static const char *time_problem(const char *text) {
    static const char expected[] = "not a time limit (minutes, minutes:seconds, hours:minutes:seconds, "
                                   "days-hours, days-hours:minutes or "
                                   "days-hours:minutes:seconds is expected)";
    int digits = 0, colons = 0, dashes = 0;
    if (!strcasecmp(text, "UNLIMITED") || !strcasecmp(text, "INFINITE")) return NULL;
    for (; *text; text++) {
        if (isdigit((unsigned char)*text)) {
            digits++;
            continue;
        }
        bool dash = *text == '-', colon = *text == ':';
        if ((!dash && !colon) || !digits || (dash && (dashes || colons))) return expected;
        dashes += dash;
        colons += colon;
        digits = 0;
    }
    return digits && colons <= 2 ? NULL : expected;
}

/* A whole option, such as --constraint="a&b": sbatch's own rules, on one line. */
static const char *extra_problem(const char *line) {
    if (line[0] != '-' || !line[1] || isspace((unsigned char)line[1]))
        return "not an option of sbatch (such as --qos=long)";
    for (; *line; line++)
        if ((unsigned char)*line < ' ' || *line == 127)
            return "holds a line break or another control character";
    return NULL;
}

void slurm_settings_check(const struct slurm_settings *settings,
                          void (*note)(void *context, const char *key, const char *problem), void *context) {
    const struct {
        const char *key, *problem;
    } words[] = {
        {"partition", settings->partition ? word_problem(settings->partition) : NULL},
        {"account", settings->account ? word_problem(settings->account) : NULL},
        {"time", settings->time ? time_problem(settings->time) : NULL},
        {"program", settings->program && !*settings->program ? "empty (leave it out instead)" : NULL},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i].problem) note(context, words[i].key, words[i].problem);
    for (int i = 0; i < settings->extra_count; i++) {
        char key[32];
        const char *problem = extra_problem(settings->extra[i]);
        snprintf(key, sizeof key, "extra[%d]", i);
        if (problem) note(context, key, problem);
    }
}
