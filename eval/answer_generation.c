/* Questions whose answers are generated: decoding, filters, scoring. */
#include "eval/evaluation.h"

#include "base/machine.h"
#include "eval/generation/generation.h"
#include "eval/peers.h"
#include "eval/python/python_json.h"
#include "eval/scoring/scorer.h"
#include <string.h>

/* Answer a of document d has the index d * answers + a in all arrays of answers. */
struct answers {
    struct evaluation *e;
    size_t count; /* documents * answers */
    const char *stops[BENCHMARK_STOPS_MAX + 1];
    int stop_count;
    int32_t end_ids[MODEL_END_IDS_MAX + 1];
    int end_count;
    struct text end_text;
    struct generation_request *requests; /* [count], after dealing: this rank's own first */
    size_t own;
    struct filter *filters[BENCHMARK_FILTERS_MAX];
    int filter_count;
    void *scorer;            /* the benchmark's scorer's state */
    const char **response;   /* [count] */
    const char **filtered;   /* [count, EVAL_FILTERS] */
    struct verdict *verdict; /* [documents] */
    struct text scratch, lead;
    double *values; /* [VALUES + count + documents * VERDICT_VALUES]: what is summed over the ranks */
    struct generation_counts counts;
};

enum { VALUE_PROMPTS = PEERS_HEADER, VALUE_SHARED, VALUE_GENERATED, VALUES };
/* A verdict as numbers: metrics, parts, those that passed, outcomes. */
enum {
    VERDICT_PARTS = BENCHMARK_METRICS_MAX,
    VERDICT_PASSED,
    VERDICT_OUTCOME = VERDICT_PASSED + BENCHMARK_METRICS_MAX,
    VERDICT_VALUES = VERDICT_OUTCOME + EVAL_OUTCOMES
};

static double *length_of(const struct answers *a, size_t answer) {
    return a->values + VALUES + answer;
}
static double *verdict_of(const struct answers *a, size_t document) {
    return a->values + VALUES + a->count + document * VERDICT_VALUES;
}

/* ---- preparing */

static void add_end_id(struct answers *a, int32_t id) {
    for (int i = 0; i < a->end_count; i++)
        if (a->end_ids[i] == id) return;
    if (id >= 0) a->end_ids[a->end_count++] = id;
}

/* The benchmark's stop strings, and the end token's text behind them; its id and those of the model end an
 * answer too. */
static int choose_stops(struct answers *a, struct error *err) {
    const struct eval_model *model = a->e->model;
    const char *const *stops = a->e->benchmark->generation.stops;
    int32_t end_id = tokenizer_end_id(model->tokenizer);
    while (a->stop_count < BENCHMARK_STOPS_MAX && stops[a->stop_count]) {
        a->stops[a->stop_count] = stops[a->stop_count];
        a->stop_count++;
    }
    for (int i = 0; i < model->config->end_count; i++) add_end_id(a, model->config->end_ids[i]);
    add_end_id(a, end_id);
    if (end_id < 0)
        return 0; /* a model without an end: stop strings and the number of tokens end its answers */
    TRY(tokenizer_decode(model->tokenizer, &end_id, 1, false, &a->end_text, err));
    if (a->end_text.length) a->stops[a->stop_count++] = text_string(&a->end_text);
    return 0;
}

static int encode_prompts(struct answers *a, struct error *err) {
    struct evaluation *e = a->e;
    for (size_t d = 0; d < e->set.count; d++) {
        const struct document *document = &e->set.documents[d];
        struct prompt prompt;
        int code =
            request_encode_prompt(e->encoder, document->context[0], e->max_new, e->scratch, &prompt, err);
        if (code) return evaluation_place(e, document, code, err);
        e->result->cut += prompt.truncated;
        for (int i = 0; i < e->answers; i++) {
            size_t index = d * (size_t)e->answers + (size_t)i;
            a->requests[index] = (struct generation_request){prompt.ids, prompt.length, e->max_new, index};
        }
    }
    return 0;
}

static int create_filters(struct answers *a, struct error *err) {
    const struct filter_rule *rules = a->e->benchmark->filters;
    for (; a->filter_count < BENCHMARK_FILTERS_MAX && rules[a->filter_count].name; a->filter_count++)
        TRY(filter_create(&rules[a->filter_count], &a->filters[a->filter_count], err));
    return 0;
}

static int prepare(struct answers *a, struct error *err) {
    struct evaluation *e = a->e;
    size_t documents = e->set.count, count = documents * (size_t)e->answers;
    a->count = count;
    TRY(arena_alloc(e->scratch, &a->requests, count, sizeof *a->requests, err));
    TRY(arena_alloc(e->scratch, &a->values, VALUES + count + documents * VERDICT_VALUES, sizeof *a->values,
                    err));
    TRY(arena_alloc(e->arena, &a->response, count, sizeof *a->response, err));
    TRY(arena_alloc(e->arena, &a->filtered, count * EVAL_FILTERS, sizeof *a->filtered, err));
    TRY(arena_alloc(e->arena, &a->verdict, documents, sizeof *a->verdict, err));
    TRY(choose_stops(a, err));
    TRY(create_filters(a, err));
    return encode_prompts(a, err);
}

/* Keeps this rank's documents; all answers of a document stay together. */
static int deal_documents(struct answers *a, struct error *err) {
    struct evaluation *e = a->e;
    size_t documents = e->set.count, each = (size_t)e->answers;
    int64_t *cost;
    bool *own;
    TRY(arena_alloc(e->scratch, &cost, documents, sizeof *cost, err));
    TRY(arena_alloc(e->scratch, &own, documents, sizeof *own, err));
    for (size_t d = 0; d < documents; d++) cost[d] = generation_cost(&a->requests[d * each]) * (int64_t)each;
    TRY(peers_deal(e->peers, cost, documents, own, err));
    for (size_t i = 0; i < a->count; i++)
        if (own[i / each]) a->requests[a->own++] = a->requests[i];
    return 0;
}

/* ---- answers as they come */

/* Runs the answer through the filters; what it continues goes before it. */
static int filter_answer(struct answers *a, size_t index, struct error *err) {
    struct evaluation *e = a->e;
    const char *lead = e->set.documents[index / (size_t)e->answers].lead;
    text_clear(&a->lead);
    if (lead) TRY(text_append_string(&a->lead, lead, err));
    TRY(text_append_string(&a->lead, a->response[index], err));
    for (int f = 0; f < a->filter_count; f++) {
        char *copy;
        text_clear(&a->scratch);
        TRY(filter_apply(a->filters[f], text_string(&a->lead), a->lead.length, &a->scratch, err));
        TRY(arena_copy(e->arena, text_string(&a->scratch), a->scratch.length, &copy, err));
        a->filtered[index * EVAL_FILTERS + (size_t)f] = copy;
    }
    return 0;
}

/* A string cannot hold the character NUL: U+FFFD stands for it, which no program can contain either. */
static int keep_response(struct answers *a, const char *text, size_t length, const char **out,
                         struct error *err) {
    char *copy;
    text_clear(&a->scratch);
    for (const char *at = text, *end = text + length; at < end;) {
        const char *nul = memchr(at, 0, (size_t)(end - at));
        TRY(text_append(&a->scratch, at, (size_t)((nul ? nul : end) - at), err));
        if (nul) TRY(text_append_string(&a->scratch, "\xEF\xBF\xBD", err));
        at = nul ? nul + 1 : end;
    }
    TRY(arena_copy(a->e->arena, text_string(&a->scratch), a->scratch.length, &copy, err));
    *out = copy;
    return 0;
}

static int take_answer(void *context, size_t index, const char *text, size_t length, const int32_t *ids,
                       int count, struct error *err) {
    struct answers *a = context;
    struct evaluation *e = a->e;
    size_t d = index / (size_t)e->answers;
    const struct document *document = &e->set.documents[d];
    (void)ids;
    (void)count;
    TRY(keep_response(a, text, length, &a->response[index], err));
    int code = filter_answer(a, index, err);
    if (!code)
        code = e->benchmark->scorer->take(a->scorer, document, &a->filtered[index * EVAL_FILTERS],
                                          &a->verdict[d], err);
    return code ? evaluation_place(e, document, code, err) : 0;
}

static int generate(struct answers *a, struct error *err) {
    const struct evaluation *e = a->e;
    const struct eval_settings *settings = e->settings;
    struct generation_work work = {.requests = a->requests,
                                   .count = a->own,
                                   .stops = a->stops,
                                   .stop_count = a->stop_count,
                                   .end_ids = a->end_ids,
                                   .end_count = a->end_count,
                                   .temperature = settings->temperature,
                                   .top_p = settings->top_p,
                                   .seed = (uint64_t)settings->seed,
                                   .done = take_answer,
                                   .context = a,
                                   .progress = settings->progress,
                                   .progress_context = settings->progress_context};
    /* Half of what is free: the rest of the program needs some as well. Ranks may share a node. */
    int64_t room = machine_memory_free() / 2 / peers_count(e->peers);
    TRY(generation_run(e->model, &work, room, &a->counts, err));
    return e->benchmark->scorer->finish ? e->benchmark->scorer->finish(a->scorer, err) : 0;
}

static int answer(struct answers *a, struct error *err) {
    const struct evaluation *e = a->e;
    TRY(deal_documents(a, err));
    TRY(e->benchmark->scorer->open(e->benchmark, e->settings, &a->scorer, err));
    return generate(a, err);
}

/* ---- from the rank that has an answer to all */

static void pack_verdict(const struct verdict *verdict, double *values) {
    memcpy(values, verdict->metric, sizeof verdict->metric);
    values[VERDICT_PARTS] = verdict->parts;
    for (int m = 0; m < BENCHMARK_METRICS_MAX; m++) values[VERDICT_PASSED + m] = verdict->passed[m];
    for (int o = 0; o < EVAL_OUTCOMES; o++) values[VERDICT_OUTCOME + o] = verdict->outcome[o];
}

static void unpack_verdict(const double *values, struct verdict *verdict) {
    memcpy(verdict->metric, values, sizeof verdict->metric);
    verdict->parts = (int)values[VERDICT_PARTS];
    for (int m = 0; m < BENCHMARK_METRICS_MAX; m++) verdict->passed[m] = (uint32_t)values[VERDICT_PASSED + m];
    for (int o = 0; o < EVAL_OUTCOMES; o++) verdict->outcome[o] = (int)values[VERDICT_OUTCOME + o];
}

/* This rank's verdicts and lengths of texts into `values`; the rest of it stays 0. */
static void pack(struct answers *a) {
    size_t each = (size_t)a->e->answers;
    a->values[VALUE_PROMPTS] = (double)a->counts.prompt_tokens;
    a->values[VALUE_SHARED] = (double)a->counts.shared_tokens;
    a->values[VALUE_GENERATED] = (double)a->counts.generated_tokens;
    for (size_t i = 0; i < a->count; i++)
        if (a->response[i]) *length_of(a, i) = (double)strlen(a->response[i]);
    for (size_t i = 0; i < a->own; i += each) {
        size_t d = a->requests[i].index / each;
        pack_verdict(&a->verdict[d], verdict_of(a, d));
    }
}

/* Texts travel six bytes to a number: 48 bits are exact in a double, and a sum with zeros too. */
enum { BYTES_PER_NUMBER = 6 };

static size_t numbers_for(double bytes) {
    return ((size_t)bytes + BYTES_PER_NUMBER - 1) / BYTES_PER_NUMBER;
}

static void pack_text(const char *text, double *numbers) {
    for (size_t i = 0, length = strlen(text); i < length; i++) {
        double byte = (unsigned char)text[i];
        for (size_t shift = i % BYTES_PER_NUMBER; shift > 0; shift--) byte *= 256;
        numbers[i / BYTES_PER_NUMBER] += byte;
    }
}

static void unpack_text(const double *numbers, size_t length, char *text) {
    for (size_t i = 0; i < length; i++) {
        uint64_t number = (uint64_t)numbers[i / BYTES_PER_NUMBER];
        text[i] = (char)(unsigned char)(number >> (8 * (i % BYTES_PER_NUMBER)));
    }
    text[length] = 0;
}

static int allocate_texts(struct answers *a, double **numbers, size_t *total, struct error *err) {
    *total = PEERS_HEADER;
    for (size_t i = 0; i < a->count; i++) *total += numbers_for(*length_of(a, i));
    return memory_alloc(numbers, *total, sizeof **numbers, err);
}

static int take_texts(struct answers *a, const double *numbers, struct error *err) {
    size_t at = PEERS_HEADER;
    for (size_t i = 0; i < a->count; i++) {
        size_t length = (size_t)*length_of(a, i);
        if (!a->response[i]) {
            char *text;
            TRY(arena_alloc(a->e->arena, &text, length + 1, 1, err));
            unpack_text(numbers + at, length, text);
            a->response[i] = text;
            TRY(filter_answer(a, i, err));
        }
        at += numbers_for((double)length);
    }
    return 0;
}

static int share(struct answers *a, int code, struct error *err) {
    const struct eval_peers *peers = a->e->peers;
    double *numbers = NULL;
    size_t total = PEERS_HEADER, at = PEERS_HEADER;
    if (!code) pack(a);
    TRY(peers_sum(peers, code, a->values, VALUES + a->count + a->e->set.count * VERDICT_VALUES, err));
    for (size_t d = 0; d < a->e->set.count; d++) unpack_verdict(verdict_of(a, d), &a->verdict[d]);
    if (peers_count(peers) == 1) return 0;
    double ready[PEERS_HEADER] = {0};
    code = allocate_texts(a, &numbers, &total, err);
    code = peers_sum(peers, code, ready, PEERS_HEADER, err);
    for (size_t i = 0; i < a->count && !code; i++) {
        if (a->response[i]) pack_text(a->response[i], numbers + at);
        at += numbers_for(*length_of(a, i));
    }
    if (!code) code = peers_sum(peers, 0, numbers, total, err);
    if (!code) code = take_texts(a, numbers, err);
    memory_free(numbers);
    return code;
}

/* ---- results */

static void describe_samples(struct answers *a) {
    struct evaluation *e = a->e;
    struct eval_result *result = e->result;
    for (size_t d = 0; d < e->set.count; d++) {
        struct eval_sample *sample = &result->samples[d];
        struct verdict *verdict = &a->verdict[d];
        size_t first = d * (size_t)e->answers;
        sample->response = &a->response[first];
        sample->filtered = &a->filtered[first * EVAL_FILTERS];
        sample->prediction = sample->filtered[e->benchmark->metrics[result->headline].filter];
        sample->metric = verdict->metric;
        sample->parts = verdict->parts;
        sample->passed = verdict->passed;
        sample->outcome = e->benchmark->scorer == &scorer_code ? verdict->outcome : NULL;
    }
    result->requests = (int64_t)a->count;
    result->tokens =
        (int64_t)(a->values[VALUE_PROMPTS] - a->values[VALUE_SHARED] + a->values[VALUE_GENERATED]);
    result->generated_tokens = (int64_t)a->values[VALUE_GENERATED];
}

/* The decoding's settings as the reference names them. */
static int describe_generation(struct answers *a, struct error *err) {
    struct evaluation *e = a->e;
    struct text *text = &a->scratch;
    char number[PYTHON_FLOAT_BYTES], *copy;
    text_clear(text);
    TRY(text_append_string(text, "{\"until\": [", err));
    for (int i = 0; i < BENCHMARK_STOPS_MAX && e->benchmark->generation.stops[i]; i++) {
        if (i) TRY(text_append_string(text, ", ", err));
        TRY(python_json_string(text, e->benchmark->generation.stops[i], err));
    }
    python_float(e->settings->temperature, number);
    TRY(text_printf(text, err, "], \"max_gen_toks\": %d, \"do_sample\": %s, \"temperature\": %s}", e->max_new,
                    e->settings->temperature > 0 ? "true" : "false", number));
    TRY(arena_copy(e->arena, text_string(text), text->length, &copy, err));
    e->result->generation = copy;
    return 0;
}

static int run(struct answers *a, struct error *err) {
    double ready[PEERS_HEADER] = {0};
    int code = prepare(a, err);
    TRY(peers_sum(a->e->peers, code, ready, PEERS_HEADER,
                  err)); /* from here on all have room for the answers */
    code = answer(a, err);
    TRY(share(a, code, err));
    describe_samples(a);
    return describe_generation(a, err);
}

int answer_by_generation(struct evaluation *e, struct error *err) {
    struct answers a = {.e = e};
    int code = run(&a, err);
    for (int f = 0; f < BENCHMARK_FILTERS_MAX; f++) filter_destroy(&a.filters[f]);
    e->benchmark->scorer->close(&a.scorer);
    text_free(&a.end_text);
    text_free(&a.scratch);
    text_free(&a.lead);
    return code;
}
