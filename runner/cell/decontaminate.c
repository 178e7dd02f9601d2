#include "runner/cell/decontaminate.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "eval/overlap/overlap.h"
#include <string.h>

struct decontaminate {
    const struct evaluation_settings *evaluation;
    struct overlap *overlap; /* NULL until the first look */
    struct tasks_filter filter;
    char hash[HASH_HEX_BYTES];
};

/* ---- answers */

/* The first so many records of each file are evaluated at some time; 0: all. */
static long long evaluated_records(const struct evaluation_settings *evaluation) {
    long long most = 0;
    for (int i = 0; i < evaluation->at_count; i++) {
        long long limit = evaluation->at[i].limit ? evaluation->at[i].limit : evaluation->settings.limit;
        if (!limit) return 0;
        most = limit > most ? limit : most;
    }
    return most;
}

static int add_benchmarks(const struct evaluation_settings *evaluation, struct overlap *overlap,
                          struct error *err) {
    long long limit = evaluated_records(evaluation);
    for (int b = 0; b < evaluation->benchmark_count; b++) {
        const struct experiment_benchmark *benchmark = &evaluation->benchmarks[b];
        TRY(overlap_add(overlap, benchmark->name, benchmark->path, limit, err));
    }
    return 0;
}

static int open_overlap(struct decontaminate *d, struct error *err) {
    if (d->overlap) return 0;
    TRY(overlap_create((int)d->evaluation->decontaminate.ngram, &d->overlap, err));
    int code = add_benchmarks(d->evaluation, d->overlap, err);
    if (code) overlap_destroy(&d->overlap);
    return code;
}

static int look(void *context, const char *input, const char *output, uint64_t *sources, struct error *err) {
    struct decontaminate *d = context;
    const char *const texts[] = {input, output};
    TRY(open_overlap(d, err));
    return overlap_look(d->overlap, texts, 2, sources, err);
}

static int describe(void *context, int source, struct tasks_source *out, struct error *err) {
    struct decontaminate *d = context;
    TRY(open_overlap(d, err));
    struct overlap_records records = overlap_records(d->overlap, source);
    *out = (struct tasks_source){d->evaluation->benchmarks[source].name, records.all, records.without,
                                 records.found};
    return 0;
}

/* ---- hash */

static int describe_content(const struct evaluation_settings *evaluation, struct text *out,
                            struct error *err) {
    TRY(text_printf(out, err, "overlap %d ngram %lld limit %lld\n", (int)OVERLAP_VERSION,
                    evaluation->decontaminate.ngram, evaluated_records(evaluation)));
    for (int b = 0; b < evaluation->benchmark_count; b++) {
        char hex[HASH_HEX_BYTES];
        TRY(overlap_content(evaluation->benchmarks[b].path, hex, err));
        TRY(text_printf(out, err, "%s %s\n", evaluation->benchmarks[b].name, hex));
    }
    return 0;
}

static int make_hash(struct decontaminate *d, struct error *err) {
    struct text content = {0};
    int code = describe_content(d->evaluation, &content, err);
    if (!code) code = hash_bytes(content.data, content.length, d->hash, err);
    text_free(&content);
    return code;
}

/* ---- life */

int decontaminate_create(const struct experiment *experiment, struct decontaminate **out, struct error *err) {
    const struct evaluation_settings *evaluation = &experiment->evaluation;
    *out = NULL;
    if (evaluation->decontaminate.action == DECONTAMINATE_OFF || !evaluation->benchmark_count) return 0;
    struct decontaminate *d;
    TRY(memory_alloc(&d, 1, sizeof *d, err));
    d->evaluation = evaluation;
    d->filter = (struct tasks_filter){.drop = evaluation->decontaminate.action == DECONTAMINATE_DROP,
                                      .sources = evaluation->benchmark_count,
                                      .hash = d->hash,
                                      .context = d,
                                      .look = look,
                                      .describe = describe};
    int code = make_hash(d, err);
    if (code) {
        decontaminate_destroy(&d);
    } else {
        *out = d;
    }
    return code;
}

void decontaminate_destroy(struct decontaminate **out) {
    struct decontaminate *d = *out;
    *out = NULL;
    if (!d) return;
    overlap_destroy(&d->overlap);
    memory_free(d);
}

const struct tasks_filter *decontaminate_filter(const struct decontaminate *decontaminate) {
    return decontaminate ? &decontaminate->filter : NULL;
}

/* ---- archive */

int decontaminate_archive(const struct experiment *experiment, const struct task_set *set,
                          struct arena *arena, const struct archive_overlap **out, struct error *err) {
    const struct decontaminate_settings *settings = &experiment->evaluation.decontaminate;
    size_t tasks = (size_t)set->count, sources = (size_t)set->sources;
    *out = NULL;
    if (!sources) return 0;
    struct archive_overlap *overlap;
    const char **benchmark;
    int64_t *examples, *any, *records[3];
    TRY(arena_alloc(arena, &overlap, 1, sizeof *overlap, err));
    TRY(arena_alloc(arena, &benchmark, sources, sizeof *benchmark, err));
    TRY(arena_alloc(arena, &examples, tasks * sources, sizeof *examples, err));
    TRY(arena_alloc(arena, &any, tasks, sizeof *any, err));
    for (int i = 0; i < 3; i++) TRY(arena_alloc(arena, &records[i], sources, sizeof *records[i], err));
    for (size_t k = 0; k < tasks; k++) {
        any[k] = set->tasks[k].contaminated;
        memcpy(examples + k * sources, set->tasks[k].contaminated_by, sources * sizeof *examples);
    }
    for (size_t s = 0; s < sources; s++) {
        benchmark[s] = set->source[s].name;
        records[0][s] = set->source[s].records;
        records[1][s] = set->source[s].without;
        records[2][s] = set->source[s].found;
    }
    *overlap = (struct archive_overlap){settings->action == DECONTAMINATE_DROP ? "drop" : "count",
                                        settings->ngram,
                                        set->sources,
                                        benchmark,
                                        examples,
                                        any,
                                        records[0],
                                        records[1],
                                        records[2]};
    *out = overlap;
    return 0;
}
