/* What a sweep asks Slurm for: the section "slurm" of the experiment file, and the options of `adapt submit`.
 */
#ifndef ADAPT_SLURM_SETTINGS_H
#define ADAPT_SLURM_SETTINGS_H

#include "base/setting.h"

enum slurm_mode {
    SLURM_MODE_ARRAY, /* a job array, a cell (or a chain of cells that wait for each other) a task */
    SLURM_MODE_JOB    /* one job whose groups of ranks share out the cells */
};
enum slurm_launch { SLURM_LAUNCH_AUTO, SLURM_LAUNCH_SRUN, SLURM_LAUNCH_MPIRUN };

struct slurm_settings {
    const char *partition, *account, *time; /* NULL: the cluster's default */
    long long nodes;                        /* of a task of the array, or of the job */
    long long tasks_per_node;               /* 0: as many as hold one cell's ranks */
    long long cpus_per_task, gpus_per_node; /* 0: not asked for */
    long long throttle;                     /* array tasks at a time; 0: as many as the cluster starts */
    int mode;                               /* enum slurm_mode */
    int launch;                             /* enum slurm_launch */
    long long max_requeues;
    long long signal_seconds; /* before the time limit */
    const char *program;      /* adapt on the nodes; NULL: the one that submits */
    const char **setup;       /* lines of shell, the user's own, [setup_count] */
    const char **extra;       /* what follows "#SBATCH ", [extra_count] */
    int setup_count, extra_count;
};

/* The rows of all but `setup` and `extra`. */
extern const struct setting slurm_settings_table[];

/* Tells every value that cannot stand in a job script: `note` gets the key ("extra[2]") and what is wrong. */
void slurm_settings_check(const struct slurm_settings *settings,
                          void (*note)(void *context, const char *key, const char *problem), void *context);

#endif
