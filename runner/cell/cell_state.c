#include "runner/cell/cell_state.h"

#include "base/memory.h"
#include <math.h>
#include <string.h>

enum { COUNTERS, BEST, SHARE, LOSS, MIXTURE, SAMPLER, LEDGER, WATCH };
static const char *const names[CELL_SECTIONS] = {"counters", "best",    "share",  "loss",
                                                 "mixture",  "sampler", "ledger", "watch"};
enum {
    COUNTER_STEP,
    COUNTER_UPDATES,
    COUNTER_LAST_UPDATE,
    COUNTER_SET_POINT,
    COUNTER_EVAL_POINT,
    COUNTER_VALIDATIONS,
    COUNTER_SAVED,
    COUNTER_OPTIMIZER_STEPS,
    COUNTER_COUNT
};

/* Words of each section; the watch is the coordinator's alone. */
static void find_sizes(const struct cell_run *run, size_t size[CELL_SECTIONS]) {
    size_t tasks = (size_t)run->tasks;
    size[COUNTERS] = COUNTER_COUNT;
    size[BEST] = 1;
    size[SHARE] = size[LOSS] = tasks;
    size[MIXTURE] = mixture_state_count(run->mixture);
    size[SAMPLER] = sampler_state_words(run->sampler);
    size[LEDGER] = ledger_state_words(run->tasks);
    size[WATCH] = watch_state_words(run->tasks);
}

int cell_state_room(const struct cell_run *run, struct arena *arena, struct manifest_section *sections,
                    struct error *err) {
    size_t size[CELL_SECTIONS];
    find_sizes(run, size);
    for (int i = 0; i < CELL_SECTIONS; i++) {
        sections[i] = (struct manifest_section){.name = names[i], .count = size[i]};
        TRY(arena_alloc(arena, &sections[i].words, size[i], sizeof(uint64_t), err));
    }
    return 0;
}

void cell_state_save(const struct cell_run *run, struct manifest_section *sections) {
    size_t tasks = (size_t)run->tasks;
    const int64_t counters[COUNTER_COUNT] = {
        [COUNTER_STEP] = run->step,
        [COUNTER_UPDATES] = run->updates,
        [COUNTER_LAST_UPDATE] = run->last_update,
        [COUNTER_SET_POINT] = run->set_point,
        [COUNTER_EVAL_POINT] = run->eval_point,
        [COUNTER_VALIDATIONS] = run->validations,
        [COUNTER_SAVED] = run->saved,
        [COUNTER_OPTIMIZER_STEPS] = trainer_state(run->trainer).optimizer.steps,
    };
    memcpy(sections[COUNTERS].words, counters, sizeof counters);
    memcpy(sections[BEST].words, &run->best, 8);
    memcpy(sections[SHARE].words, run->share, 8 * tasks);
    memcpy(sections[LOSS].words, run->loss, 8 * tasks);
    /* Doubles and words are of one size and alignment. */
    mixture_state_save(run->mixture, (double *)(void *)sections[MIXTURE].words);
    sampler_save(run->sampler, sections[SAMPLER].words);
    ledger_save(&run->ledger, sections[LEDGER].words);
    watch_save(run->watch, sections[WATCH].words);
}

static int load_counters(struct cell_run *run, const uint64_t *words, struct error *err) {
    const struct evaluation_settings *evaluation = &run->job->experiment->evaluation;
    int64_t counters[COUNTER_COUNT];
    memcpy(counters, words, sizeof counters);
    bool sound = counters[COUNTER_SET_POINT] <= evaluation->validation_count &&
                 counters[COUNTER_EVAL_POINT] <= evaluation->at_count;
    for (int i = 0; i < COUNTER_COUNT; i++)
        sound = sound && counters[i] >= (i == COUNTER_LAST_UPDATE ? -1 : 0);
    if (!sound) return error_set(err, ERROR_INPUT, "the checkpoint's counters are none of this cell");
    run->step = counters[COUNTER_STEP];
    run->updates = counters[COUNTER_UPDATES];
    run->last_update = counters[COUNTER_LAST_UPDATE];
    run->set_point = (int)counters[COUNTER_SET_POINT];
    run->eval_point = (int)counters[COUNTER_EVAL_POINT];
    run->validations = counters[COUNTER_VALIDATIONS];
    run->saved = counters[COUNTER_SAVED];
    trainer_set_steps(run->trainer, counters[COUNTER_OPTIMIZER_STEPS]);
    return 0;
}

int cell_state_load(struct cell_run *run, const struct manifest *manifest, struct error *err) {
    const struct manifest_section *section[CELL_SECTIONS];
    size_t size[CELL_SECTIONS], tasks = (size_t)run->tasks;
    find_sizes(run, size);
    for (int i = 0; i < CELL_SECTIONS; i++) TRY(manifest_find(manifest, names[i], size[i], &section[i], err));
    TRY(load_counters(run, section[COUNTERS]->words, err));
    memcpy(&run->best, section[BEST]->words, 8);
    memcpy(run->share, section[SHARE]->words, 8 * tasks);
    memcpy(run->loss, section[LOSS]->words, 8 * tasks);
    TRY(mixture_state_load(run->mixture, (const double *)(const void *)section[MIXTURE]->words, size[MIXTURE],
                           err));
    TRY(sampler_restore(run->sampler, section[SAMPLER]->words, err));
    TRY(ledger_restore(&run->ledger, section[LEDGER]->words, err));
    if (run->watch) watch_restore(run->watch, section[WATCH]->words);
    return 0;
}
