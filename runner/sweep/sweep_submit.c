/* The scripts' way into the queue, and the note of which jobs they became. */
#include "runner/sweep/sweep.h"

#include "base/memory.h"
#include "io/file.h"
#include "slurm/queue.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { JOBS_BYTES_MAX = 1 << 20 };

static int write_script(const char *folder, const char *name, const struct text *script, char **path,
                        struct error *err) {
    TRY(file_join(folder, name, path, err));
    return file_write(*path, script->data, script->length, err);
}

int sweep_read_jobs(const char *folder, struct text *out, struct error *err) {
    char *path;
    TRY(file_join(folder, "slurm/jobs", &path, err));
    int code = file_exists(path) ? file_read(path, JOBS_BYTES_MAX, out, err) : 0;
    memory_free(path);
    return code;
}

bool sweep_has_job(const char *jobs, long long id) {
    while (*jobs) {
        char *end;
        long long found = strtoll(jobs, &end, 10);
        if (end != jobs && (*end == ' ' || *end == '\n') && found == id) return true;
        jobs += strcspn(jobs, "\n");
        jobs += *jobs == '\n';
    }
    return false;
}

static int note_jobs(const char *out, const struct sweep_ids *ids, struct error *err) {
    struct text jobs = {0};
    char *path;
    TRY(file_join(out, "slurm/jobs", &path, err));
    int code = sweep_read_jobs(out, &jobs, err);
    if (!code) code = text_printf(&jobs, err, "%s sweep\n", ids->sweep);
    if (!code && ids->collect[0]) code = text_printf(&jobs, err, "%s collect\n", ids->collect);
    if (!code) code = file_write(path, jobs.data, jobs.length, err);
    text_free(&jobs);
    memory_free(path);
    return code;
}

/* After "afterany", not "afterok": the collection also has to say what a failed sweep lacks. */
static int submit_both(const char *folder, const struct sweep *sweep, char *paths[2], struct sweep_ids *ids,
                       struct error *err) {
    TRY(file_make_folder(folder, err));
    TRY(write_script(folder, "sweep.sh", &sweep->script, &paths[0], err));
    TRY(write_script(folder, "collect.sh", &sweep->collect, &paths[1], err));
    TRY(queue_submit(folder, paths[0], NULL, ids->sweep, err));
    return queue_submit(folder, paths[1], ids->sweep, ids->collect, err);
}

int sweep_submit(const struct experiment *experiment, const struct sweep *sweep, struct sweep_ids *ids,
                 struct error *err) {
    char *out = NULL, *folder = NULL, *paths[2] = {NULL, NULL};
    *ids = (struct sweep_ids){0};
    TRY(file_make_folder(experiment->out, err));
    out = realpath(experiment->out, NULL);
    if (!out) return error_set_errno(err, "%s", experiment->out);
    int code = file_join(out, "slurm", &folder, err);
    if (!code) code = submit_both(folder, sweep, paths, ids, err);
    struct error late = {0};
    if (ids->sweep[0] && note_jobs(out, ids, &late) && !code) {
        code = late.code;
        if (err) *err = late;
    }
    for (int i = 0; i < 2; i++) memory_free(paths[i]);
    memory_free(folder);
    free(out);
    return code;
}
