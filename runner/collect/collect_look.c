/* One cell in one place: its file, its claim, and whether they are as they should be. */
#include "runner/collect/collect_internal.h"

#include "io/file.h"
#include "runner/claim/claim.h"
#include <string.h>

static int keep(struct arena *arena, const struct text *text, const char **out, struct error *err) {
    char *copy;
    TRY(arena_copy(arena, text_string(text), text->length, &copy, err));
    *out = copy;
    return 0;
}

/* ---- the file */

static bool same_key(const struct archive_cell_key *a, const struct archive_cell_key *b) {
    return !strcmp(a->model, b->model) && !strcmp(a->budget, b->budget) && !strcmp(a->method, b->method) &&
           a->seed == b->seed;
}

/* The rows are checked by the settings that the cell was run with: others may have been added since. */
static int check_content(struct archive_reader *reader, const struct experiment *experiment,
                         const char *config, struct text *why, struct error *err) {
    if (!strcmp(config, experiment->text)) return collect_check_rows(reader, experiment, why, err);
    struct error wrong = {0};
    struct experiment *own;
    if (experiment_compare(experiment, config, &wrong) ||
        experiment_parse(experiment->path, config, strlen(config), &own, &wrong))
        return text_printf(why, err, "config: %s", wrong.message);
    int code = collect_check_rows(reader, own, why, err);
    experiment_destroy(&own);
    return code;
}

/* An error of reading is what is wrong with the file. */
static int check_file(const struct experiment *experiment, const struct archive_cell_key *key,
                      const char *path, enum archive_state *state, struct text *why, struct error *err) {
    struct archive_reader *reader;
    struct archive_cell_summary summary;
    struct error wrong = {0};
    *state = ARCHIVE_PLANNED;
    int code = archive_reader_open(path, &reader, &wrong);
    if (code == ERROR_MEMORY) return error_set(err, code, "%s", wrong.message);
    if (code) return text_append_string(why, wrong.message, err);
    code = archive_reader_summary(reader, &summary, &wrong);
    if (!code) *state = summary.state;
    if (!code && !same_key(&summary.key, key))
        code = error_set(&wrong, ERROR_INPUT, "holds another cell: %s / %s / %s / seed %lld",
                         summary.key.model, summary.key.budget, summary.key.method, summary.key.seed);
    if (!code) code = check_content(reader, experiment, summary.config, why, &wrong);
    if (code && code != ERROR_MEMORY) code = text_append_string(why, wrong.message, err);
    if (code == ERROR_MEMORY) error_set(err, code, "%s", wrong.message);
    if (!code && summary.state == ARCHIVE_FAILED && !why->length)
        code = text_printf(why, err, "failed: %s", summary.message);
    archive_reader_close(&reader);
    return code;
}

/* ---- the claim */

/* *alive: somebody has it; `who` tells that. */
static int look_at_claim(const char *path, bool *alive, struct text *who, struct error *err) {
    struct claim_info info;
    *alive = claim_holder(path, &info);
    if (!*alive) return 0;
    text_clear(who);
    return text_printf(who, err, "on %s%s%s, last heard of %.0f s ago", info.host,
                       info.job[0] ? ", job " : "", info.job, info.heartbeat);
}

int collect_look(const struct experiment *experiment, const struct archive_cell_key *key, const char *path,
                 struct arena *arena, struct collect_find *out, struct error *err) {
    struct text why = {0};
    enum archive_state state = ARCHIVE_PLANNED;
    bool alive = false, exists = file_exists(path);
    *out = (struct collect_find){.state = COLLECT_MISSING, .why = ""};
    int code = exists ? check_file(experiment, key, path, &state, &why, err) : 0;
    if (!code && state != ARCHIVE_DONE) code = look_at_claim(path, &alive, &why, err);
    if (state == ARCHIVE_DONE)
        out->state = why.length ? COLLECT_BAD : COLLECT_DONE;
    else if (alive)
        out->state = COLLECT_RUNNING;
    else if (exists)
        out->state = COLLECT_OPEN;
    struct text name = {0};
    if (!code) code = keep(arena, &why, &out->why, err);
    if (!code) code = text_append_string(&name, path, err);
    if (!code) code = keep(arena, &name, &out->path, err);
    text_free(&name);
    text_free(&why);
    return code;
}
