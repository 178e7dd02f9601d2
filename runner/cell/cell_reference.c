/* The losses that an objective compares with: an earlier cell's last ones, a file's, or those before the
 * first step. */
#include "runner/cell/cell_internal.h"

#include "base/memory.h"
#include "io/file.h"
#include "runner/cell/reference_file.h"
#include <string.h>

/* The last set point of an earlier cell. */
static int reference_from_cell(struct cell_run *run, struct error *err) {
    const struct experiment *experiment = run->job->experiment;
    const struct cell *cell = &run->job->grid->cells[run->job->cell->reference];
    struct archive_cell_key key = grid_cell_key(experiment, cell);
    struct archive_reader *reader = NULL;
    struct archive_cell_summary summary;
    char *path = NULL;
    double *loss = NULL;
    int64_t rows = 0, columns = 0;
    int code = archive_cell_path(experiment->out, &key, &path, err);
    if (!code && !file_exists(path))
        code = error_set(err, ERROR_INPUT,
                         "%s: the cell that this one compares with has not run (run cell %d first)", path,
                         cell->index);
    if (!code) code = archive_reader_open(path, &reader, err);
    if (!code) code = archive_reader_summary(reader, &summary, err);
    if (!code && summary.state != ARCHIVE_DONE)
        code = error_set(err, ERROR_INPUT, "%s: the cell that this one compares with is %s, not done", path,
                         archive_state_name(summary.state));
    if (!code) code = archive_reader_validation(reader, "loss", &loss, &rows, &columns, err);
    if (!code && (rows < 1 || columns != run->tasks))
        code = error_set(err, ERROR_INPUT, "%s: %lld x %lld validation losses (%d tasks expected)", path,
                         (long long)rows, (long long)columns, run->tasks);
    if (!code) memcpy(run->reference, loss + (rows - 1) * columns, (size_t)run->tasks * sizeof(double));
    memory_free(loss);
    memory_free(path);
    archive_reader_close(&reader);
    return code;
}

static int find_reference(struct cell_run *run, struct error *err) {
    const struct experiment_method *method = &run->job->experiment->methods[run->job->cell->method];
    if (run->job->cell->reference >= 0) return reference_from_cell(run, err);
    if (method->reference_losses && strcmp(method->reference_losses, "start"))
        return reference_file_read(method->reference_losses, run->tasks, run->task_name, run->reference, err);
    memcpy(run->reference, run->loss, (size_t)run->tasks * sizeof(double));
    return 0;
}

int cell_find_reference(struct cell_run *run, struct error *err) {
    const struct method_signal_plan *plan = mixture_plan(run->mixture);
    if (!(plan->needs & (METHOD_NEEDS_REFERENCE_LOSS | METHOD_NEEDS_INITIAL_LOSS))) return 0;
    /* The initial losses are needed even where no set point asks for them. */
    bool measured = run->set_point > 0 && run->step == 0;
    if (!measured) TRY(trainer_validate(run->trainer, run->loss, err));
    int code = cell_coordinates(run) ? find_reference(run, err) : 0;
    TRY(group_agree(run->job->group, code, err));
    TRY(group_broadcast(run->job->group, run->reference, (size_t)run->tasks, err));
    return mixture_set_reference(run->mixture, run->reference, err);
}
