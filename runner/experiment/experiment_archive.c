/* The archive that an experiment's cells are collected in. */
#include "runner/experiment/experiment.h"

#include <stdio.h>
#include <unistd.h>

/* The grid's axes as the archive wants them. */
static int take_axes(const struct experiment *experiment, struct arena *arena, struct archive_grid_axes *out,
                     struct error *err) {
    const struct evaluation_settings *evaluation = &experiment->evaluation;
    const int counts[4] = {experiment->model_count, experiment->budget_count, experiment->method_count,
                           evaluation->benchmark_count};
    const char **names[4], **category, **metric;
    double *fraction;
    for (int i = 0; i < 4; i++)
        TRY(arena_alloc(arena, &names[i], (size_t)counts[i] + 1, sizeof(char *), err));
    TRY(arena_alloc(arena, &category, (size_t)counts[3] + 1, sizeof(char *), err));
    TRY(arena_alloc(arena, &metric, (size_t)counts[3] + 1, sizeof(char *), err));
    TRY(arena_alloc(arena, &fraction, (size_t)counts[1] + 1, sizeof(double), err));
    for (int i = 0; i < counts[0]; i++) names[0][i] = experiment->models[i].name;
    for (int i = 0; i < counts[1]; i++) {
        names[1][i] = experiment->budgets[i].name;
        fraction[i] = experiment->budgets[i].fraction;
    }
    for (int i = 0; i < counts[2]; i++) names[2][i] = experiment->methods[i].name;
    for (int i = 0; i < counts[3]; i++) {
        names[3][i] = evaluation->benchmarks[i].name;
        category[i] = eval_category(names[3][i]);
        metric[i] = eval_headline(names[3][i]);
    }
    *out = (struct archive_grid_axes){.models = counts[0],
                                      .budgets = counts[1],
                                      .methods = counts[2],
                                      .seeds = experiment->seed_count,
                                      .benchmarks = counts[3],
                                      .model = names[0],
                                      .budget = names[1],
                                      .method = names[2],
                                      .benchmark = names[3],
                                      .benchmark_category = category,
                                      .benchmark_metric = metric,
                                      .seed = experiment->seeds,
                                      .fraction = fraction};
    return 0;
}

static int write_archive(const struct experiment *e, const char *const *broken, struct archive_run *about,
                         struct arena *arena, struct error *err) {
    struct archive_grid_axes axes;
    TRY(take_axes(e, arena, &axes, err));
    axes.broken = broken;
    return archive_experiment_write(e->out, about, &axes, err);
}

int experiment_write_archive(const struct experiment *experiment, const char *backend, int ranks, int threads,
                             const char *const *broken, struct error *err) {
    char host[256] = "unknown";
    struct arena *arena;
    gethostname(host, sizeof host - 1);
    struct archive_run about = {.experiment = experiment->name,
                                .path = experiment->path,
                                .config = experiment->text,
                                .backend = backend,
                                .host = host,
                                .ranks = ranks,
                                .threads = threads};
    TRY(arena_create(&arena, err));
    int code = write_archive(experiment, broken, &about, arena, err);
    arena_destroy(&arena);
    return code;
}
