#include "io/tasks/template.h"

#include <string.h>

/* One piece of a template: literal text, or a placeholder. */
enum piece_kind {
    PIECE_END,
    PIECE_TEXT,
    PIECE_DEFINITION,
    PIECE_EXAMPLES,
    PIECE_INPUT,
    PIECE_BROKEN,
    PIECE_UNKNOWN
};
static const char *const placeholders[] = {"{definition}", "{examples}",
                                           "{input}"}; /* from PIECE_DEFINITION on */

struct piece {
    enum piece_kind kind;
    const char *start;
    size_t length;
};

/* Takes the piece at *at and moves behind it. */
static struct piece next_piece(const char **at) {
    struct piece piece = {PIECE_TEXT, *at, strcspn(*at, "{}")};
    if (!**at) {
        piece.kind = PIECE_END;
    } else if (!piece.length) {
        char brace = piece.start[0];
        piece.length = 1;
        if (piece.start[1] == brace) { /* an escape: one of the two is the text */
            *at = piece.start + 2;
            return piece;
        }
        piece.kind = PIECE_BROKEN;
        size_t name = strcspn(piece.start + 1, "{}");
        if (brace == '{' && piece.start[1 + name] == '}') {
            piece.kind = PIECE_UNKNOWN;
            piece.length = name + 2;
            for (int i = 0; i < 3; i++) {
                if (piece.length == strlen(placeholders[i]) &&
                    !strncmp(piece.start, placeholders[i], piece.length)) {
                    piece.kind = PIECE_DEFINITION + i;
                }
            }
        }
    }
    *at = piece.start + piece.length;
    return piece;
}

int template_check(const char *source, long long examples, struct error *err) {
    bool seen[PIECE_UNKNOWN + 1] = {false};
    const char *at = source;
    for (;;) {
        struct piece piece = next_piece(&at);
        long column = (long)(piece.start - source) + 1;
        seen[piece.kind] = true;
        if (piece.kind == PIECE_END) break;
        if (piece.kind == PIECE_UNKNOWN) {
            return error_set(
                err, ERROR_INPUT,
                "template: unknown placeholder \"%.*s\" at byte %ld (known are {definition}, {examples} and "
                "{input}; a brace itself is written {{ or }})",
                (int)(piece.length > 40 ? 40 : piece.length), piece.start, column);
        }
        if (piece.kind == PIECE_BROKEN) {
            return error_set(err, ERROR_INPUT,
                             "template: lone '%c' at byte %ld (a brace itself is written {{ or }})",
                             piece.start[0], column);
        }
    }
    if (!seen[PIECE_INPUT]) return error_set(err, ERROR_INPUT, "template: {input} is missing");
    if (examples > 0 && !seen[PIECE_EXAMPLES]) {
        return error_set(err, ERROR_INPUT, "template: {examples} is missing, but \"examples\" is %lld",
                         examples);
    }
    return 0;
}

static int render_examples(const struct instructions_example *examples, size_t count, struct text *out,
                           struct error *err) {
    for (size_t i = 0; i < count; i++) {
        TRY(text_append_string(out, "Input: ", err));
        TRY(text_append_string(out, examples[i].input, err));
        TRY(text_append_string(out, "\nOutput: ", err));
        TRY(text_append_string(out, examples[i].output, err));
        TRY(text_append_string(out, "\n\n", err));
    }
    return 0;
}

int template_render(const char *source, const char *definition, const struct instructions_example *examples,
                    size_t example_count, const char *input, struct text *out, struct error *err) {
    size_t first = out->length;
    const char *at = source;
    for (;;) {
        struct piece piece = next_piece(&at);
        size_t before = out->length;
        switch (piece.kind) {
        case PIECE_END: return 0;
        case PIECE_DEFINITION: TRY(text_append_string(out, definition, err)); break;
        case PIECE_EXAMPLES: TRY(render_examples(examples, example_count, out, err)); break;
        case PIECE_INPUT: TRY(text_append_string(out, input, err)); break;
        default: TRY(text_append(out, piece.start, piece.length, err)); break;
        }
        bool line_begins = out->length == first || out->data[out->length - 1] == '\n';
        if (piece.kind != PIECE_TEXT && out->length == before && line_begins) at += strspn(at, "\n");
    }
}
