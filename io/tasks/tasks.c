#include "io/tasks/tasks.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "io/file.h"
#include "io/tasks/tasks_build.h"
#include "io/tasks/tasks_survey.h"
#include "io/tasks/template.h"
#include "io/tasks/token_cache.h"
#include <string.h>

/* ---- settings */

static const char *const group_names[] = {"category", "file", NULL};
static const char *const bad_names[] = {"error", "skip", NULL};
#define AT(field) offsetof(struct tasks_settings, field)

const struct setting tasks_settings_table[] = {
    {"path", SETTING_TEXT, AT(path), 0, 0, 0, NULL, NULL,
     "folder of Natural Instructions files (*.json); required"},
    {"split", SETTING_TEXT, AT(split), 0, 0, 0, NULL, NULL,
     "text file with one task name (file name without .json) a line; absent: every file of the folder"},
    {"group_by", SETTING_CHOICE, AT(group_by), TASKS_BY_CATEGORY, 0, 0, group_names, NULL,
     "what makes a task: all files of one category, or each file"},
    {"validation_examples", SETTING_COUNT, AT(validation_examples), 32, 1, 1e9, NULL, NULL,
     "examples of each task set apart for validation, at most; never more than a fifth of its instances"},
    {"max_tokens", SETTING_COUNT, AT(max_tokens), 1024, 2, 1 << 24, NULL, NULL,
     "tokens of one example, prompt and completion; longer prompts lose their beginning"},
    {"max_examples", SETTING_COUNT, AT(max_examples), 0, 0, 1e9, NULL, NULL,
     "training examples of each task, at most; 0: all"},
    {"template", SETTING_TEXT, AT(prompt), 0, 0, 0, NULL, "{definition}\n\n{input}\n",
     "prompt, with {definition}, {examples} and {input}; {{ and }} stand for braces"},
    {"examples", SETTING_COUNT, AT(examples), 0, 0, 1000, NULL, NULL,
     "positive examples that {examples} shows, at most"},
    {"chat_template", SETTING_CHOICE, AT(chat), TEMPLATE_NONE, 0, 0, template_chat_names, NULL,
     "turns of a chat around prompt and completion"},
    {"on_bad_instance", SETTING_CHOICE, AT(on_bad_instance), TASKS_BAD_ERROR, 0, 0, bad_names, NULL,
     "what to do with a malformed instance: stop, or leave it out and count it"},
    {0},
};

/* ---- content hash */

static int hash_number(struct hash *hash, int64_t number, struct error *err) {
    return hash_update(hash, &number, sizeof number, err);
}

static int hash_file(struct hash *hash, const struct survey_file *file, struct error *err) {
    struct file_map map;
    TRY(file_map(file->path, &map, err));
    int code = hash_update_string(hash, file->name, err);
    if (!code) code = hash_number(hash, (int64_t)map.length, err);
    if (!code && map.length) code = hash_update(hash, map.data, map.length, err);
    file_unmap(&map);
    return code;
}

static int hash_everything(struct hash *hash, const struct tasks_settings *settings,
                           const struct survey *survey, const struct tokenizer *tokenizer, int32_t end_id,
                           struct error *err) {
    const int64_t numbers[] = {TOKEN_CACHE_VERSION,
                               settings->group_by,
                               settings->validation_examples,
                               settings->max_tokens,
                               settings->max_examples,
                               settings->examples,
                               settings->chat,
                               settings->on_bad_instance,
                               end_id,
                               (int64_t)survey->file_count};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) TRY(hash_number(hash, numbers[i], err));
    TRY(hash_update_string(hash, settings->prompt, err));
    TRY(hash_update_string(hash, tokenizer_hash(tokenizer), err));
    for (size_t i = 0; i < survey->file_count; i++) TRY(hash_file(hash, &survey->files[i], err));
    return 0;
}

static int make_data_hash(const struct tasks_settings *settings, const struct survey *survey,
                          const struct tokenizer *tokenizer, int32_t end_id, char hex[HASH_HEX_BYTES],
                          struct error *err) {
    struct hash *hash;
    TRY(hash_create(&hash, err));
    int code = hash_everything(hash, settings, survey, tokenizer, end_id, err);
    if (code) {
        hash_destroy(&hash);
        return code;
    }
    return hash_finish(&hash, hex, err);
}

/* What a cache holds besides: the filter's answers. A filter that drops makes other data, too. */
static int make_key(char data[HASH_HEX_BYTES], const struct tasks_filter *filter, char key[HASH_HEX_BYTES],
                    struct error *err) {
    memcpy(key, data, HASH_HEX_BYTES);
    if (!filter) return 0;
    struct text both = {0};
    int code = text_printf(&both, err, "%s %s %s", data, filter->drop ? "drop" : "count", filter->hash);
    if (!code) code = hash_bytes(both.data, both.length, key, err);
    if (!code && filter->drop) memcpy(data, key, HASH_HEX_BYTES);
    text_free(&both);
    return code;
}

/* ---- loading */

struct loaded_set {
    struct task_set set; /* first: what callers see; borrows from the cache */
    struct token_cache *cache;
};

/* What a set is made from. */
struct recipe {
    const struct tasks_settings *settings;
    struct survey *survey;
    struct tokenizer *tokenizer;
    int32_t end_id;
    const struct tasks_filter *filter;
};

/* Reads and tokenises everything into the cache file `path`, or into memory where it is NULL. */
static int make_cache(const struct recipe *r, const char *path, const char *key, struct token_cache **out,
                      struct error *err) {
    TRY(survey_read(r->survey, r->settings, r->filter, err));
    struct token_cache_writer *writer;
    TRY(token_cache_create(path, key, r->filter ? r->filter->sources : 0, &writer, err));
    int code = tasks_build(r->settings, r->survey, r->tokenizer, r->end_id, r->filter, writer, err);
    if (code) {
        token_cache_abandon(&writer);
        return code;
    }
    return token_cache_commit(&writer, out, err);
}

static int cache_path(const char *folder, const char *key, char **out, struct error *err) {
    struct text name = {0};
    int code = text_printf(&name, err, "%s.tokens", key);
    if (!code) code = file_join(folder, text_string(&name), out, err);
    text_free(&name);
    return code;
}

/* `data` gets the data's own hash. */
static int load_cache(const struct recipe *r, const char *folder, struct token_cache **out,
                      char data[HASH_HEX_BYTES], struct error *err) {
    char key[HASH_HEX_BYTES];
    TRY(make_data_hash(r->settings, r->survey, r->tokenizer, r->end_id, data, err));
    TRY(make_key(data, r->filter, key, err));
    if (!folder) return make_cache(r, NULL, key, out, err);
    char *path;
    TRY(cache_path(folder, key, &path, err));
    int code = token_cache_open(path, key, out, err);
    if (!code && !*out) {
        code = file_make_folder(folder, err);
        if (!code) code = make_cache(r, path, key, out, err);
    }
    memory_free(path);
    return code;
}

static int check_settings(const struct tasks_settings *settings, struct error *err) {
    if (!settings->path) return error_set(err, ERROR_INPUT, "tasks.path is required: a folder of task files");
    if (!settings->prompt) return error_set(err, ERROR_INPUT, "tasks.template is empty");
    int code = template_check(settings->prompt, settings->examples, err);
    if (code) error_context(err, "tasks");
    return code;
}

int task_set_load(const struct tasks_settings *settings, struct tokenizer *tokenizer, int32_t end_id,
                  const struct tasks_filter *filter, const char *cache_folder, struct task_set **out,
                  struct error *err) {
    *out = NULL;
    TRY(check_settings(settings, err));
    TRY(template_chat_check((enum template_chat)settings->chat, tokenizer, &end_id, err));
    if (end_id < 0 || end_id >= tokenizer_size(tokenizer)) {
        return error_set(err, ERROR_INPUT, "the end-of-turn token %d is not one of the tokenizer's %d",
                         (int)end_id, (int)tokenizer_size(tokenizer));
    }
    struct loaded_set *loaded;
    TRY(memory_alloc(&loaded, 1, sizeof *loaded, err));
    struct recipe recipe = {settings, NULL, tokenizer, end_id, filter};
    char data[HASH_HEX_BYTES];
    int code = survey_create(settings, &recipe.survey, err);
    if (!code) code = load_cache(&recipe, cache_folder, &loaded->cache, data, err);
    survey_destroy(&recipe.survey);
    if (code) {
        memory_free(loaded);
        return code;
    }
    loaded->set = *token_cache_tasks(loaded->cache);
    memcpy(loaded->set.hash, data, sizeof loaded->set.hash);
    *out = &loaded->set;
    return 0;
}

void task_set_destroy(struct task_set **out) {
    struct loaded_set *loaded = (struct loaded_set *)*out;
    *out = NULL;
    if (!loaded) return;
    token_cache_close(&loaded->cache);
    memory_free(loaded);
}
