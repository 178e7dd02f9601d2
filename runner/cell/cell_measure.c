/* What a cell measures beside its steps: validation losses at set points, and the checkpoint worth keeping.
 */
#include "runner/cell/cell_internal.h"

#include "base/memory.h"
#include "io/file.h"
#include <math.h>
#include <string.h>

static int save_model(struct cell_run *run, struct error *err) {
    const struct loaded_model *model = run->job->model;
    TRY(file_make_folder(run->model_folder, err));
    TRY(file_remove_temporary(run->model_folder, err)); /* of one that was killed here; the cell is claimed */
    TRY(parameters_save(run->job->experiment->keep_dtype, model->entry->path, run->model_folder,
                        model->layout, run->job->backend, trainer_parameters(run->trainer), err));
    run->saved = true;
    return 0;
}

/* The coordinator's part of a set point: the row, and the checkpoint if it is the best so far. */
static int record(struct cell_run *run, struct error *err) {
    const struct experiment *experiment = run->job->experiment;
    struct archive_validation row = {.step = run->step,
                                     .supervised_tokens = run->ledger.sum[LEDGER_TRAINING],
                                     .loss = run->loss,
                                     .worst = -INFINITY};
    for (int k = 0; k < run->tasks; k++) {
        if (run->loss[k] > row.worst) row.worst = run->loss[k];
        row.mean += run->loss[k] / run->tasks;
    }
    TRY(archive_cell_append_validation(run->archive, &row, err));
    run->validations++;
    TRY(archive_cell_flush(run->archive, err));
    double score = experiment->best == BEST_WORST ? row.worst : row.mean;
    if (experiment->keep != KEEP_BEST || !(score < run->best)) return 0;
    run->best = score;
    return save_model(run, err);
}

int cell_measure_reached(struct cell_run *run, bool end, struct error *err) {
    const struct evaluation_settings *settings = &run->job->experiment->evaluation;
    bool reached = false;
    while (run->set_point < settings->validation_count) {
        double charged = (double)ledger_charged(&run->ledger);
        double wanted = settings->validation_at[run->set_point] * (double)run->ledger.budget;
        if (!end && charged < wanted) break;
        run->set_point++;
        reached = true;
    }
    if (!reached) return 0;
    double outside_steps[PHASE_COUNT];
    TRY(trainer_validate(run->trainer, run->loss, err));
    trainer_take_phases(run->trainer, outside_steps); /* the next step's row tells that step's time alone */
    int code = cell_coordinates(run) ? record(run, err) : 0;
    return group_agree(run->job->group, code, err);
}

int cell_keep_last(struct cell_run *run, struct error *err) {
    if (run->job->experiment->keep != KEEP_LAST) return 0;
    int code = cell_coordinates(run) ? save_model(run, err) : 0;
    return group_agree(run->job->group, code, err);
}
