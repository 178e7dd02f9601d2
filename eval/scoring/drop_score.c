#include "eval/scoring/drop_score.h"

#include "base/memory.h"
#include "base/text.h"
#include "eval/python/python_json.h"
#include "eval/python/python_number.h"
#include "eval/python/python_regex.h"
#include "eval/python/python_text.h"
#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- normalised text */

struct normaliser {
    struct python_regex *gaps;               /* white space, and articles */
    struct text lower, bare, joined, spaced; /* scratch */
};

static void normaliser_free(struct normaliser *normaliser) {
    python_regex_destroy(&normaliser->gaps);
    text_free(&normaliser->lower);
    text_free(&normaliser->bare);
    text_free(&normaliser->joined);
    text_free(&normaliser->spaced);
}

/* Appends a number as Python prints it; anything else without its ASCII punctuation, again as a number if it
 * is one by now. */
static int join_token(struct normaliser *normaliser, const char *token, size_t length, struct error *err) {
    struct text *bare = &normaliser->bare;
    double number;
    bool is_number = python_number_parse(token, length, &number);
    if (!is_number) {
        text_clear(bare);
        for (size_t i = 0; i < length; i++) {
            unsigned char byte = (unsigned char)token[i];
            if (byte >= 0x80 || !ispunct(byte)) TRY(text_append(bare, &byte, 1, err));
        }
        is_number = python_number_parse(text_string(bare), bare->length, &number);
    }
    if (!is_number) return text_append(&normaliser->joined, text_string(bare), bare->length, err);
    char repr[PYTHON_FLOAT_BYTES];
    python_float(number, repr);
    return text_append_string(&normaliser->joined, repr, err);
}

/* The tokens between single spaces and hyphens, each rewritten, with a space between them. */
static int join_tokens(struct normaliser *normaliser, const char *string, struct error *err) {
    text_clear(&normaliser->lower);
    text_clear(&normaliser->joined);
    TRY(python_lower(string, strlen(string), &normaliser->lower, err));
    for (const char *at = text_string(&normaliser->lower);; at++) {
        size_t length = strcspn(at, " -");
        TRY(join_token(normaliser, at, length, err));
        at += length;
        if (!*at) return 0;
        TRY(text_append(&normaliser->joined, " ", 1, err));
    }
}

/* Appends the normalised string: words with single spaces between them. Articles and white space are taken
 * out of the whole at once; the reference does it token by token, to the same end: a space is no part of a
 * word. */
static int normalise(struct normaliser *normaliser, const char *string, struct text *out, struct error *err) {
    TRY(join_tokens(normaliser, string, err));
    const struct text *joined = &normaliser->joined;
    text_clear(&normaliser->spaced);
    TRY(python_regex_replace(normaliser->gaps, " ", text_string(joined), joined->length, &normaliser->spaced,
                             err));
    const char *at = text_string(&normaliser->spaced);
    for (at += strspn(at, " "); *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        if (out->length) TRY(text_append(out, " ", 1, err));
        TRY(text_append(out, at, length, err));
        at += length;
    }
    return 0;
}

/* ---- bags of words */

struct word {
    const char *text;
    size_t length;
};

/* A string as it is compared: as a whole, and as the set of its words. */
struct bag {
    struct text text;   /* normalised */
    struct word *words; /* sorted, each once; they point into the text */
    size_t count, capacity;
};

static void bag_free(struct bag *bag) {
    text_free(&bag->text);
    memory_free(bag->words);
}

static int word_compare(const void *left, const void *right) {
    const struct word *a = left, *b = right;
    int order = memcmp(a->text, b->text, a->length < b->length ? a->length : b->length);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

/* Fills an empty bag. */
static int bag_fill(struct bag *bag, struct normaliser *normaliser, const char *string, struct error *err) {
    TRY(normalise(normaliser, string, &bag->text, err));
    for (const char *at = text_string(&bag->text); *at;) {
        size_t length = strcspn(at, " ");
        TRY(memory_reserve(&bag->words, &bag->capacity, bag->count + 1, sizeof *bag->words, err));
        bag->words[bag->count++] = (struct word){at, length};
        at += length + (at[length] == ' ');
    }
    if (!bag->count) return 0;
    qsort(bag->words, bag->count, sizeof *bag->words, word_compare);
    size_t kept = 1;
    for (size_t i = 1; i < bag->count; i++) {
        if (word_compare(&bag->words[i], &bag->words[kept - 1])) bag->words[kept++] = bag->words[i];
    }
    bag->count = kept;
    return 0;
}

/* F1 of two sets of words; 0 where the right one has numbers and the predicted one has none of them. */
static double bag_f1(const struct bag *right, const struct bag *predicted) {
    size_t common = 0, at = 0;
    bool numbers = false, numbers_met = false;
    for (size_t i = 0; i < right->count; i++) {
        const struct word *word = &right->words[i];
        while (at < predicted->count && word_compare(&predicted->words[at], word) < 0) at++;
        bool met = at < predicted->count && !word_compare(&predicted->words[at], word);
        double value;
        bool is_number = python_number_parse(word->text, word->length, &value);
        common += met;
        numbers |= is_number;
        numbers_met |= is_number && met;
    }
    if (numbers && !numbers_met) return 0;
    double precision = predicted->count ? (double)common / (double)predicted->count : 1;
    double recall = right->count ? (double)common / (double)right->count : 1;
    return precision > 0 || recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
}

/* ---- measures */

/* One of the answer's spans against the prediction. */
static int score_span(struct normaliser *normaliser, const struct bag *predicted, const char *span,
                      double *em, double *f1, struct error *err) {
    struct bag right = {0};
    int code = bag_fill(&right, normaliser, span, err);
    if (!code) {
        *em = !strcmp(text_string(&right.text), text_string(&predicted->text));
        *f1 = bag_f1(&right, predicted);
    }
    bag_free(&right);
    return code;
}

/* The reference assigns predictions to spans, one to one, and averages over the spans. There is one
 * prediction: its best span gets it, the others score 0, and an answer of several spans is never matched
 * exactly. */
static int score_answer(struct normaliser *normaliser, const struct bag *predicted,
                        const struct drop_answer *answer, double *em, double *f1, struct error *err) {
    double best_em = 0, best_f1 = 0;
    for (int i = 0; i < answer->count; i++) {
        double span_em, span_f1;
        TRY(score_span(normaliser, predicted, answer->spans[i], &span_em, &span_f1, err));
        best_em = fmax(best_em, span_em);
        best_f1 = fmax(best_f1, span_f1);
    }
    *em = answer->count == 1 ? best_em : 0;
    *f1 = rint(best_f1 / answer->count * 100) / 100; /* as NumPy rounds, not as Python does */
    return 0;
}

static int score_answers(struct normaliser *normaliser, const struct bag *predicted,
                         const struct drop_answer *answers, int count, double *em, double *f1,
                         struct error *err) {
    for (int i = 0; i < count; i++) {
        if (!answers[i].count) continue;
        const char *first = answers[i].spans[0];
        size_t length = strlen(first);
        python_strip(&first, &length);
        if (!length) continue;
        double answer_em, answer_f1;
        TRY(score_answer(normaliser, predicted, &answers[i], &answer_em, &answer_f1, err));
        *em = fmax(*em, answer_em);
        *f1 = fmax(*f1, answer_f1);
    }
    return 0;
}

int drop_score(const char *prediction, const struct drop_answer *answers, int count, double *em, double *f1,
               struct error *err) {
    *em = *f1 = 0;
    struct normaliser normaliser = {0};
    struct bag predicted = {0};
    int code = python_regex_create("\\s|\\b(?:a|an|the)\\b", 0, &normaliser.gaps, err);
    if (!code) code = bag_fill(&predicted, &normaliser, prediction, err);
    if (!code) code = score_answers(&normaliser, &predicted, answers, count, em, f1, err);
    bag_free(&predicted);
    normaliser_free(&normaliser);
    return code;
}
