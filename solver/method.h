/* Mixture methods: rules that yield a mixture p over tasks, a point on the simplex. Pure functions of arrays:
 * no MPI, no files, no model.
 *
 * A method is a row of a static registry; a `struct mixture` is one running instance, kept by a cell's
 * coordinator. Static methods never change p; online methods are fed a signal at the steps they ask for. */
#ifndef ADAPT_SOLVER_METHOD_H
#define ADAPT_SOLVER_METHOD_H

#include "base/error.h"
#include "base/setting.h"
#include "solver/worst_case.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a method must be given; bits. */
enum method_need {
    METHOD_NEEDS_VALIDATION_LOSS = 1, /* the validation loss of every task at an update */
    METHOD_NEEDS_ALIGNMENT = 2,       /* < training gradient of task k, aggregated validation gradient > */
    METHOD_NEEDS_REFERENCE_LOSS = 4,  /* a loss per task that the task can reach */
    METHOD_NEEDS_INITIAL_LOSS = 8     /* the validation loss of every task before the first step */
};

enum method_lookahead { LOOKAHEAD_NONE, LOOKAHEAD_EXACT };
enum method_precondition { PRECONDITION_NONE, PRECONDITION_ADAMW };

/* How an online method wants its signal made; all zero for static methods. */
struct method_signal_plan {
    unsigned needs;             /* of method_need */
    long long interval;         /* update every so many steps, first at step 0 */
    long long probe;            /* training examples of every task in an update step, at least */
    long long validation_batch; /* validation examples of every task for an update */
    int lookahead;              /* enum method_lookahead */
    int precondition;           /* enum method_precondition */
    /* How task losses are weighted; `reference` is filled in by mixture_set_reference. */
    struct worst_case worst_case;
};

/* What an update is given; arrays of [tasks]. */
struct method_signal {
    double learning_rate;          /* of the inner step */
    const double *validation_loss; /* mean over supervised tokens, of each task's validation batch */
    /* d_k = < g_k, G >, g_k the mean over task k's supervised tokens; NaN: not measured. */
    const double *alignment;
};

/* What is known when a cell starts. */
struct method_problem {
    int tasks;
    const double *size; /* [tasks] supervised tokens (or examples, by the run's unit) of each training pool */
};

/* State of a running method that the archive shows; pointers borrowed, [tasks], NULL where the method has
 * none. */
struct mixture_view {
    const double *share;         /* p */
    const double *logits;        /* phi */
    const double *alignment;     /* averaged d, scaled as the method uses it; NaN: never measured */
    const double *meta_gradient; /* dJ/dphi (softmax) or dJ/dp (mirror) of the last update */
    double objective;            /* J at the last update; NaN before */
    double entropy;              /* H(p), in nats */
};

struct mixture;

struct method {
    const char *name;
    const char *meaning;            /* one line */
    bool quota;                     /* examples are drawn by exact quotas instead of at random */
    const struct setting *settings; /* table of its settings struct; an empty table if it has none */
    size_t settings_bytes;          /* size of that struct, at least 1 */
    /* Checks settings against each other; messages begin with "KEY: ". NULL: nothing to check. */
    int (*validate)(const void *settings, struct error *err);
    struct method_signal_plan (*plan)(const void *settings); /* NULL: static */
    size_t (*state_doubles)(int tasks);                      /* size of what `start` fills; NULL: 0 */
    int (*start)(const void *settings, const struct method_problem *problem, double *state, double *share,
                 struct error *err);
    /* NULL: static. The signal is checked before; on failure what was written to state and share is thrown
     * away. */
    int (*update)(const void *settings, const struct worst_case *worst_case, int tasks,
                  const struct method_signal *signal, double *state, double *share, struct error *err);
    /* Fills in what the archive shows besides the share; NULL: nothing. */
    void (*view)(const void *settings, int tasks, const double *state, struct mixture_view *out);
};

/* The registry, ended by a NULL pointer; and a method by name, or NULL. */
const struct method *const *method_list(void);
const struct method *method_find(const char *name);

/* Starts a method; `settings` is copied. A task whose size is not positive and finite is ERROR_INPUT. */
int mixture_create(const struct method *method, const void *settings, const struct method_problem *problem,
                   struct mixture **out, struct error *err);
void mixture_destroy(struct mixture **mixture);

/* p [tasks], sums to 1; borrowed, changes at updates. */
const double *mixture_shares(const struct mixture *mixture);
const struct method_signal_plan *mixture_plan(const struct mixture *mixture);
/* True if the method wants a signal at this step (0 is the first). */
bool mixture_due(const struct mixture *mixture, int64_t step);
/* Gives the losses that objectives `excess` and `ratio` compare with, [tasks], copied. One that is not finite
 * (or, for ratio, not positive) is ERROR_NUMERIC and changes nothing. Part of the saved state. */
int mixture_set_reference(struct mixture *mixture, const double *reference, struct error *err);
/* Feeds one signal. A signal that is not finite where it must be is ERROR_NUMERIC with the task's index; any
 * failure leaves the mixture as it was. */
int mixture_update(struct mixture *mixture, const struct method_signal *signal, struct error *err);
struct mixture_view mixture_view(const struct mixture *mixture);

/* The whole state as doubles (some may be NaN), for checkpoints: size, and copies in and out. A mixture of
 * the same method, settings and tasks that loads it continues bit for bit; a state that is not one of such a
 * mixture is ERROR_INPUT. */
size_t mixture_state_count(const struct mixture *mixture);
void mixture_state_save(const struct mixture *mixture, double *out);
int mixture_state_load(struct mixture *mixture, const double *state, size_t count, struct error *err);

#endif
