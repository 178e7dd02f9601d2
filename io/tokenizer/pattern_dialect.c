/* Which regular expressions mean the same to PCRE2 and to the reference's engine (Oniguruma with Ruby's
 * syntax).
 *
 * Accepted is what tokenizers use and what was compared, code point by code point: literals, alternatives,
 * groups, (?i:...) of ASCII, lookahead, greedy, lazy and possessive repeats, and classes of literals, \s,
 * \p{L}, \p{N}, \p{M} and their complements. Left out is what differs (\h is a hexadecimal digit in Ruby, ^
 * and $ match at every line, {2,3}+ repeats a repeat, "ss" matches a sharp s under (?i:...), [a&&b]
 * intersects) or was not compared (\w, \d, \b, scripts, look-behind). */
#include "io/tokenizer/pattern.h"

#include <ctype.h>
#include <string.h>

struct reader {
    const char *at;
    int depth;
    int fold_depth; /* of the group that began ignoring case; 0: none */
};

/* At a backslash. Returns what is wrong with the escape or NULL, behind it. */
static const char *read_escape(struct reader *reader) {
    char kind = reader->at[1];
    if (!kind) return "a final backslash";
    reader->at += 2;
    if (strchr("sSrnt", kind)) return NULL;
    if (kind == 'p' || kind == 'P') {
        if (reader->at[0] == '{' && reader->at[1] && strchr("LNM", reader->at[1]) && reader->at[2] == '}') {
            reader->at += 3;
            return NULL;
        }
        return "a property other than \\p{L}, \\p{N} and \\p{M}";
    }
    return isalnum((unsigned char)kind) ? "an escape other than \\s \\S \\r \\n \\t \\p \\P" : NULL;
}

/* At the opening bracket of a class. */
static const char *read_class(struct reader *reader) {
    reader->at++;
    if (*reader->at == '^') reader->at++;
    if (*reader->at == ']') return "a class that begins with ]";
    while (*reader->at != ']') {
        if (!*reader->at) return "a class without end";
        if (*reader->at == '[') return "[ within a class";
        if (reader->at[0] == '&' && reader->at[1] == '&') return "&& within a class";
        if (reader->fold_depth && (unsigned char)*reader->at >= 0x80)
            return "a letter beyond ASCII under (?i:";
        if (*reader->at == '\\') {
            const char *wrong = read_escape(reader);
            if (wrong) return wrong;
        } else {
            reader->at++;
        }
    }
    reader->at++;
    return NULL;
}

/* At an opening parenthesis. */
static const char *read_group(struct reader *reader) {
    static const char *const openings[] = {"(?i:", "(?:", "(?=", "(?!", "(?>"};
    reader->depth++;
    reader->at++;
    if (*reader->at != '?' && *reader->at != '*') return NULL;
    for (size_t i = 0; i < sizeof openings / sizeof openings[0]; i++) {
        size_t length = strlen(openings[i]);
        if (strncmp(reader->at - 1, openings[i], length)) continue;
        reader->at += length - 1;
        if (i == 0 && !reader->fold_depth) reader->fold_depth = reader->depth;
        return NULL;
    }
    return "a group other than (...), (?:...), (?i:...), (?=...), (?!...) and (?>...)";
}

/* Behind an atom: its repeat, if any. */
static const char *read_repeat(struct reader *reader) {
    if (*reader->at == '{') {
        const char *at = reader->at + 1;
        size_t low = strspn(at, "0123456789");
        at += low;
        if (*at == ',') at += 1 + strspn(at + 1, "0123456789");
        if (!low || *at != '}') return "{ that is no repeat";
        reader->at = at + 1;
        if (*reader->at == '+') return "{m,n}+";
        if (*reader->at == '?') return "{m,n}?";
    } else if (*reader->at && strchr("?*+", *reader->at)) {
        reader->at++;
        if (*reader->at == '?' || *reader->at == '+') reader->at++;
    } else {
        return NULL;
    }
    return *reader->at && strchr("?*+{", *reader->at) ? "a repeat of a repeat" : NULL;
}

/* Letters that fold together with one other code point: "ss" with U+00DF, "ff", "fi", "fl" and "st" with
 * ligatures. */
static bool folds_together(char a, char b) {
    static const char *const pairs[] = {"ss", "ff", "fi", "fl", "st"};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (tolower((unsigned char)a) == pairs[i][0] && tolower((unsigned char)b) == pairs[i][1]) return true;
    return false;
}

static const char *read_literal(struct reader *reader) {
    char c = *reader->at++;
    if (!reader->fold_depth) return NULL;
    if ((unsigned char)c >= 0x80) return "a letter beyond ASCII under (?i:";
    if (folds_together(c, *reader->at)) return "a pair of letters that folds into one, under (?i:";
    return NULL;
}

const char *pattern_dialect(const char *regex) {
    struct reader reader = {.at = regex};
    const char *wrong = NULL;
    while (*reader.at && !wrong) {
        char c = *reader.at;
        if (c == '|') {
            reader.at++;
        } else if (c == '(') {
            wrong = read_group(&reader);
        } else if (c && strchr("^$.", c)) {
            wrong = "^, $ or .";
        } else if (c && strchr("?*+{", c)) {
            wrong = "a repeat of nothing";
        } else {
            if (c == ')') {
                if (reader.depth-- == reader.fold_depth) reader.fold_depth = 0;
                reader.at++;
            } else if (c == '[') {
                wrong = read_class(&reader);
            } else if (c == '\\') {
                wrong = read_escape(&reader);
            } else {
                wrong = read_literal(&reader);
            }
            if (!wrong) wrong = read_repeat(&reader);
        }
    }
    return wrong;
}
