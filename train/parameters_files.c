/* The files of a model folder beside its weights: copied, or changed where they tell the weights' dtype. */
#include "train/parameters_internal.h"

#include "base/memory.h"
#include "io/file.h"
#include "io/json.h"
#include <string.h>
#include <sys/stat.h>

enum { JSON_LIMIT = 100 * 1000 * 1000 };

static const char CONFIG_NAME[] = "config.json", INDEX_NAME[] = "model.safetensors.index.json";

static bool belongs_to_model(const char *name) {
    static const char *const exact[] = {CONFIG_NAME,
                                        "generation_config.json",
                                        "special_tokens_map.json",
                                        "added_tokens.json",
                                        "merges.txt",
                                        "vocab.json",
                                        "vocab.txt",
                                        "tokenizer.model",
                                        "chat_template.json",
                                        "chat_template.jinja"};
    static const char tokenizer[] = "tokenizer", json[] = ".json";
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
        if (strcmp(name, exact[i]) == 0) return true;
    size_t length = strlen(name);
    return strncmp(name, tokenizer, sizeof tokenizer - 1) == 0 && length >= sizeof json - 1 &&
           strcmp(name + length - (sizeof json - 1), json) == 0;
}

static bool same_folder(const char *a, const char *b) {
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Changes a parsed file; `bytes` is the size of all tensors. */
typedef void edit_json(cJSON *root, size_t bytes);

/* torch_dtype in transformers 4, dtype in 5. */
static void edit_config(cJSON *root, size_t bytes) {
    (void)bytes;
    const char *key = cJSON_HasObjectItem(root, "torch_dtype") ? "torch_dtype" : "dtype";
    cJSON_DeleteItemFromObjectCaseSensitive(root, key);
    cJSON_AddStringToObject(root, key, "float32");
}

static void edit_index(cJSON *root, size_t bytes) {
    cJSON *size =
        cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(root, "metadata"), "total_size");
    if (size) cJSON_SetNumberValue(size, (double)bytes);
}

static int rewrite(const char *from, const char *to, edit_json *edit, size_t bytes, struct error *err) {
    cJSON *root;
    TRY(json_parse_file(from, JSON_LIMIT, &root, err));
    edit(root, bytes);
    int code = json_write_file(to, root, err);
    cJSON_Delete(root);
    return code;
}

/* Copies a file of the folder as it is, or changed by `edit` where that is not NULL. */
static int copy_file(const char *source, const char *folder, const char *name, edit_json *edit, size_t bytes,
                     struct error *err) {
    char *from = NULL, *to = NULL;
    int code = file_join(source, name, &from, err);
    if (!code) code = file_join(folder, name, &to, err);
    if (!code && edit)
        code = rewrite(from, to, edit, bytes, err);
    else if (!code && !same_folder(source, folder))
        code = file_copy(from, to, err);
    memory_free(from);
    memory_free(to);
    return code;
}

int parameters_copy_files(const char *source, const char *folder, enum parameters_precision precision,
                          struct error *err) {
    char **names;
    size_t count;
    TRY(file_list(source, "", &names, &count, err));
    int code = 0;
    for (size_t i = 0; i < count && !code; i++) {
        bool changes = precision == PARAMETERS_F32 && strcmp(names[i], CONFIG_NAME) == 0;
        if (belongs_to_model(names[i]))
            code = copy_file(source, folder, names[i], changes ? edit_config : NULL, 0, err);
    }
    file_free_list(names, count);
    return code;
}

int parameters_copy_index(const char *source, const char *folder, enum parameters_precision precision,
                          size_t bytes, struct error *err) {
    return copy_file(source, folder, INDEX_NAME, precision == PARAMETERS_F32 ? edit_index : NULL, bytes, err);
}
