#include "eval/requests.h"

#include "eval/python/python_text.h"
#include <string.h>

struct request_encoder {
    struct tokenizer *tokenizer; /* borrowed */
    int32_t vocabulary;
    int max_length;
    int32_t prefix_id;        /* stands for an empty context; -1: there is none */
    struct text prefix_text;  /* as the tokenizer decodes it */
    struct text whole_text;   /* context ++ continuation */
    struct text context_text; /* what `context` encodes: choices that follow each other share it */
    struct token_list context, whole;
};

int request_encoder_create(const struct eval_model *model, int max_length, struct request_encoder **out,
                           struct error *err) {
    struct request_encoder *encoder;
    TRY(memory_alloc(out, 1, sizeof **out, err));
    encoder = *out;
    encoder->tokenizer = model->tokenizer;
    encoder->vocabulary = model->config->vocabulary;
    encoder->max_length = max_length;
    encoder->prefix_id = tokenizer_begin_id(model->tokenizer);
    if (encoder->prefix_id < 0) encoder->prefix_id = tokenizer_end_id(model->tokenizer);
    if (encoder->prefix_id < 0) return 0;
    int code = tokenizer_decode(model->tokenizer, &encoder->prefix_id, 1, false, &encoder->prefix_text, err);
    if (code) request_encoder_destroy(out);
    return code;
}

void request_encoder_destroy(struct request_encoder **out) {
    struct request_encoder *encoder = *out;
    *out = NULL;
    if (!encoder) return;
    text_free(&encoder->prefix_text);
    text_free(&encoder->whole_text);
    text_free(&encoder->context_text);
    token_list_free(&encoder->context);
    token_list_free(&encoder->whole);
    memory_free(encoder);
}

/* Encodes with special tokens, unless the text brings its own begin token: it must not be doubled. */
static int encode(struct request_encoder *encoder, const char *text, size_t length, struct token_list *out,
                  struct error *err) {
    const struct text *prefix = &encoder->prefix_text;
    bool begun =
        prefix->length > 0 && length >= prefix->length && !memcmp(text, prefix->data, prefix->length);
    out->count = 0;
    return tokenizer_encode(encoder->tokenizer, text, length, !begun, out, err);
}

/* The context is empty: the continuation alone, after the begin token. If it begins with that token itself,
 * this one serves as the context. */
static int encode_alone(struct request_encoder *encoder, const char *continuation, struct error *err) {
    if (encoder->prefix_id < 0) {
        return error_set(err, ERROR_INPUT,
                         "an empty context needs a begin or end token (tokenizer_config.json names none)");
    }
    struct token_list *whole = &encoder->whole, *context = &encoder->context;
    text_clear(&encoder->context_text);
    whole->count = context->count = 0;
    TRY(token_list_append(context, encoder->prefix_id, err));
    TRY(tokenizer_encode(encoder->tokenizer, continuation, strlen(continuation), false, whole, err));
    if (whole->count > 0 && whole->ids[0] == encoder->prefix_id) return 0;
    TRY(token_list_append(whole, 0, err));
    memmove(whole->ids + 1, whole->ids, (whole->count - 1) * sizeof *whole->ids);
    whole->ids[0] = encoder->prefix_id;
    return 0;
}

static int encode_context(struct request_encoder *encoder, const char *context, size_t length,
                          struct error *err) {
    struct text *last = &encoder->context_text;
    if (last->length == length && !memcmp(last->data, context, length)) return 0;
    text_clear(last);
    TRY(encode(encoder, context, length, &encoder->context, err));
    return text_append(last, context, length, err);
}

/* Leaves ctx in `context`, and `whole` such that cont = whole[len(ctx):]. */
static int encode_pair(struct request_encoder *encoder, const char *context, const char *continuation,
                       struct error *err) {
    size_t length = strlen(context);
    length -= python_space_suffix(context, length);
    struct text *text = &encoder->whole_text;
    text_clear(text);
    TRY(text_append_string(text, context, err));
    TRY(text_append_string(text, continuation, err));
    if (length == 0) return encode_alone(encoder, text_string(text), err);
    TRY(encode_context(encoder, context, length, err));
    return encode(encoder, text_string(text), text->length, &encoder->whole, err);
}

static int check_ids(const struct request_encoder *encoder, const int32_t *ids, size_t count,
                     struct error *err) {
    for (size_t i = 0; i < count; i++) {
        if (ids[i] >= 0 && ids[i] < encoder->vocabulary) continue;
        return error_set(err, ERROR_INPUT,
                         "the tokenizer gives id %d (0..%d expected: the model's vocabulary)", ids[i],
                         encoder->vocabulary - 1);
    }
    return 0;
}

int request_encode(struct request_encoder *encoder, const char *context, const char *continuation,
                   struct arena *arena, struct request *out, struct error *err) {
    TRY(encode_pair(encoder, context, continuation, err));
    const struct token_list *ctx = &encoder->context, *whole = &encoder->whole;
    if (whole->count <= ctx->count || ctx->count == 0) {
        return error_set(err, ERROR_INPUT, "\"%s\" adds no token to its context (at least one expected)",
                         continuation);
    }
    size_t scored = whole->count - ctx->count;
    size_t most = (size_t)encoder->max_length;
    if (scored > most) {
        return error_set(err, ERROR_INPUT,
                         "a continuation of %zu tokens (at most %zu expected: the context length)", scored,
                         most);
    }
    size_t length = whole->count <= most + 1 ? whole->count : most + 1;
    size_t kept = length - scored; /* of the context */
    int32_t *ids;
    TRY(arena_alloc(arena, &ids, length, sizeof *ids, err));
    memcpy(ids, ctx->ids + (ctx->count - kept), kept * sizeof *ids);
    memcpy(ids + kept, whole->ids + ctx->count, scored * sizeof *ids);
    TRY(check_ids(encoder, ids, length, err));
    *out = (struct request){
        .ids = ids, .length = (int)length, .scored = (int)scored, .truncated = length < whole->count};
    return 0;
}

int request_encode_prompt(struct request_encoder *encoder, const char *text, int max_new, struct arena *arena,
                          struct prompt *out, struct error *err) {
    struct token_list *ids = &encoder->whole;
    size_t room = (size_t)(encoder->max_length - max_new);
    text_clear(&encoder->context_text); /* `whole` no longer belongs to it */
    TRY(encode(encoder, text, strlen(text), ids, err));
    if (ids->count == 0)
        return error_set(err, ERROR_INPUT, "a prompt without tokens (at least one expected)");
    size_t kept = ids->count < room ? ids->count : room;
    int32_t *copy;
    TRY(arena_alloc(arena, &copy, kept, sizeof *copy, err));
    memcpy(copy, ids->ids + (ids->count - kept), kept * sizeof *copy);
    TRY(check_ids(encoder, copy, kept, err));
    *out = (struct prompt){.ids = copy, .length = (int)kept, .truncated = kept < ids->count};
    return 0;
}
