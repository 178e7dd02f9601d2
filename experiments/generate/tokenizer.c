/* tokenizer.json and tokenizer_config.json of a trained vocabulary, as Hugging Face's tools write them. */
#include "experiments/generate/bpe.h"
#include "io/json.h"
#include <string.h>

/* A byte in GPT-2's printable alphabet, as UTF-8: printable bytes stand for themselves, the others, in order,
 * for the code points from 256 on. */
static int append_byte(struct text *out, int byte, struct error *err) {
    int point = byte;
    if (!((byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae)) {
        point = 256;
        for (int b = 0; b < byte; b++)
            point += !((b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae);
    }
    char bytes[2] = {(char)(point < 0x80 ? point : 0xc0 | point >> 6), (char)(0x80 | (point & 0x3f))};
    return text_append(out, bytes, point < 0x80 ? 1 : 2, err);
}

static int append_token(struct text *out, const struct bpe *bpe, int id, struct error *err) {
    if (id < FIRST_BYTE_ID) return text_append_string(out, special_tokens[id], err);
    if (id < FIRST_MERGE_ID) return append_byte(out, id - FIRST_BYTE_ID, err);
    TRY(append_token(out, bpe, bpe->merges[id - FIRST_MERGE_ID][0], err));
    return append_token(out, bpe, bpe->merges[id - FIRST_MERGE_ID][1], err);
}

static int put_byte_level(cJSON *object, struct error *err) {
    TRY(put_string(object, "type", "ByteLevel", err));
    TRY(put_flag(object, "add_prefix_space", false, err));
    TRY(put_flag(object, "trim_offsets", true, err));
    return put_flag(object, "use_regex", true, err);
}

static int put_added_tokens(cJSON *file, struct error *err) {
    cJSON *list = NULL, *token = NULL;
    TRY(put_list(file, "added_tokens", &list, err));
    for (int id = 0; id < FIRST_BYTE_ID; id++) {
        token = cJSON_CreateObject();
        TRY(append(list, token, err));
        TRY(put_number(token, "id", id, err));
        TRY(put_string(token, "content", special_tokens[id], err));
        TRY(put_flag(token, "single_word", false, err));
        TRY(put_flag(token, "lstrip", false, err));
        TRY(put_flag(token, "rstrip", false, err));
        TRY(put_flag(token, "normalized", false, err));
        TRY(put_flag(token, "special", true, err));
    }
    return 0;
}

/* One element of a post-processor's template: {"SpecialToken": {"id": ..., "type_id": 0}} and the like. */
static int append_piece(cJSON *list, const char *kind, const char *id, int type, struct error *err) {
    cJSON *piece = cJSON_CreateObject(), *inner = NULL;
    TRY(append(list, piece, err));
    TRY(put_object(piece, kind, &inner, err));
    TRY(put_string(inner, "id", id, err));
    return put_number(inner, "type_id", type, err);
}

static int put_template(cJSON *object, struct error *err) {
    cJSON *list = NULL, *specials = NULL, *begin = NULL;
    const char *name = special_tokens[BEGIN_ID];
    TRY(put_string(object, "type", "TemplateProcessing", err));
    TRY(put_list(object, "single", &list, err));
    TRY(append_piece(list, "SpecialToken", name, 0, err));
    TRY(append_piece(list, "Sequence", "A", 0, err));
    TRY(put_list(object, "pair", &list, err));
    TRY(append_piece(list, "SpecialToken", name, 0, err));
    TRY(append_piece(list, "Sequence", "A", 0, err));
    TRY(append_piece(list, "Sequence", "B", 1, err));
    TRY(put_object(object, "special_tokens", &specials, err));
    TRY(put_object(specials, name, &begin, err));
    TRY(put_string(begin, "id", name, err));
    TRY(put_list(begin, "ids", &list, err));
    TRY(append(list, cJSON_CreateNumber(BEGIN_ID), err));
    TRY(put_list(begin, "tokens", &list, err));
    return append_string(list, name, err);
}

static int put_model(cJSON *file, const struct bpe *bpe, struct text *scratch, struct error *err) {
    cJSON *model = NULL, *vocabulary = NULL, *merges = NULL;
    TRY(put_object(file, "model", &model, err));
    TRY(put_string(model, "type", "BPE", err));
    TRY(put_null(model, "dropout", err));
    TRY(put_null(model, "unk_token", err));
    TRY(put_null(model, "continuing_subword_prefix", err));
    TRY(put_null(model, "end_of_word_suffix", err));
    TRY(put_flag(model, "fuse_unk", false, err));
    TRY(put_flag(model, "byte_fallback", false, err));
    TRY(put_flag(model, "ignore_merges", false, err));
    TRY(put_object(model, "vocab", &vocabulary, err));
    for (int id = 0; id < VOCABULARY; id++) {
        text_clear(scratch);
        TRY(append_token(scratch, bpe, id, err));
        TRY(put_number(vocabulary, text_string(scratch), id, err));
    }
    TRY(put_list(model, "merges", &merges, err));
    for (int i = 0; i < MERGES; i++) {
        text_clear(scratch);
        TRY(append_token(scratch, bpe, bpe->merges[i][0], err));
        TRY(text_append_string(scratch, " ", err));
        TRY(append_token(scratch, bpe, bpe->merges[i][1], err));
        TRY(append_string(merges, text_string(scratch), err));
    }
    return 0;
}

static int fill_tokenizer(cJSON *file, const struct bpe *bpe, bool adds_begin, struct text *scratch,
                          struct error *err) {
    cJSON *part = NULL;
    TRY(put_string(file, "version", "1.0", err));
    TRY(put_null(file, "truncation", err));
    TRY(put_null(file, "padding", err));
    TRY(put_added_tokens(file, err));
    TRY(put_null(file, "normalizer", err));
    TRY(put_object(file, "pre_tokenizer", &part, err));
    TRY(put_byte_level(part, err));
    TRY(put_object(file, "post_processor", &part, err));
    TRY(adds_begin ? put_template(part, err) : put_byte_level(part, err));
    TRY(put_object(file, "decoder", &part, err));
    TRY(put_byte_level(part, err));
    return put_model(file, bpe, scratch, err);
}

static int fill_config(cJSON *file, struct error *err) {
    TRY(put_string(file, "tokenizer_class", "PreTrainedTokenizerFast", err));
    TRY(put_string(file, "bos_token", special_tokens[BEGIN_ID], err));
    TRY(put_string(file, "eos_token", special_tokens[END_ID], err));
    return put_string(file, "pad_token", special_tokens[END_ID], err);
}

static int write_in(const char *folder, const char *name, cJSON *file, struct text *scratch,
                    struct error *err) {
    text_clear(scratch);
    TRY(text_printf(scratch, err, "%s/%s", folder, name));
    return json_write_file(text_string(scratch), file, err);
}

int bpe_write(const struct bpe *bpe, const char *folder, bool adds_begin, struct error *err) {
    struct text scratch = {0};
    cJSON *file = cJSON_CreateObject(), *config = cJSON_CreateObject();
    int code = file && config ? 0 : error_set(err, ERROR_MEMORY, "no memory");
    if (!code) code = fill_tokenizer(file, bpe, adds_begin, &scratch, err);
    if (!code) code = write_in(folder, "tokenizer.json", file, &scratch, err);
    if (!code) code = fill_config(config, err);
    if (!code) code = write_in(folder, "tokenizer_config.json", config, &scratch, err);
    cJSON_Delete(file);
    cJSON_Delete(config);
    text_free(&scratch);
    return code;
}
