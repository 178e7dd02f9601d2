#include "eval/python/python_pattern_internal.h"

#include <ctype.h>

const char *translation_class(const struct translation *t, char letter) {
    switch (letter) {
    case 's':
    case 'S': return t->space;
    case 'w':
    case 'W': return t->word;
    case 'd':
    case 'D': return "\\p{Nd}";
    default: return NULL;
    }
}

/* [a\S] has no counterpart in PCRE2 as one class: it becomes (?:[a]|[^...]), and [^a\S]
 * (?:(?![a]|[^...])(?s:.)). */
struct class_parts {
    struct text members; /* inside brackets */
    struct text others;  /* "|[^...]" for each complement */
};

/* One end of a range, or a class escape: *escape is then its letter. */
static int read_class_member(struct translation *t, int32_t *point, char *escape) {
    *escape = 0;
    if (*t->at != '\\') return translation_read_point(t, point);
    char c = *++t->at;
    if (c && translation_class(t, c)) {
        t->at++;
        *escape = c;
        return 0;
    }
    if (c == 'b') {
        t->at++;
        *point = '\b';
        return 0;
    }
    if (translation_is_octal(c)) return translation_read_octal(t, 3, point);
    return translation_read_escape(t, point);
}

static int add_class_escape(struct translation *t, struct class_parts *parts, char escape) {
    const char *members = translation_class(t, escape);
    if (islower((unsigned char)escape)) return text_append_string(&parts->members, members, t->err);
    return text_printf(&parts->others, t->err, "|[^%s]", members);
}

static int add_class_range(struct translation *t, struct class_parts *parts, int32_t low, int32_t high) {
    if (high < low) return translation_fail(t, "bad character range");
    TRY(translation_put_point(&parts->members, low, t->err));
    if (high != low) {
        TRY(text_append_string(&parts->members, "-", t->err));
        TRY(translation_put_point(&parts->members, high, t->err));
    }
    bool any = false;
    return t->ignore_case[t->depth] ? translation_put_cases(&parts->members, low, high, &any, t->err) : 0;
}

static int read_class_parts(struct translation *t, struct class_parts *parts) {
    for (bool first = true; first || *t->at != ']'; first = false) {
        if (!*t->at) return translation_fail(t, "unterminated character set");
        int32_t low = 0, high = 0;
        char escape, high_escape = 0;
        TRY(read_class_member(t, &low, &escape));
        bool range = t->at[0] == '-' && t->at[1] && t->at[1] != ']';
        if (range) {
            t->at++;
            TRY(read_class_member(t, &high, &high_escape));
            if (escape || high_escape) return translation_fail(t, "bad character range");
        }
        if (escape) {
            TRY(add_class_escape(t, parts, escape));
        } else {
            TRY(add_class_range(t, parts, low, range ? high : low));
        }
    }
    t->at++;
    return 0;
}

static int put_class(struct translation *t, const struct class_parts *parts, bool negated) {
    const char *members = text_string(&parts->members), *others = text_string(&parts->others);
    if (!*others) return text_printf(t->out, t->err, negated ? "[^%s]" : "[%s]", members);
    TRY(translation_put(t, negated ? "(?:(?!" : "(?:"));
    if (*members) {
        TRY(text_printf(t->out, t->err, "[%s]%s", members, others));
    } else {
        TRY(translation_put(t, others + 1));
    }
    return translation_put(t, negated ? ")(?s:.))" : ")");
}

int translation_read_class(struct translation *t) {
    bool negated = *t->at == '^';
    t->at += negated;
    struct class_parts parts = {0};
    int code = read_class_parts(t, &parts);
    if (!code) code = put_class(t, &parts, negated);
    text_free(&parts.members);
    text_free(&parts.others);
    t->before = BEFORE_ITEM;
    return code;
}
