/* The benchmarks of a cell: at set points of its training, and at its end. */
#include "runner/cell/cell_internal.h"

#include "base/memory.h"
#include "runner/cell/cell_checkpoint.h"
#include "runner/cell/cell_kept.h"
#include "runner/evaluation.h"

static int keep_result(struct cell_run *run, const struct eval_result *result,
                       const struct eval_settings *settings, double share, struct error *err) {
    struct archive_evaluation evaluation;
    struct arena *arena;
    TRY(arena_create(&arena, err));
    int code = evaluation_convert(result, settings, arena, &evaluation, err);
    evaluation.step = run->step;
    evaluation.share = share;
    if (!code) code = cell_kept_add(run, &evaluation, err);
    arena_destroy(&arena);
    return code;
}

/* Between the passes of an evaluation. */
static int go_on(void *context, struct error *err) {
    struct cell_run *run = context;
    watchdog_mark(run->watchdog);
    return stop_signalled(run->job->stop) ? error_set(err, ERROR_STOPPED, "stopped by a signal") : 0;
}

/* One benchmark. Some ranks may see the signal, and the others only that these gave up. */
static int measure(struct cell_run *run, const struct eval_model *model, const struct eval_settings *settings,
                   int benchmark, double share, struct error *err) {
    const struct cell_job *job = run->job;
    struct group group = *job->group;
    struct eval_peers peers = evaluation_peers(&group);
    struct eval_task task = evaluation_task(&job->experiment->evaluation.benchmarks[benchmark]);
    struct eval_result *result = NULL;
    watchdog_mark(run->watchdog);
    int code = eval_run(&task, model, settings, &peers, &result, err);
    if (!code && cell_coordinates(run)) code = keep_result(run, result, settings, share, err);
    eval_result_destroy(&result);
    bool unfinished = code == ERROR_STOPPED || stop_wanted(job->stop);
    int vote = -(int)unfinished;
    code = group_agree_least(job->group, code, &vote, 1, err);
    if (vote && job->group->size > 1 && code && code != ERROR_STOPPED)
        code = error_set(err, ERROR_STOPPED, "stopped by a signal");
    if (!code && vote) code = error_set(err, ERROR_STOPPED, "stopped by a signal");
    return code;
}

/* Benchmarks that an earlier attempt has measured with these weights are not measured again. */
static int evaluate(struct cell_run *run, const struct evaluation_point *point, struct error *err) {
    const struct cell_job *job = run->job;
    const struct evaluation_settings *evaluation = &job->experiment->evaluation;
    struct eval_model model = {.backend = job->backend,
                               .config = &job->model->config,
                               .layout = job->model->layout,
                               .parameters = trainer_parameters(run->trainer),
                               .tokenizer = job->model->tokenizer,
                               .between = go_on,
                               .between_context = run};
    struct eval_settings settings = evaluation->settings;
    if (point->limit) settings.limit = point->limit;
    for (int i = 0; i < evaluation->benchmark_count; i++) {
        double kept =
            cell_coordinates(run) && cell_kept_has(run, point->share, evaluation->benchmarks[i].name);
        TRY(group_broadcast(job->group, &kept, 1, err));
        if (kept == 0.0) TRY(measure(run, &model, &settings, i, point->share, err));
    }
    watchdog_mark(run->watchdog);
    return 0;
}

int cell_evaluate_reached(struct cell_run *run, struct error *err) {
    const struct evaluation_settings *evaluation = &run->job->experiment->evaluation;
    const struct evaluation_point *reached = NULL;
    int before = run->eval_point;
    if (run->step == 0) return 0;
    while (run->eval_point < evaluation->at_count && evaluation->at[run->eval_point].share < 1) {
        const struct evaluation_point *point = &evaluation->at[run->eval_point];
        if ((double)ledger_charged(&run->ledger) < point->share * (double)run->ledger.budget) break;
        reached = point; /* of several that one step passes, the last: they would all measure the same */
        run->eval_point++;
    }
    if (!reached) return 0;
    int code = evaluate(run, reached, err);
    if (code != ERROR_STOPPED) return code;
    run->eval_point = before; /* an attempt that goes on comes here again */
    struct error why = {0};
    code = cell_checkpoint_write(run, &why);
    if (code) *err = why;
    return code ? code : ERROR_STOPPED;
}

int cell_evaluate_end(struct cell_run *run, struct error *err) {
    const struct evaluation_settings *evaluation = &run->job->experiment->evaluation;
    const struct evaluation_point *last = &evaluation->at[evaluation->at_count - 1];
    return last->share < 1 ? 0 : evaluate(run, last, err);
}
