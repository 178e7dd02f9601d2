#include "eval/generation/generation_limits.h"

#include "base/memory.h"
#include <stdlib.h>

enum {
    DEFAULT_ROWS =
        1024, /* matrix products of a quarter as many take about a tenth longer (bench_generation) */
    PAGE_ALLOWANCE = 64 /* tokens that a sequence's last page may leave empty */
};

/* What the requests come to. Own tokens are those that do not lie on a stem below. */
struct demand {
    int64_t *own; /* [requests] room that each takes, and [stems] behind them */
    size_t requests;
    int stems;
    int64_t prompts; /* tokens of all prompts and stems, shared ones once */
    int64_t max_new; /* of all requests together */
    int longest, most_new;
};

static int64_t own_tokens(const struct generation_order *order, int length, int parent) {
    return length - (parent < 0 ? 0 : order->stems[parent].length);
}

static void measure(const struct generation_order *order, struct demand *d) {
    size_t request = 0, stem = d->requests;
    for (size_t i = 0; i < order->job_count; i++) {
        const struct generation_job *job = &order->jobs[i];
        if (!job->request) {
            int64_t own = own_tokens(order, order->stems[job->stem].length, job->parent);
            d->prompts += own;
            d->own[stem++] = own + PAGE_ALLOWANCE;
            continue;
        }
        const struct generation_request *r = job->request;
        int64_t own = own_tokens(order, r->length, job->parent);
        d->prompts += own;
        d->max_new += r->max_new;
        d->own[request++] = own + r->max_new + PAGE_ALLOWANCE;
        if (r->length + r->max_new - 1 > d->longest) d->longest = r->length + r->max_new - 1;
        if (r->max_new > d->most_new) d->most_new = r->max_new;
    }
}

static int by_falling_size(const void *a, const void *b) {
    const int64_t *x = a, *y = b;
    return *x < *y ? 1 : *x > *y ? -1 : 0;
}

/* The sum of the `most` largest. */
static int64_t largest(int64_t *sizes, size_t count, size_t most) {
    int64_t sum = 0;
    qsort(sizes, count, sizeof *sizes, by_falling_size);
    for (size_t i = 0; i < count && i < most; i++) sum += sizes[i];
    return sum;
}

static int64_t at_most(int64_t value, int64_t limit) {
    return value < limit ? value : limit;
}

/* In a steady state a pass of R rows holds D that continue requests and R - D of prompts. Requests of P own
 * prompt tokens that generate G arrive at (R - D) / P a pass and leave at D / G, so D = R G / (P + G). A
 * quarter more leaves room for prompts that are shorter than the mean; G cannot be larger than max_new. */
static int requests_at_a_time(const struct demand *d, int rows) {
    int64_t steady = (int64_t)rows * d->max_new / (d->prompts + d->max_new);
    return (int)at_most(at_most((int64_t)d->requests, rows), steady + steady / 4 + 2);
}

static int64_t bytes_of(const struct eval_model *model, const struct generation_limits *limits,
                        bool sampling) {
    int64_t logits =
        sampling ? (int64_t)limits->requests * model->config->vocabulary * (int64_t)sizeof(float) : 0;
    return (int64_t)decoder_bytes(model->config, &limits->decoder) + logits;
}

/* As many tokens as fit, of those wanted; false if not even the longest request does. */
static bool fit_tokens(const struct eval_model *model, bool sampling, int64_t bytes, int64_t wanted,
                       struct generation_limits *limits) {
    int64_t low = limits->decoder.positions, high = wanted;
    limits->decoder.tokens = low;
    if (bytes_of(model, limits, sampling) > bytes) return false;
    while (low < high) {
        int64_t middle = low + (high - low + 1) / 2;
        limits->decoder.tokens = middle;
        if (bytes_of(model, limits, sampling) > bytes) {
            high = middle - 1;
        } else {
            low = middle;
        }
    }
    limits->decoder.tokens = low;
    return true;
}

static int choose(const struct eval_model *model, struct demand *d, bool sampling, int64_t bytes,
                  struct generation_limits *out, struct error *err) {
    int rows = (int)at_most(model->batch_rows > 0 ? model->batch_rows : DEFAULT_ROWS, d->prompts);
    for (;; rows /= 2) {
        int requests = requests_at_a_time(d, rows);
        int stems = (int)at_most(d->stems, STEMS_OPEN);
        *out = (struct generation_limits){
            .decoder = {.rows = rows, .sequences = requests + stems, .positions = d->longest},
            .requests = requests,
            .max_new = d->most_new};
        /* A finished stem's pages stay as long as a request on it is in work. */
        int64_t wanted = largest(d->own, d->requests, (size_t)requests) +
                         largest(d->own + d->requests, (size_t)d->stems, (size_t)requests + (size_t)stems);
        if (wanted < d->longest) wanted = d->longest;
        if (fit_tokens(model, sampling, bytes, wanted, out)) return 0;
        if (rows == 1) break;
    }
    return error_set(err, ERROR_MEMORY,
                     "generation may take %lld bytes, but a sequence of %d tokens alone needs %lld",
                     (long long)bytes, d->longest, (long long)bytes_of(model, out, sampling));
}

int generation_limits_choose(const struct eval_model *model, const struct generation_order *order,
                             bool sampling, int64_t cache_bytes, struct generation_limits *out,
                             struct error *err) {
    struct demand demand = {.requests = order->job_count - (size_t)order->stem_count,
                            .stems = order->stem_count};
    TRY(memory_alloc(&demand.own, order->job_count, sizeof *demand.own, err));
    measure(order, &demand);
    int code = choose(model, &demand, sampling, cache_bytes, out, err);
    memory_free(demand.own);
    return code;
}
