/* The steps of a cell: draw, train, learn the mixture, book, log. */
#include "runner/cell/cell_internal.h"

#include "base/clock.h"
#include "base/memory.h"
#include "runner/cell/cell_checkpoint.h"
#include <math.h>
#include <string.h>

static const double FLUSH_SECONDS = 1.0; /* a kill loses at most the rows of about this long */

/* The mixture in shares of supervised tokens: itself, or weighted by completion length where p counts
 * examples. */
static void find_token_share(struct cell_run *run) {
    bool by_token = run->job->experiment->training.unit == SAMPLER_TOKEN;
    double sum = 0.0;
    for (int k = 0; k < run->tasks; k++) {
        run->token_share[k] = run->share[k] * (by_token ? 1.0 : run->mean_completion[k]);
        sum += run->token_share[k];
    }
    for (int k = 0; k < run->tasks; k++) run->token_share[k] /= sum;
}

/* Every task has an example among the draws. */
static bool covers_all_tasks(const struct cell_run *run, const struct draw_list *draws) {
    int covered = 0;
    for (int k = 0; k < run->tasks; k++) {
        bool found = false;
        for (int i = 0; i < draws->count && !found; i++) found = draws->draws[i].task == k;
        covered += found;
    }
    return covered == run->tasks;
}

static int book(struct cell_run *run, const struct trainer_step *step, const struct draw_list *draws,
                struct error *err) {
    for (int k = 0; k < run->tasks; k++) {
        TRY(ledger_add(&run->ledger, LEDGER_TRAINING, k, step->task_tokens[k], err));
        if (step->validation_tokens)
            TRY(ledger_add(&run->ledger, LEDGER_VALIDATION, k, step->validation_tokens[k], err));
    }
    run->ledger.fed += draws->tokens;
    return 0;
}

static void warn_if_captured(struct cell_run *run, const double *validation_loss) {
    int task = watch_update(run->watch, run->share, validation_loss);
    if (task < 0 || !run->job->progress) return;
    double share_from, share_to, loss_from, loss_to;
    watch_explain(run->watch, task, &share_from, &share_to, &loss_from, &loss_to);
    progress_say(
        run->job->progress,
        "warning: task \"%s\" gained share (%.3f to %.3f) over %d updates while its validation loss did not "
        "fall (%.3f to %.3f)",
        run->task_name[task], share_from, share_to, WATCH_WINDOW, loss_from, loss_to);
}

/* The coordinator learns from the signal; everyone gets its mixture. */
static int learn(struct cell_run *run, const struct trainer_step *step, double rate, struct error *err) {
    int code = 0;
    if (cell_coordinates(run)) {
        struct method_signal signal = {rate, step->validation_loss, step->alignment};
        code = mixture_update(run->mixture, &signal, err);
        if (!code) {
            memcpy(run->share, mixture_shares(run->mixture), (size_t)run->tasks * sizeof(double));
            warn_if_captured(run, step->validation_loss);
        }
    }
    TRY(group_agree(run->job->group, code, err));
    run->updates++;
    run->last_update = run->step;
    return group_broadcast(run->job->group, run->share, (size_t)run->tasks, err);
}

/* Fills in the seconds of a row: what the trainer has counted, `learning`, the writing of the last row, and
 * the rest. */
static void describe_time(struct cell_run *run, double seconds, double learning, struct archive_step *row) {
    double *phase = row->phase_seconds, rest = row->seconds = seconds + run->archive_seconds;
    trainer_take_phases(run->trainer, phase);
    phase[PHASE_MIXTURE] += learning;
    phase[PHASE_ARCHIVE] = run->archive_seconds;
    for (int i = 0; i < PHASE_COUNT; i++) rest -= phase[i];
    phase[PHASE_OTHER] += fmax(rest, 0.0);
}

/* The row of this step; `share` is the mixture the step was drawn from. */
static int log_step(struct cell_run *run, const struct trainer_step *step, double rate, const double *share,
                    double seconds, double learning, struct error *err) {
    const struct ledger *ledger = &run->ledger;
    struct mixture_view view = mixture_view(run->mixture);
    struct archive_step row = {.step = run->step,
                               .supervised_tokens = ledger->sum[LEDGER_TRAINING],
                               .validation_tokens = ledger->sum[LEDGER_VALIDATION],
                               .probe_tokens = ledger->sum[LEDGER_PROBE],
                               .charged_tokens = ledger_charged(ledger),
                               .total_tokens = ledger->fed,
                               .learning_rate = rate,
                               .loss = step->loss,
                               .gradient_norm = step->gradient_norm,
                               .objective = view.objective,
                               .entropy = view.entropy,
                               .signal_age = run->last_update < 0 ? -1 : run->step - run->last_update,
                               .mixture = share,
                               .logits = view.logits,
                               .alignment = step->alignment,
                               .meta_gradient = step->alignment ? view.meta_gradient : NULL,
                               .train_loss = step->task_loss,
                               .validation_loss = step->validation_loss,
                               .task_tokens = ledger->spent[LEDGER_TRAINING],
                               .task_validation_tokens = ledger->spent[LEDGER_VALIDATION]};
    describe_time(run, seconds, learning, &row);
    double began = clock_seconds();
    TRY(archive_cell_append_step(run->archive, &row, err));
    if (began - run->flushed >= FLUSH_SECONDS) {
        run->flushed = began;
        TRY(archive_cell_flush(run->archive, err));
    }
    run->archive_seconds = clock_seconds() - began;
    return 0;
}

/* One step and the vote that ends it; *spent says that the budget is used up. */
static int take_step(struct cell_run *run, double *drawn_share, int *vote, bool *spent, struct error *err) {
    const struct training_settings *training = &run->job->experiment->training;
    double started = clock_seconds();
    int64_t remaining = ledger_remaining(&run->ledger);
    bool update = mixture_due(run->mixture, run->step);
    int64_t cost = update ? trainer_update_cost(run->trainer, run->sampler, run->updates) : 0;
    if (!training->validation_charged) cost = 0;
    if (cost >= remaining) update = false;
    struct draw_list draws;
    int probe = update ? (int)mixture_plan(run->mixture)->probe : 0;
    TRY(sampler_step(run->sampler, run->share, probe, training->batch_tokens,
                     update ? remaining - cost : remaining, &draws, err));
    *spent = draws.exhausted;
    cell_checkpoint_vote(run, vote);
    if (draws.count == 0) return group_agree_least(run->job->group, 0, vote, CELL_VOTES, err);
    update = update && covers_all_tasks(run, &draws);

    double middle = (double)ledger_charged(&run->ledger) + 0.5 * (double)draws.supervised;
    double rate = optimizer_rate(&training->optimizer, middle / (double)run->ledger.budget);
    struct trainer_step step;
    memcpy(drawn_share, run->share, (size_t)run->tasks * sizeof(double));
    find_token_share(run);
    if (update)
        TRY(trainer_update_step(run->trainer, &draws, run->sampler, run->token_share,
                                &mixture_plan(run->mixture)->worst_case, run->updates, rate, &step, err));
    else
        TRY(trainer_plain_step(run->trainer, &draws, rate, &step, err));
    TRY(book(run, &step, &draws, err));
    double learned = clock_seconds();
    if (update) TRY(learn(run, &step, rate, err));
    double ended = clock_seconds();
    int code = 0;
    if (cell_coordinates(run)) {
        code = log_step(run, &step, rate, drawn_share, ended - started, ended - learned, err);
        progress_step(run->job->progress, run->step, ledger_charged(&run->ledger), run->ledger.fed, step.loss,
                      run->tasks, run->share, run->task_name);
    }
    cell_checkpoint_vote(run, vote);
    TRY(group_agree_least(run->job->group, code, vote, CELL_VOTES, err));
    run->step++;
    return 0;
}

static int start(struct cell_run *run, struct error *err) {
    if (run->step > 0) return 0;
    TRY(cell_measure_reached(run, false, err));
    return cell_find_reference(run, err);
}

static int train(struct cell_run *run, double *drawn_share, struct error *err) {
    int vote[CELL_VOTES] = {0};
    bool spent = false;
    while (!spent) {
        watchdog_mark(run->watchdog);
        /* At the head of the loop, for a checkpoint may have been made before the benchmarks of a set point.
         */
        TRY(cell_evaluate_reached(run, err));
        int code = take_step(run, drawn_share, vote, &spent, err);
        if (code) return error_context(err, "step %lld", (long long)run->step);
        TRY(cell_measure_reached(run, spent, err));
        run->trained = spent;
        TRY(cell_checkpoint_step(run, vote, err));
    }
    return cell_evaluate_reached(run, err);
}

int cell_train(struct cell_run *run, struct error *err) {
    double *drawn_share;
    if (run->trained) return cell_evaluate_reached(run, err);
    TRY(start(run, err));
    TRY(memory_alloc(&drawn_share, (size_t)run->tasks, sizeof(double), err));
    int code = train(run, drawn_share, err);
    memory_free(drawn_share);
    return code;
}
