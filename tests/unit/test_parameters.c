/* Weights from and to model folders: bit for bit in every dtype, and what is refused. BACKEND-ARGUMENT */
#include "tests/support/model_test.h"

#include "base/memory.h"
#include "io/file.h"
#include "io/json.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *backend_name;
static char folder[64];

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/adapt-parameters-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    return file_remove_tree(folder, NULL);
}

static const char *inside(const char *name) {
    static char path[4][256];
    static int next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s", folder, name);
    return path[next];
}

static const char *golden_folder(const char *variant) {
    static char path[512];
    snprintf(path, sizeof path, TEST_SOURCE_DIR "/golden/model/%s", variant);
    return path;
}

/* --- the layout */

static void test_layout(void **state) {
    (void)state;
    for (int v = 0; golden_variants[v]; v++) {
        struct model_config c;
        struct parameter_layout *layout;
        MUST(model_config_load(golden_folder(golden_variants[v]), &c, err));
        MUST(parameter_layout_create(&c, &layout, err));
        size_t numbers = 0, end = 0;
        for (int i = 0; i < layout->count; i++) {
            const struct parameter *p = &layout->parameters[i];
            size_t length = (size_t)p->rows * (size_t)p->columns;
            assert_true(p->offset % 64 == 0 && p->offset >= end && p->offset < end + 64);
            assert_int_equal(p->decays, strstr(p->name, "norm") == NULL);
            numbers += length;
            end = p->offset + length;
        }
        assert_int_equal(numbers, layout->numbers);
        assert_true(end <= layout->elements && layout->elements < end + 64);
        assert_int_equal(c.tied, layout->head == layout->embedding);
        for (int i = 0; i < c.layers; i++) {
            const struct layer_parameters *l = &layout->layers[i];
            assert_int_equal(c.qk_norm, l->query_norm != SIZE_MAX && l->key_norm != SIZE_MAX);
            assert_int_equal(c.norm_after_blocks, l->attention_norm_after != SIZE_MAX);
            assert_int_equal(c.norm_after_blocks, l->feed_forward_norm_after != SIZE_MAX);
        }
        parameter_layout_destroy(&layout);
        assert_null(layout);
    }
}

/* --- there and back */

static void same_files(const char *a, const char *b) {
    struct file_map x, y;
    MUST(file_map(a, &x, err));
    MUST(file_map(b, &y, err));
    assert_int_equal(x.length, y.length);
    assert_memory_equal(x.data, y.data, x.length);
    file_unmap(&x);
    file_unmap(&y);
}

/* Both checkpoints hold the same tensors: names, dtypes, shapes, files, bytes. */
static void same_checkpoints(const char *a, const char *b) {
    struct safetensors *x, *y;
    MUST(safetensors_open_folder(a, &x, err));
    MUST(safetensors_open_folder(b, &y, err));
    assert_int_equal(safetensors_sharded(x), safetensors_sharded(y));
    assert_int_equal(safetensors_count(x), safetensors_count(y));
    assert_int_equal(safetensors_files(x), safetensors_files(y));
    for (size_t i = 0; i < safetensors_count(x); i++) {
        const struct safetensors_tensor *s = safetensors_at(x, i), *t = safetensors_find(y, s->name);
        assert_non_null(t);
        assert_int_equal(s->dtype, t->dtype);
        assert_int_equal(s->dimensions, t->dimensions);
        assert_memory_equal(s->shape, t->shape, sizeof s->shape);
        assert_memory_equal(s->data, t->data, s->bytes);
        assert_string_equal(safetensors_file_name(x, s->file), safetensors_file_name(y, t->file));
    }
    safetensors_close(&x);
    safetensors_close(&y);
}

/* Loading and saving changes nothing: BF16, F16 in shards, and F32. */
static void test_round_trip(void **state) {
    (void)state;
    for (int v = 0; golden_variants[v]; v++) {
        struct model_fixture f;
        char source[512], config[600];
        snprintf(source, sizeof source, "%s", golden_folder(golden_variants[v]));
        snprintf(config, sizeof config, "%s/config.json", source);
        fixture_open(&f, backend_name, source);
        MUST(parameters_save(PARAMETERS_AS_SOURCE, source, inside("copy/deep"), f.layout, f.backend,
                             f.parameters, err));
        same_checkpoints(source, inside("copy/deep"));
        same_files(config, inside("copy/deep/config.json"));
        assert_false(file_exists(inside("copy/deep/golden.safetensors")));
        assert_int_equal(file_exists(inside("copy/deep/generation_config.json")),
                         strstr(source, "llama") != NULL);
        /* And what was saved loads to the same vector. */
        MUST(parameters_load(inside("copy/deep"), f.layout, f.backend, f.spare, err));
        float *a = fixture_download(&f, f.parameters), *b = fixture_download(&f, f.spare);
        assert_memory_equal(a, b, f.layout->elements * sizeof *a);
        memory_free(a);
        memory_free(b);
        /* Saving a folder onto itself is allowed. */
        MUST(parameters_save(PARAMETERS_AS_SOURCE, inside("copy/deep"), inside("copy/deep"), f.layout,
                             f.backend, f.parameters, err));
        same_checkpoints(source, inside("copy/deep"));
        fixture_close(&f);
        MUST(file_remove_tree(inside("copy"), err));
    }
}

/* Numbers that the checkpoint's dtype has not are rounded to the nearest; too large ones are refused. */
static void test_rounding(void **state) {
    (void)state;
    struct model_fixture f;
    struct error failure = {0};
    char source[512];
    snprintf(source, sizeof source, "%s", golden_folder("qwen3_4")); /* F16 */
    fixture_open(&f, backend_name, source);
    fixture_randomise(&f, f.spare, 3);
    MUST(parameters_save(PARAMETERS_AS_SOURCE, source, inside("rounded"), f.layout, f.backend, f.spare, err));
    MUST(parameters_load(inside("rounded"), f.layout, f.backend, f.direction, err));
    float *exact = fixture_download(&f, f.spare), *rounded = fixture_download(&f, f.direction);
    bool changed = false;
    for (size_t i = 0; i < f.layout->elements; i++) {
        int exponent;
        frexp((double)exact[i], &exponent);
        double step = ldexp(1, (exponent < -13 ? -13 : exponent) - 11); /* between neighbours in F16 */
        assert_true((double)rounded[i] == rint((double)exact[i] / step) * step);
        changed |= rounded[i] != exact[i];
    }
    assert_true(changed);
    exact[f.layout->layers[1].up + 5] = 70000;
    fixture_upload(&f, exact, f.spare);
    assert_int_equal(parameters_save(PARAMETERS_AS_SOURCE, source, inside("large"), f.layout, f.backend,
                                     f.spare, &failure),
                     ERROR_NUMERIC);
    assert_non_null(strstr(failure.message, "model.layers.1.mlp.up_proj.weight"));
    assert_false(file_exists(inside("large/model.safetensors.index.json")));
    memory_free(exact);
    memory_free(rounded);
    fixture_close(&f);
}

/* Saved in float32, every bit is there, the config says so, and the index counts the bytes. */
static void test_float32(void **state) {
    (void)state;
    static const char *const variants[] = {"qwen3_4", "qwen3_5"}; /* F16 in shards, BF16 with "dtype" */
    for (int v = 0; v < 2; v++) {
        struct model_fixture f;
        char source[512];
        cJSON *config, *index;
        snprintf(source, sizeof source, "%s", golden_folder(variants[v]));
        fixture_open(&f, backend_name, source);
        fixture_randomise(&f, f.spare, 6);
        MUST(parameters_save(PARAMETERS_F32, source, inside("wide"), f.layout, f.backend, f.spare, err));
        MUST(parameters_load(inside("wide"), f.layout, f.backend, f.direction, err));
        float *a = fixture_download(&f, f.spare), *b = fixture_download(&f, f.direction);
        assert_memory_equal(a, b, f.layout->elements * sizeof *a);
        MUST(json_parse_file(inside("wide/config.json"), 1 << 20, &config, err));
        const cJSON *dtype = cJSON_GetObjectItemCaseSensitive(config, v ? "dtype" : "torch_dtype");
        assert_string_equal(dtype->valuestring, "float32");
        struct model_config same;
        MUST(model_config_load(inside("wide"), &same, err));
        assert_true(same.norm_epsilon == f.config.norm_epsilon &&
                    same.rope_full.theta == f.config.rope_full.theta);
        assert_true(same.window == f.config.window && same.end_count == f.config.end_count);
        cJSON_Delete(config);
        if (v == 0) {
            MUST(json_parse_file(inside("wide/model.safetensors.index.json"), 1 << 20, &index, err));
            const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(index, "metadata");
            double bytes = cJSON_GetObjectItemCaseSensitive(metadata, "total_size")->valuedouble;
            assert_true(bytes == 4.0 * (double)f.layout->numbers);
            cJSON_Delete(index);
        }
        memory_free(a);
        memory_free(b);
        fixture_close(&f);
        MUST(file_remove_tree(inside("wide"), err));
    }
}

/* --- a folder with one thing wrong */

/* How write_folder changes the checkpoint of gemma3_5 (F32, tied). */
struct change {
    const char *name;       /* of the tensor */
    const char *rename;     /* to this; "" leaves it out */
    const char *add;        /* one more tensor, */
    const char *like;       /* a copy of this one, */
    float number;           /* but for this first number where not 0 */
    bool transpose, narrow; /* shape [rows,columns] as [columns,rows]; dtype I32 instead of F32 */
};

static void write_folder(const struct change *change) {
    char source[512];
    struct safetensors *reader;
    struct safetensors_writer *writer;
    struct safetensors_entry entries[64] = {0};
    const struct safetensors_tensor *from[64];
    size_t count = 0;
    snprintf(source, sizeof source, "%s", golden_folder("gemma3_5"));
    MUST(file_make_folder(inside("bad"), err));
    char config[600];
    snprintf(config, sizeof config, "%s/config.json", source);
    MUST(file_copy(config, inside("bad/config.json"), err));
    MUST(safetensors_open_folder(source, &reader, err));
    for (size_t i = 0; i < safetensors_count(reader); i++) {
        const struct safetensors_tensor *t = safetensors_at(reader, i);
        bool changed = change->name && strcmp(t->name, change->name) == 0;
        if (changed && change->rename && !*change->rename) continue;
        struct safetensors_entry *e = &entries[count];
        *e = (struct safetensors_entry){changed && change->rename ? change->rename : t->name,
                                        changed && change->narrow ? SAFETENSORS_I32 : t->dtype,
                                        t->dimensions,
                                        {t->shape[0], t->shape[1]}};
        if (changed && change->transpose) {
            e->shape[0] = t->shape[1];
            e->shape[1] = t->shape[0];
        }
        from[count++] = t;
    }
    if (change->add) {
        const struct safetensors_tensor *t = safetensors_find(reader, change->like);
        entries[count] =
            (struct safetensors_entry){change->add, t->dtype, t->dimensions, {t->shape[0], t->shape[1]}};
        from[count++] = t;
    }
    MUST(safetensors_writer_open(inside("bad/model.safetensors"), entries, count, &writer, err));
    for (size_t i = 0; i < count; i++) {
        float first;
        memcpy(&first, from[i]->data, sizeof first);
        bool changed =
            change->name ? strcmp(from[i]->name, change->name) == 0 : change->add && i == count - 1;
        if (changed && change->number != 0) first = change->number;
        MUST(safetensors_writer_append(writer, &first, sizeof first, err));
        MUST(safetensors_writer_append(writer, from[i]->data + 4, from[i]->bytes - 4, err));
    }
    MUST(safetensors_writer_commit(&writer, err));
    safetensors_close(&reader);
}

static void refuse(struct model_fixture *f, struct change change, int code, const char *expected) {
    struct error failure = {0};
    write_folder(&change);
    int got = parameters_load(inside("bad"), f->layout, f->backend, f->spare, &failure);
    if (got != code || !strstr(failure.message, expected))
        fail_msg("code %d, \"%s\"; expected %d, \"%s\"", got, failure.message, code, expected);
}

static void test_refused(void **state) {
    (void)state;
    struct model_fixture f;
    fixture_open(&f, backend_name, golden_folder("gemma3_5"));
    write_folder(&(struct change){0});
    MUST(parameters_load(inside("bad"), f.layout, f.backend, f.spare, err));
    static const char up[] = "model.layers.2.mlp.up_proj.weight", norm[] = "model.norm.weight";
    refuse(&f, (struct change){.name = up, .rename = ""}, ERROR_INPUT,
           "model.layers.2.mlp.up_proj.weight\" is missing");
    refuse(&f, (struct change){.name = norm, .rename = "model.nrom.weight"}, ERROR_INPUT,
           "\"model.nrom.weight\" is none");
    refuse(&f, (struct change){.add = "model.layers.9.mlp.up_proj.weight", .like = up}, ERROR_INPUT,
           "is none of");
    refuse(&f, (struct change){.name = up, .transpose = true}, ERROR_INPUT,
           "20 x 32; config.json asks for 32 x 20");
    refuse(&f, (struct change){.name = up, .narrow = true}, ERROR_UNSUPPORTED, "up_proj.weight\" is I32");
    refuse(&f, (struct change){.name = up, .number = NAN}, ERROR_NUMERIC,
           "model.layers.2.mlp.up_proj.weight");
    refuse(&f, (struct change){.name = norm, .number = -INFINITY}, ERROR_NUMERIC, norm);
    refuse(&f, (struct change){.name = "model.layers.0.self_attn.q_norm.weight", .rename = "lm_head.weight"},
           ERROR_INPUT, "lm_head.weight");
    refuse(&f, (struct change){.add = "lm_head.weight", .like = "model.embed_tokens.weight", .number = 3},
           ERROR_INPUT, "lm_head.weight differs");
    struct error failure = {0};
    assert_int_equal(parameters_load(inside("nowhere"), f.layout, f.backend, f.spare, &failure), ERROR_INPUT);
    fixture_close(&f);
}

/* A head that is written although it is tied, and buffers that follow from the config, are read past and
 * written again. */
static void test_tied_head(void **state) {
    (void)state;
    struct model_fixture f;
    fixture_open(&f, backend_name, golden_folder("gemma3_5"));
    write_folder(&(struct change){.add = "lm_head.weight", .like = "model.embed_tokens.weight"});
    MUST(parameters_load(inside("bad"), f.layout, f.backend, f.spare, err));
    fixture_randomise(&f, f.spare, 4);
    MUST(parameters_save(PARAMETERS_AS_SOURCE, inside("bad"), inside("tied"), f.layout, f.backend, f.spare,
                         err));
    struct safetensors *reader;
    MUST(safetensors_open_folder(inside("tied"), &reader, err));
    const struct safetensors_tensor *head = safetensors_find(reader, "lm_head.weight");
    const struct safetensors_tensor *table = safetensors_find(reader, "model.embed_tokens.weight");
    assert_memory_equal(head->data, table->data, table->bytes);
    safetensors_close(&reader);
    MUST(parameters_load(inside("tied"), f.layout, f.backend, f.direction, err));
    float *a = fixture_download(&f, f.spare), *b = fixture_download(&f, f.direction);
    assert_memory_equal(a, b, f.layout->elements * sizeof *a);
    memory_free(a);
    memory_free(b);

    write_folder(
        &(struct change){.add = "model.layers.0.self_attn.rotary_emb.inv_freq", .like = "model.norm.weight"});
    MUST(parameters_load(inside("bad"), f.layout, f.backend, f.spare, err));
    MUST(parameters_save(PARAMETERS_AS_SOURCE, inside("bad"), inside("buffers"), f.layout, f.backend, f.spare,
                         err));
    same_checkpoints(inside("bad"), inside("buffers"));
    fixture_close(&f);
}

/* The files beside the weights that belong to a model are copied, others are not. */
static void test_companions(void **state) {
    (void)state;
    static const char *const kept[] = {
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "tokenizer.model", "vocab.json",
        "merges.txt",     "chat_template.jinja"};
    static const char *const left[] = {"README.md", "training_args.bin", "optimizer.pt", "tokenizer.bak"};
    struct model_fixture f;
    fixture_open(&f, backend_name, golden_folder("gemma3_5"));
    write_folder(&(struct change){0});
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        char path[128];
        snprintf(path, sizeof path, "bad/%s", kept[i]);
        MUST(file_write(inside(path), kept[i], strlen(kept[i]), err));
    }
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        char path[128];
        snprintf(path, sizeof path, "bad/%s", left[i]);
        MUST(file_write(inside(path), "x", 1, err));
    }
    MUST(parameters_save(PARAMETERS_AS_SOURCE, inside("bad"), inside("full"), f.layout, f.backend,
                         f.parameters, err));
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        char from[128], to[128];
        snprintf(from, sizeof from, "bad/%s", kept[i]);
        snprintf(to, sizeof to, "full/%s", kept[i]);
        same_files(inside(from), inside(to));
    }
    char **names;
    size_t count;
    MUST(file_list(inside("full"), "", &names, &count, err));
    assert_int_equal(count, sizeof kept / sizeof *kept + 2);
    file_free_list(names, count);
    fixture_close(&f);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),     cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_rounding),   cmocka_unit_test(test_float32),
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_tied_head),
        cmocka_unit_test(test_companions),
    };
    if (argc < 2) {
        fprintf(stderr, "usage: %s BACKEND\n", argv[0]);
        return 2;
    }
    backend_name = argv[1];
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
