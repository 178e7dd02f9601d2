#include "eval/python/python_pattern.h"

#include "eval/python/python_pattern_internal.h"
#include "eval/python/python_regex.h"
#include <ctype.h>
#include <string.h>

/* \1 to \99, or an octal escape: \0, or three octal digits. */
static int translate_number(struct translation *t) {
    bool octal = t->at[0] == '0' || (translation_is_octal(t->at[0]) && translation_is_octal(t->at[1]) &&
                                     translation_is_octal(t->at[2]));
    if (octal) {
        int32_t point;
        TRY(translation_read_octal(t, 3, &point));
        return translation_put_literal(t, point);
    }
    int group = *t->at++ - '0';
    if (isdigit((unsigned char)*t->at)) group = group * 10 + (*t->at++ - '0');
    if (!t->closed[group]) return translation_fail(t, "reference to a group that is open or missing");
    t->before = BEFORE_ITEM;
    return text_printf(t->out, t->err, "\\g{%d}", group);
}

/* A place in the text; *known is false for another letter. */
static int translate_place(struct translation *t, char letter, bool *known) {
    const char *word = t->word;
    *known = true;
    switch (letter) {
    case 'A': return translation_put(t, "\\A");
    case 'Z': return translation_put(t, "\\z");
    case 'b':
        return text_printf(t->out, t->err, "(?:(?<=[%s])(?![%s])|(?<![%s])(?=[%s]))", word, word, word, word);
    case 'B': /* which Python finds nowhere in an empty text */
        return text_printf(t->out, t->err, "(?:(?<=[%s])(?=[%s])|(?<![%s])(?![%s])(?!\\A\\z))", word, word,
                           word, word);
    default: *known = false; return 0;
    }
}

/* Behind a backslash outside of classes. */
static int translate_escape(struct translation *t) {
    char c = *t->at;
    if (isdigit((unsigned char)c)) return translate_number(t);
    bool is_place;
    TRY(translate_place(t, c, &is_place));
    if (is_place) {
        t->at++;
        t->before = BEFORE_NOTHING; /* nothing that can be repeated */
        return 0;
    }
    if (translation_class(t, c)) {
        t->at++;
        t->before = BEFORE_ITEM;
        return text_printf(t->out, t->err, isupper((unsigned char)c) ? "[^%s]" : "[%s]",
                           translation_class(t, c));
    }
    int32_t point;
    TRY(translation_read_escape(t, &point));
    return translation_put_literal(t, point);
}

/* ---- repeats */

/* At '{': the repeat's length in bytes, 0 where the brace is a literal. */
static size_t repeat_length(const char *at) {
    size_t low = strspn(at + 1, "0123456789"), end = 1 + low;
    bool comma = at[end] == ',';
    if (comma) end += 1 + strspn(at + end + 1, "0123456789");
    return at[end] == '}' && (low || comma) ? end + 1 : 0;
}

/* At one of *+? or a repeat in braces of `length` bytes. */
static int translate_repeat(struct translation *t, size_t length) {
    if (t->before == BEFORE_NOTHING) return translation_fail(t, "nothing to repeat");
    if (t->before == BEFORE_REPEAT) return translation_fail(t, "multiple repeat");
    bool no_low = length > 1 && t->at[1] == ',';
    TRY(translation_put(t, no_low ? "{0" : ""));
    TRY(text_append(t->out, t->at + no_low, length - no_low, t->err));
    t->at += length;
    if (*t->at == '?' || *t->at == '+') TRY(text_append(t->out, t->at++, 1, t->err));
    t->before = BEFORE_REPEAT;
    return 0;
}

/* ---- groups */

static int enter_group(struct translation *t, int number) {
    if (t->depth == PATTERN_DEPTH_LIMIT) return translation_fail(t, "groups nested too deeply");
    t->depth++;
    t->number[t->depth] = number;
    t->ignore_case[t->depth] = t->ignore_case[t->depth - 1];
    t->before = BEFORE_NOTHING;
    return 0;
}

static int leave_group(struct translation *t) {
    if (!t->depth) return translation_fail(t, "unbalanced parenthesis");
    int number = t->number[t->depth--];
    if (number && number < 100) t->closed[number] = true;
    return 0;
}

/* "(?" was read. Flags up to ')' or ':'; those of a whole pattern stand at its start. */
static int translate_flags(struct translation *t) {
    const char *opening = t->at - 2;
    bool on = true, ignore_case = t->ignore_case[t->depth];
    TRY(translation_put(t, "(?"));
    for (; *t->at != ')' && *t->at != ':'; t->at++) {
        char c = *t->at;
        if (c == '-' && on) {
            on = false;
            TRY(translation_put(t, "-"));
        } else if (c && strchr("ims", c)) {
            if (c == 'i') ignore_case = on;
            TRY(text_append(t->out, &c, 1, t->err));
        } else if (c && strchr("aLx", c)) {
            return translation_unsupported(t, "the flag a, L or x");
        } else if (c != 'u' || !on) {
            return translation_fail(t, "unknown extension");
        }
    }
    bool group = *t->at++ == ':';
    if (!group) {
        if (opening != t->flags_end || !on)
            return translation_fail(t, "global flags not at the start of the expression");
        t->flags_end = t->at;
    }
    if (group) TRY(enter_group(t, 0));
    t->ignore_case[t->depth] = ignore_case;
    t->before = BEFORE_NOTHING;
    return translation_put(t, group ? ":" : ")");
}

/* A reference to a named group, or a comment: up to ')'. */
static int translate_reference(struct translation *t, bool comment) {
    const char *end = strchr(t->at, ')');
    if (!end) return translation_fail(t, "missing )");
    if (!comment) {
        TRY(translation_put(t, "(?P="));
        TRY(text_append(t->out, t->at, (size_t)(end + 1 - t->at), t->err));
        t->before = BEFORE_ITEM;
    }
    t->at = end + 1;
    return 0;
}

/* "(?(" was read: a group's number or name, up to ')'. */
static int translate_condition(struct translation *t) {
    size_t length = strcspn(t->at, ")"), digits = strspn(t->at, "0123456789");
    if (!t->at[length] || !length) return translation_fail(t, "missing group in a condition");
    TRY(text_printf(t->out, t->err, length == digits ? "(?(%.*s)" : "(?(<%.*s>)", (int)length, t->at));
    t->at += length + 1;
    return 0;
}

/* At an opening parenthesis. */
static int translate_group(struct translation *t) {
    static const char *const openings[] = {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?P<"};
    const char *opening = "(";
    t->at++;
    if (*t->at == '?') {
        t->at++;
        opening = NULL;
        for (size_t i = 0; i < sizeof openings / sizeof openings[0] && !opening; i++) {
            size_t length = strlen(openings[i]);
            if (!strncmp(t->at - 2, openings[i], length)) {
                opening = openings[i];
                t->at += length - 2;
            }
        }
        if (!opening && !strncmp(t->at, "P=", 2)) {
            t->at += 2;
            return translate_reference(t, false);
        }
        if (!opening && *t->at == '#') return translate_reference(t, true);
        if (!opening && *t->at != '(') return translate_flags(t);
    }
    bool numbered = opening && (!strcmp(opening, "(") || !strcmp(opening, "(?P<"));
    TRY(enter_group(t, numbered ? ++t->groups : 0));
    if (!opening) {
        t->at++;
        return translate_condition(t);
    }
    TRY(translation_put(t, opening));
    if (strcmp(opening, "(?P<")) return 0;
    size_t length = strcspn(t->at, ">");
    if (!t->at[length]) return translation_fail(t, "missing >");
    TRY(text_append(t->out, t->at, length + 1, t->err));
    t->at += length + 1;
    return 0;
}

static int translate_item(struct translation *t) {
    char c = *t->at;
    size_t braces = c == '{' ? repeat_length(t->at) : 0;
    if (braces || (c && strchr("*+?", c))) return translate_repeat(t, braces ? braces : 1);
    if (c == '(') return translate_group(t);
    if (c && strchr("|)^$.", c)) {
        if (c == ')') TRY(leave_group(t));
        t->before = c == '.' || c == ')' ? BEFORE_ITEM : BEFORE_NOTHING;
        return text_append(t->out, t->at++, 1, t->err);
    }
    if (c == '[' || c == '\\') {
        t->at++;
        return c == '[' ? translation_read_class(t) : translate_escape(t);
    }
    int32_t point;
    TRY(translation_read_point(t, &point));
    return translation_put_literal(t, point);
}

/* What \w and \s are to `re`; and to the package `regex`, whose words have combining marks, joiners and
 * circled letters, but of the numbers neither fractions nor superscripts. */
#define SPACE_OF_BOTH                                                                                        \
    "\\x09-\\x0d\\x20\\x85\\xa0\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
static const char word_of_re[] = "\\p{L}\\p{N}_";
static const char space_of_re[] = SPACE_OF_BOTH "\\x1c-\\x1f";
static const char word_of_regex[] = "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{200c}\\x{200d}\\x{24b6}-\\x{24e9}"
                                    "\\x{1f130}-\\x{1f149}\\x{1f150}-\\x{1f169}\\x{1f170}-\\x{1f189}";
static const char space_of_regex[] = SPACE_OF_BOTH;

int python_pattern_translate(const char *pattern, unsigned flags, struct text *out, struct error *err) {
    bool package = flags & PYTHON_REGEX_PACKAGE;
    struct translation t = {.start = pattern,
                            .at = pattern,
                            .flags_end = pattern,
                            .word = package ? word_of_regex : word_of_re,
                            .space = package ? space_of_regex : space_of_re,
                            .out = out,
                            .err = err};
    t.ignore_case[0] = flags & PYTHON_REGEX_IGNORECASE;
    while (*t.at) TRY(translate_item(&t));
    return t.depth ? translation_fail(&t, "missing )") : 0;
}
