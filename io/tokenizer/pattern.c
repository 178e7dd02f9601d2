#define PCRE2_CODE_UNIT_WIDTH 8
#include "io/tokenizer/pattern.h"

#include "base/memory.h"
#include <pcre2.h>
#include <stdint.h>
#include <string.h>

enum { STACK_FIRST = 32 * 1024, STACK_LIMIT = 64 * 1024 * 1024 };

struct pattern {
    char *literal; /* NULL for a regular expression */
    size_t literal_length;
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *context;
    pcre2_jit_stack *stack; /* NULL where PCRE2 has no JIT */
};

static int create_literal(const struct component *component, const char *text, struct pattern **out,
                          struct error *err) {
    size_t length = strlen(text);
    if (!length)
        return component_fail(component, ERROR_UNSUPPORTED, err, "an empty pattern is not implemented");
    TRY(memory_alloc(out, 1, sizeof **out, err));
    int code = memory_alloc(&(*out)->literal, length + 1, 1, err);
    if (code) {
        pattern_destroy(out);
        return code;
    }
    memcpy((*out)->literal, text, length);
    (*out)->literal_length = length;
    return 0;
}

static int compile(struct pattern *pattern, const struct component *component, const char *regex,
                   struct error *err) {
    int number;
    PCRE2_SIZE offset;
    pattern->code = pcre2_compile((PCRE2_SPTR)regex, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP, &number,
                                  &offset, NULL);
    if (!pattern->code) {
        PCRE2_UCHAR message[160] = "";
        pcre2_get_error_message(number, message, sizeof message);
        return component_fail(component, ERROR_INPUT, err,
                              "the regular expression does not compile: %s, at byte %zu",
                              (const char *)message, (size_t)offset);
    }
    uint32_t empty = 0;
    pcre2_pattern_info(pattern->code, PCRE2_INFO_MATCHEMPTY, &empty);
    if (empty)
        return component_fail(component, ERROR_UNSUPPORTED, err,
                              "a regular expression that can match the empty text is not implemented");
    pattern->match = pcre2_match_data_create(1, NULL);
    pattern->context = pcre2_match_context_create(NULL);
    if (!pattern->match || !pattern->context) return error_set(err, ERROR_MEMORY, "out of memory for PCRE2");
    if (!pcre2_jit_compile(pattern->code,
                           PCRE2_JIT_COMPLETE)) { /* else PCRE2 interprets: slower, the same result */
        pattern->stack = pcre2_jit_stack_create(STACK_FIRST, STACK_LIMIT, NULL);
        pcre2_jit_stack_assign(pattern->context, NULL, pattern->stack);
    }
    return 0;
}

int pattern_compile(const struct component *component, const char *regex, struct pattern **out,
                    struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    int code = compile(*out, component, regex, err);
    if (code) pattern_destroy(out);
    return code;
}

int pattern_load(const struct component *component, struct pattern **out, struct error *err) {
    *out = NULL;
    TRY(component_need_object(component, err));
    const char *literal, *regex;
    TRY(component_optional_string(component, "String", &literal, err));
    TRY(component_optional_string(component, "Regex", &regex, err));
    if (!literal == !regex)
        return component_fail(component, ERROR_INPUT, err,
                              "expected one of {\"String\": ...} and {\"Regex\": ...}");
    if (literal) return create_literal(component, literal, out, err);
    /* What does not compile is an input error, whatever else it has. */
    TRY(pattern_compile(component, regex, out, err));
    const char *foreign = pattern_dialect(regex);
    if (!foreign) return 0;
    pattern_destroy(out);
    return component_fail(component, ERROR_UNSUPPORTED, err,
                          "%s is not implemented in regular expressions: %s", foreign, regex);
}

void pattern_destroy(struct pattern **pattern) {
    if (!*pattern) return;
    memory_free((*pattern)->literal);
    pcre2_code_free((*pattern)->code);
    pcre2_match_data_free((*pattern)->match);
    pcre2_match_context_free((*pattern)->context);
    pcre2_jit_stack_free((*pattern)->stack);
    memory_free(*pattern);
    *pattern = NULL;
}

/* Enough for a few passes over one run of white space that is as long as the text, and an end to patterns
 * that take exponential time. */
static void set_limit(struct pattern *pattern, size_t length) {
    uint64_t limit = 10000000 + 16 * (uint64_t)length;
    pcre2_set_match_limit(pattern->context, limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX);
}

static int match(struct pattern *pattern, const struct piece *piece, size_t from, uint32_t options) {
    return pcre2_match(pattern->code, (PCRE2_SPTR)piece->shadow, piece->length, from,
                       PCRE2_NO_UTF_CHECK | options, pattern->match, pattern->context);
}

int pattern_find(struct pattern *pattern, const struct piece *piece, size_t from, size_t *start, size_t *end,
                 bool *found, struct error *err) {
    *found = false;
    if (pattern->literal) {
        const char *at =
            memmem(piece->text + from, piece->length - from, pattern->literal, pattern->literal_length);
        if (!at) return 0;
        *found = true;
        *start = (size_t)(at - piece->text);
        *end = *start + pattern->literal_length;
        return 0;
    }
    set_limit(pattern, piece->length);
    int result = match(pattern, piece, from, 0);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) result = match(pattern, piece, from, PCRE2_NO_JIT);
    if (result == PCRE2_ERROR_NOMATCH) return 0;
    if (result < 0) {
        PCRE2_UCHAR message[160] = "";
        pcre2_get_error_message(result, message, sizeof message);
        return error_set(err, ERROR_INPUT, "splitting a text of %zu bytes: %s", piece->length,
                         (const char *)message);
    }
    const PCRE2_SIZE *span = pcre2_get_ovector_pointer(pattern->match);
    *found = true;
    *start = span[0];
    *end = span[1];
    return 0;
}
