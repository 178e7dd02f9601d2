/* The text of the job scripts that `adapt submit` writes: plain bash, to be read and edited by whoever
 * submits them. */
#ifndef ADAPT_SLURM_JOB_SCRIPT_H
#define ADAPT_SLURM_JOB_SCRIPT_H

#include "base/text.h"
#include "slurm/settings.h"

/* What is run. Paths are absolute, of any bytes; lists of cells are selections such as "3,5-8". */
struct job_script {
    const char *name;       /* of the experiment: letters, digits and ._+- */
    const char *experiment; /* its file */
    const char *folder;     /* the file's folder, where setup lines start */
    const char *out;        /* the archive's folder */
    const char *program;    /* adapt */
    const char *const *cells;
    int count; /* of `cells`: array tasks; of SLURM_MODE_JOB: 1 */
    long long tasks_per_node;
    const struct slurm_settings *settings;
};

/* Appends the script of the sweep. The settings have passed slurm_settings_check. */
int job_script_sweep(const struct job_script *job, struct text *out, struct error *err);

/* Appends the script that collects what the sweep left, and says what is missing. */
int job_script_collect(const struct job_script *job, struct text *out, struct error *err);

#endif
