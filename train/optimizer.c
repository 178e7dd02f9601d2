#include "train/optimizer.h"

#include "base/memory.h"
#include <math.h>
#include <stddef.h>

#define FIELD(name) offsetof(struct optimizer_settings, name)

static const char *const KINDS[] = {[OPTIMIZER_ADAMW] = "adamw", [OPTIMIZER_SGD] = "sgd", NULL};
static const char *const SCHEDULES[] = {
    [SCHEDULE_COSINE] = "cosine", [SCHEDULE_LINEAR] = "linear", [SCHEDULE_CONSTANT] = "constant", NULL};

const struct setting optimizer_settings_table[] = {
    {.name = "optimizer",
     .kind = SETTING_CHOICE,
     .offset = FIELD(kind),
     .initial = OPTIMIZER_ADAMW,
     .choices = KINDS,
     .meaning = "rule that turns gradients into updates"},
    {.name = "learning_rate",
     .kind = SETTING_REAL,
     .offset = FIELD(learning_rate),
     .initial = 1e-5,
     .low = 0,
     .high = 10,
     .meaning = "peak learning rate"},
    {.name = "schedule",
     .kind = SETTING_CHOICE,
     .offset = FIELD(schedule),
     .initial = SCHEDULE_COSINE,
     .choices = SCHEDULES,
     .meaning = "how the learning rate falls after the warm-up"},
    {.name = "warmup",
     .kind = SETTING_REAL,
     .offset = FIELD(warmup),
     .initial = 0.03,
     .low = 0,
     .high = 1,
     .meaning = "share of the budget over which the learning rate rises from 0"},
    {.name = "final_rate",
     .kind = SETTING_REAL,
     .offset = FIELD(final_rate),
     .initial = 0,
     .low = 0,
     .high = 1,
     .meaning = "share of the peak learning rate that cosine and linear end at"},
    {.name = "beta1",
     .kind = SETTING_REAL,
     .offset = FIELD(beta1),
     .initial = 0.9,
     .low = 0,
     .high = 0.9999999,
     .meaning = "AdamW's decay of the first moment, a step"},
    {.name = "beta2",
     .kind = SETTING_REAL,
     .offset = FIELD(beta2),
     .initial = 0.999,
     .low = 0,
     .high = 0.9999999,
     .meaning = "AdamW's decay of the second moment, a step"},
    {.name = "epsilon",
     .kind = SETTING_REAL,
     .offset = FIELD(epsilon),
     .initial = 1e-8,
     .low = 1e-16,
     .high = 1,
     .meaning = "what AdamW adds to the root of the second moment"},
    {.name = "weight_decay",
     .kind = SETTING_REAL,
     .offset = FIELD(weight_decay),
     .initial = 0,
     .low = 0,
     .high = 10,
     .meaning = "decoupled weight decay of matrices, times the learning rate a step"},
    {.name = "clip",
     .kind = SETTING_REAL,
     .offset = FIELD(clip),
     .initial = 1,
     .low = 0,
     .high = 1e9,
     .meaning = "largest global gradient norm; 0: no clipping"},
    {.name = NULL}};

double optimizer_rate(const struct optimizer_settings *settings, double progress) {
    double peak = settings->learning_rate, end = settings->final_rate;
    if (progress < settings->warmup) return peak * fmax(progress, 0) / settings->warmup;
    double rest = 1 - settings->warmup;
    double share = rest > 0 ? fmin((progress - settings->warmup) / rest, 1) : 0;
    switch (settings->schedule) {
    case SCHEDULE_COSINE: return peak * (end + (1 - end) * 0.5 * (1 + cos(M_PI * share)));
    case SCHEDULE_LINEAR: return peak * (1 - (1 - end) * share);
    default: return peak;
    }
}

/* Neighbouring tensors of the flat vector that decay alike, padding included, as far as they are held. */
struct run {
    size_t offset, length;
    bool decays;
};

struct optimizer {
    struct backend *backend; /* borrowed */
    struct optimizer_settings settings;
    struct parameter_range held;
    struct run *runs; /* owned */
    int run_count;
    struct buffer *moments; /* owned; AdamW: first and second, [held.count] each */
    struct view first, second;
    struct buffer *numbers; /* owned */
    struct view squares;    /* one F64 */
    struct view factor;     /* one F32 */
    int64_t steps;
};

static int find_runs(struct optimizer *o, const struct parameter_layout *layout, struct error *err) {
    size_t held_end = o->held.first + o->held.count;
    TRY(memory_alloc(&o->runs, (size_t)layout->count, sizeof *o->runs, err));
    for (int i = 0; i < layout->count; i++) {
        const struct parameter *p = &layout->parameters[i];
        size_t end = i + 1 < layout->count ? layout->parameters[i + 1].offset : layout->elements;
        size_t start = p->offset > o->held.first ? p->offset : o->held.first;
        if (end > held_end) end = held_end;
        if (start >= end) continue;
        struct run *last = o->run_count ? &o->runs[o->run_count - 1] : NULL;
        if (last && last->decays == p->decays)
            last->length += end - start;
        else
            o->runs[o->run_count++] = (struct run){start, end - start, p->decays};
    }
    return 0;
}

static int take_memory(struct optimizer *o, struct error *err) {
    struct backend *b = o->backend;
    TRY(b->buffer_create(b, 2 * sizeof(double), &o->numbers, err));
    o->squares = (struct view){o->numbers, 0, DTYPE_F64};
    o->factor = (struct view){o->numbers, sizeof(double) / sizeof(float), DTYPE_F32};
    if (o->settings.kind == OPTIMIZER_SGD) return 0;
    TRY(b->buffer_create(b, 2 * o->held.count * sizeof(float), &o->moments, err));
    o->first = (struct view){o->moments, 0, DTYPE_F32};
    o->second = view_at(o->first, o->held.count);
    return 0;
}

int optimizer_create(struct backend *backend, const struct parameter_layout *layout,
                     const struct optimizer_settings *settings, struct optimizer **out, struct error *err) {
    return optimizer_create_part(backend, layout, settings, (struct parameter_range){0, layout->elements},
                                 out, err);
}

int optimizer_create_part(struct backend *backend, const struct parameter_layout *layout,
                          const struct optimizer_settings *settings, struct parameter_range range,
                          struct optimizer **out, struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    struct optimizer *o = *out;
    o->backend = backend;
    o->settings = *settings;
    o->held = range;
    int code = find_runs(o, layout, err);
    if (!code) code = take_memory(o, err);
    if (code) optimizer_destroy(out);
    return code;
}

void optimizer_destroy(struct optimizer **optimizer) {
    struct optimizer *o = *optimizer;
    if (!o) return;
    o->backend->buffer_destroy(o->backend, &o->moments);
    o->backend->buffer_destroy(o->backend, &o->numbers);
    memory_free(o->runs);
    memory_free(o);
    *optimizer = NULL;
}

/* The settings as step number `step` (from 1) uses them. */
static struct adamw_step step_at(const struct optimizer *o, double rate, int64_t step) {
    const struct optimizer_settings *s = &o->settings;
    return (struct adamw_step){.learning_rate = (float)rate,
                               .beta1 = (float)s->beta1,
                               .beta2 = (float)s->beta2,
                               .epsilon = (float)s->epsilon,
                               .correction1 = (float)(1 - pow(s->beta1, (double)step)),
                               .correction2 = (float)(1 - pow(s->beta2, (double)step)),
                               .gradient_scale = view_none()};
}

int optimizer_squares(struct optimizer *o, struct view gradient, struct parameter_range range,
                      double *squares, struct error *err) {
    struct backend *b = o->backend;
    struct view part = view_at(gradient, range.first);
    *squares = NAN;
    b->zero(b, 1, o->squares);
    if (range.count) b->dot(b, range.count, part, part, o->squares);
    b->download(b, o->squares, squares, 1);
    return b->check(b, err);
}

int optimizer_apply(struct optimizer *o, double rate, double squares, struct view gradient,
                    struct view parameters, double *norm, struct error *err) {
    struct backend *b = o->backend;
    double length = sqrt(squares);
    if (norm) *norm = length;
    if (!isfinite(length))
        return error_set(err, ERROR_NUMERIC, "the gradient's norm is %g at step %lld", length,
                         (long long)o->steps + 1);
    struct adamw_step step = step_at(o, rate, ++o->steps);
    if (o->settings.clip > 0) {
        b->upload(b, o->squares, &squares, 1);
        b->clip_factor(b, (float)o->settings.clip, o->squares, o->factor);
        step.gradient_scale = o->factor;
    }
    for (int i = 0; i < o->run_count; i++) {
        const struct run *r = &o->runs[i];
        size_t at = r->offset - o->held.first;
        step.weight_decay = r->decays ? (float)o->settings.weight_decay : 0;
        if (o->settings.kind == OPTIMIZER_SGD)
            b->sgd(b, r->length, &step, view_at(gradient, r->offset), view_at(parameters, r->offset));
        else
            b->adamw(b, r->length, &step, view_at(gradient, r->offset), view_at(o->first, at),
                     view_at(o->second, at), view_at(parameters, r->offset));
    }
    return b->check(b, err);
}

int optimizer_step(struct optimizer *o, double rate, struct view gradient, struct view parameters,
                   double *norm, struct error *err) {
    double squares;
    if (norm) *norm = NAN;
    TRY(optimizer_squares(o, gradient, o->held, &squares, err));
    return optimizer_apply(o, rate, squares, gradient, parameters, norm, err);
}

int optimizer_precondition(struct optimizer *o, enum optimizer_moment moment, struct view vector,
                           struct error *err) {
    struct backend *b = o->backend;
    if (o->settings.kind == OPTIMIZER_SGD || o->steps < OPTIMIZER_SETTLED) return 0;
    struct adamw_step step = step_at(o, 0, moment == OPTIMIZER_LAST_STEP ? o->steps : o->steps + 1);
    /* The second moments are those of the last step in either case. */
    step.correction2 = (float)(1 - pow(o->settings.beta2, (double)o->steps));
    if (o->held.count) b->precondition(b, o->held.count, &step, o->second, view_at(vector, o->held.first));
    return b->check(b, err);
}

struct optimizer_state optimizer_state(const struct optimizer *o) {
    return (struct optimizer_state){o->held, o->first, o->second, o->steps};
}

void optimizer_set_steps(struct optimizer *o, int64_t steps) {
    o->steps = steps;
}
