/* How long a response is: in sentences, in words, in paragraphs. */
#include "eval/ifeval/instruction.h"
#include "eval/ifeval/instructions.h"
#include "eval/python/python_text.h"
#include <string.h>

static int check_sentences(struct ifeval_judge *judge, struct demand *demand, const char *text, size_t length,
                           bool *follows, struct error *err) {
    size_t count;
    TRY(sentence_count(judge->sentences, text, length, &count, err));
    *follows = demand_is_met(demand, count);
    return 0;
}

const struct instruction instruction_number_sentences = {
    .id = "length_constraints:number_sentences",
    .arguments = {{"num_sentences", ARGUMENT_COUNT, INTO(count)},
                  {"relation", ARGUMENT_RELATION, INTO(at_least)}},
    .check = check_sentences,
};

static int check_words(struct ifeval_judge *judge, struct demand *demand, const char *text, size_t length,
                       bool *follows, struct error *err) {
    (void)judge;
    size_t count;
    TRY(python_regex_count(demand->patterns[0], text, length, &count, err));
    *follows = demand_is_met(demand, count);
    return 0;
}

const struct instruction instruction_number_words = {
    .id = "length_constraints:number_words",
    .arguments = {{"num_words", ARGUMENT_COUNT, INTO(count)},
                  {"relation", ARGUMENT_RELATION, INTO(at_least)}},
    .patterns = {{"\\w+", PYTHON_REGEX_PACKAGE}}, /* by NLTK */
    .check = check_words,
};

static bool is_blank(const char *text, size_t length) {
    return python_space_prefix(text, length) == length;
}

/* Pieces between dividers. The first and the last may be blank and do not count then; a blank one between
 * fails. */
static int check_paragraphs(struct ifeval_judge *judge, struct demand *demand, const char *text,
                            size_t length, bool *follows, struct error *err) {
    (void)judge;
    struct python_regex *divider = demand->patterns[0];
    size_t count = 0, begin = 0;
    bool found = true;
    *follows = false;
    python_regex_begin(divider, text, length);
    for (bool first = true; found; first = false) {
        TRY(python_regex_next(divider, &found, err));
        struct python_span span =
            found ? python_regex_group(divider, 0) : (struct python_span){length, length};
        bool blank = is_blank(text + begin, span.start - begin);
        if (blank && found && !first) return 0;
        count += !blank;
        begin = span.end;
    }
    *follows = count == demand->arguments.count;
    return 0;
}

const struct instruction instruction_number_paragraphs = {
    .id = "length_constraints:number_paragraphs",
    .arguments = {{"num_paragraphs", ARGUMENT_COUNT, INTO(count)}},
    .patterns = {{"\\s?\\*\\*\\*\\s?", 0}},
    .check = check_paragraphs,
};

/* ---- the first word of the n-th paragraph */

static int prepare_first_word(struct demand *demand, struct error *err) {
    if (demand->arguments.paragraph > demand->arguments.count)
        return error_set(err, ERROR_INPUT, "nth_paragraph: at most num_paragraphs (%zu) expected",
                         demand->arguments.count);
    return python_lower(demand->arguments.text, strlen(demand->arguments.text), &demand->phrase, err);
}

/* Appends the first word of a stripped paragraph: its leading ' and then its leading " left out, up to the
 * next mark. Each letter is put in lower case by itself, as the reference does: a final sigma is not. */
static int append_first_word(const char *text, size_t length, struct text *out, struct error *err) {
    static const char marks[] = ".,?!'\"";
    size_t at = 0;
    while (at < length && text[at] == '\'') at++;
    while (at < length && text[at] == '"') at++;
    for (size_t used; at < length && !memchr(marks, text[at], sizeof marks - 1); at += used) {
        python_point_at(text, length, at, &used);
        if (python_space_prefix(text + at, used)) break;
        TRY(python_lower(text + at, used, out, err));
    }
    return 0;
}

static int check_first_word(struct ifeval_judge *judge, struct demand *demand, const char *text,
                            size_t length, bool *follows, struct error *err) {
    size_t filled = 0, nth = demand->arguments.paragraph, paragraph_length = 0;
    const char *paragraph = NULL;
    const char *at = text, *end = text + length;
    *follows = false;
    for (size_t i = 1; at; i++) { /* nth counts blank pieces too, `filled` does not */
        const char *next = memmem(at, (size_t)(end - at), "\n\n", 2);
        size_t piece = (size_t)((next ? next : end) - at);
        filled += !is_blank(at, piece);
        if (i == nth) {
            paragraph = at;
            paragraph_length = piece;
        }
        at = next ? next + 2 : NULL;
    }
    if (nth > filled || filled != demand->arguments.count) return 0;
    python_strip(&paragraph, &paragraph_length);
    if (!paragraph_length) return 0;
    struct text *word = &judge->scratch;
    text_clear(word);
    TRY(append_first_word(paragraph, paragraph_length, word, err));
    *follows = word->length == demand->phrase.length &&
               !memcmp(text_string(word), demand->phrase.data, word->length);
    return 0;
}

const struct instruction instruction_nth_paragraph_first_word = {
    .id = "length_constraints:nth_paragraph_first_word",
    .arguments = {{"num_paragraphs", ARGUMENT_COUNT, INTO(count)},
                  {"nth_paragraph", ARGUMENT_COUNT, INTO(paragraph)},
                  {"first_word", ARGUMENT_TEXT, INTO(text)}},
    .prepare = prepare_first_word,
    .check = check_first_word,
};
