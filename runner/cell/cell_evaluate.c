/* The benchmarks of a cell: at set points of its training, and at its end. */
#include "runner/cell/cell_internal.h"

#include "base/memory.h"
#include "runner/evaluation.h"

static int keep_result(struct cell_run *run, const struct eval_result *result,
                       const struct eval_settings *settings, double share, struct error *err) {
    struct archive_evaluation evaluation;
    struct arena *arena;
    TRY(arena_create(&arena, err));
    int code = evaluation_convert(result, settings, arena, &evaluation, err);
    evaluation.step = run->step;
    evaluation.share = share;
    if (!code) code = archive_cell_add_evaluation(run->archive, &evaluation, err);
    arena_destroy(&arena);
    return code;
}

static int evaluate(struct cell_run *run, const struct evaluation_point *point, struct error *err) {
    const struct cell_job *job = run->job;
    const struct evaluation_settings *evaluation = &job->experiment->evaluation;
    struct eval_model model = {.backend = job->backend,
                               .config = &job->model->config,
                               .layout = job->model->layout,
                               .parameters = trainer_parameters(run->trainer),
                               .tokenizer = job->model->tokenizer};
    struct group group = *job->group;
    struct eval_peers peers = evaluation_peers(&group);
    struct eval_settings settings = evaluation->settings;
    if (point->limit) settings.limit = point->limit;
    for (int i = 0; i < evaluation->benchmark_count; i++) {
        struct eval_task task = evaluation_task(&evaluation->benchmarks[i]);
        struct eval_result *result = NULL;
        int code = eval_run(&task, &model, &settings, &peers, &result, err);
        if (!code && cell_coordinates(run)) code = keep_result(run, result, &settings, point->share, err);
        eval_result_destroy(&result);
        TRY(group_agree(job->group, code, err));
    }
    return 0;
}

int cell_evaluate_reached(struct cell_run *run, struct error *err) {
    const struct evaluation_settings *evaluation = &run->job->experiment->evaluation;
    const struct evaluation_point *reached = NULL;
    while (run->eval_point < evaluation->at_count && evaluation->at[run->eval_point].share < 1) {
        const struct evaluation_point *point = &evaluation->at[run->eval_point];
        if ((double)ledger_charged(&run->ledger) < point->share * (double)run->ledger.budget) break;
        reached = point; /* of several that one step passes, the last: they would all measure the same */
        run->eval_point++;
    }
    return reached ? evaluate(run, reached, err) : 0;
}

int cell_evaluate_end(struct cell_run *run, struct error *err) {
    const struct evaluation_settings *evaluation = &run->job->experiment->evaluation;
    const struct evaluation_point *last = &evaluation->at[evaluation->at_count - 1];
    return last->share < 1 ? 0 : evaluate(run, last, err);
}
