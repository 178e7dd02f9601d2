#include "io/tasks/natural_instructions.h"

#include "base/memory.h"
#include "io/file.h"
#include "io/json.h"
#include <string.h>

/* ---- scanner */

/* Finds where values begin and end, by brackets and quotes alone; json_parse_part judges what lies between.
 */
struct cursor {
    const char *path, *text;
    size_t length, at;
};

struct span {
    size_t start, length; /* length 0: absent */
};

static int cursor_fail(const struct cursor *cursor, size_t at, const char *what, struct error *err) {
    struct json_place place = json_place_of(cursor->text, at);
    return error_set(err, ERROR_INPUT, "%s:%zu:%zu: %s", cursor->path, place.line, place.column, what);
}

/* The next character that is not white space, or 0 at the end. */
static char next_character(struct cursor *cursor) {
    while (cursor->at < cursor->length) {
        char c = cursor->text[cursor->at];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r') return c;
        cursor->at++;
    }
    return 0;
}

static int skip_string(struct cursor *cursor, struct error *err) {
    size_t start = cursor->at++;
    while (cursor->at < cursor->length) {
        char c = cursor->text[cursor->at++];
        if (c == '"') return 0;
        if (c == '\\') cursor->at++;
    }
    return cursor_fail(cursor, start, "the string that begins here is never closed: the file is cut short",
                       err);
}

static int skip_value(struct cursor *cursor, struct span *out, struct error *err) {
    char c = next_character(cursor);
    size_t start = cursor->at, depth = 0;
    do {
        if (cursor->at >= cursor->length) {
            return cursor_fail(cursor, start, "the value that begins here never ends: the file is cut short",
                               err);
        }
        c = cursor->text[cursor->at];
        if (c == '"') {
            TRY(skip_string(cursor, err));
        } else if (c == '{' || c == '[') {
            depth++;
            cursor->at++;
        } else if (depth && (c == '}' || c == ']')) {
            depth--;
            cursor->at++;
        } else if (depth) {
            cursor->at++;
        } else { /* a number or a word */
            while (cursor->at < cursor->length && !strchr(",:]}[{\" \t\n\r", cursor->text[cursor->at]))
                cursor->at++;
            if (cursor->at == start) return cursor_fail(cursor, start, "a value is expected here", err);
        }
    } while (depth);
    *out = (struct span){start, cursor->at - start};
    return 0;
}

/* Moves past a comma, or past `close`; *more tells which. */
static int skip_separator(struct cursor *cursor, char close, bool *more, struct error *err) {
    char c = next_character(cursor);
    if (c != ',' && c != close) {
        return cursor_fail(cursor, cursor->at,
                           close == '}' ? "',' or '}' is expected here" : "',' or ']' is expected here", err);
    }
    cursor->at++;
    *more = c == ',';
    return 0;
}

/* At the '[' of a list; *more is false if the list is empty (and then past it). */
static bool enter_list(struct cursor *cursor) {
    cursor->at++;
    if (next_character(cursor) != ']') return true;
    cursor->at++;
    return false;
}

/* ---- opening */

enum { KEY_DEFINITION, KEY_CATEGORIES, KEY_EXAMPLES, KEY_INSTANCES, KEYS };
static const char *const key_names[KEYS] = {"Definition", "Categories", "Positive Examples", "Instances"};

struct instructions_file {
    struct file_map map; /* empty for instructions_open_bytes */
    struct arena *arena; /* path, definition, category, examples */
    struct cursor cursor;
    struct span keys[KEYS];
    const char *definition, *category;
    struct instructions_example *examples;
    size_t example_count;
    bool more;        /* the cursor stands before another instance */
    size_t number;    /* of the last instance read, and */
    struct span last; /* where it lies */
    cJSON *instance;  /* what the caller borrows from */
};

static int find_key(struct instructions_file *file, struct span key) {
    for (int i = 0; i < KEYS; i++) {
        size_t length = strlen(key_names[i]);
        if (key.length == length + 2 && !memcmp(file->cursor.text + key.start + 1, key_names[i], length))
            return i;
    }
    return -1;
}

/* Fills file->keys: the spans of the top-level values we use. */
static int scan_keys(struct instructions_file *file, struct error *err) {
    struct cursor *cursor = &file->cursor;
    if (next_character(cursor) != '{') {
        return cursor_fail(cursor, cursor->at,
                           "a Natural Instructions file is one JSON object, which begins with '{'", err);
    }
    cursor->at++;
    bool more = next_character(cursor) != '}';
    if (!more) cursor->at++;
    while (more) {
        struct span key = {0}, value = {0};
        if (next_character(cursor) != '"')
            return cursor_fail(cursor, cursor->at, "a key is expected here", err);
        key.start = cursor->at;
        TRY(skip_string(cursor, err));
        key.length = cursor->at - key.start;
        if (next_character(cursor) != ':')
            return cursor_fail(cursor, cursor->at, "':' is expected here", err);
        cursor->at++;
        TRY(skip_value(cursor, &value, err));
        int known = find_key(file, key);
        if (known >= 0) {
            if (file->keys[known].length)
                return cursor_fail(cursor, key.start, "this key was given before", err);
            file->keys[known] = value;
        }
        TRY(skip_separator(cursor, '}', &more, err));
    }
    if (next_character(cursor) || cursor->at < cursor->length) {
        return cursor_fail(cursor, cursor->at, "unexpected text after the object", err);
    }
    return 0;
}

static int fail_key(const struct instructions_file *file, int key, const char *what, struct error *err) {
    struct json_place place = json_place_of(file->cursor.text, file->keys[key].start);
    return error_set(err, ERROR_INPUT, "%s:%zu:%zu: \"%s\" %s", file->cursor.path, place.line, place.column,
                     key_names[key], what);
}

static int parse_span(const struct instructions_file *file, struct span span, cJSON **out,
                      struct error *err) {
    return json_parse_part(file->cursor.path, file->cursor.text, span.start, span.length, out, err);
}

/* The first string of a list of strings, or a plain string; *out stays as it is when the key is absent or
 * empty. */
static int read_first_string(struct instructions_file *file, int key, const char **out, struct error *err) {
    if (!file->keys[key].length) return 0;
    cJSON *value;
    TRY(parse_span(file, file->keys[key], &value, err));
    const cJSON *first = cJSON_IsArray(value) ? value->child : value;
    int code = 0;
    for (const cJSON *item = first; item && !code; item = item->next) {
        if (!cJSON_IsString(item)) code = fail_key(file, key, "is not a list of strings", err);
    }
    if (!code && first && first->valuestring[0]) {
        char *copy;
        code = arena_copy(file->arena, first->valuestring, strlen(first->valuestring), &copy, err);
        if (!code) *out = copy;
    }
    cJSON_Delete(value);
    return code;
}

static const char *string_field(const cJSON *object, const char *name) {
    const cJSON *field = cJSON_GetObjectItemCaseSensitive(object, name);
    if (cJSON_IsArray(field)) field = field->child;
    return cJSON_IsString(field) ? field->valuestring : NULL;
}

static int read_example(struct instructions_file *file, struct span span, struct instructions_example *out,
                        struct error *err) {
    cJSON *value;
    TRY(parse_span(file, span, &value, err));
    const char *input = string_field(value, "input"), *output = string_field(value, "output");
    int code = 0;
    char *copy;
    if (!input || !output) {
        code =
            fail_key(file, KEY_EXAMPLES, "holds an entry without the strings \"input\" and \"output\"", err);
    }
    if (!code) code = arena_copy(file->arena, input, strlen(input), &copy, err);
    if (!code) out->input = copy;
    if (!code) code = arena_copy(file->arena, output, strlen(output), &copy, err);
    if (!code) out->output = copy;
    cJSON_Delete(value);
    return code;
}

static int read_examples(struct instructions_file *file, size_t wanted, struct error *err) {
    struct span list = file->keys[KEY_EXAMPLES];
    if (!list.length) return 0;
    struct cursor cursor = file->cursor;
    cursor.at = list.start;
    if (cursor.text[cursor.at] != '[') return fail_key(file, KEY_EXAMPLES, "is not a list", err);
    bool more = enter_list(&cursor);
    size_t capacity = 0;
    while (more && file->example_count < wanted) {
        struct span span;
        TRY(skip_value(&cursor, &span, err));
        TRY(skip_separator(&cursor, ']', &more, err));
        TRY(memory_reserve(&file->examples, &capacity, file->example_count + 1, sizeof *file->examples, err));
        TRY(read_example(file, span, &file->examples[file->example_count], err));
        file->example_count++;
    }
    return 0;
}

static int read_header(struct instructions_file *file, const char *path, size_t examples, struct error *err) {
    TRY(arena_create(&file->arena, err));
    char *copy;
    TRY(arena_copy(file->arena, path, strlen(path), &copy, err));
    file->cursor.path = copy;
    file->definition = "";
    TRY(scan_keys(file, err));
    struct span list = file->keys[KEY_INSTANCES];
    if (!list.length) return error_set(err, ERROR_INPUT, "%s: has no \"Instances\"", path);
    if (file->cursor.text[list.start] != '[') return fail_key(file, KEY_INSTANCES, "is not a list", err);
    TRY(read_first_string(file, KEY_DEFINITION, &file->definition, err));
    TRY(read_first_string(file, KEY_CATEGORIES, &file->category, err));
    TRY(read_examples(file, examples, err));
    instructions_rewind(file);
    return 0;
}

static int finish_open(struct instructions_file *file, const char *path, size_t examples,
                       struct instructions_file **out, struct error *err) {
    int code = read_header(file, path, examples, err);
    if (code) {
        instructions_close(&file);
    } else {
        *out = file;
    }
    return code;
}

int instructions_open(const char *path, size_t examples, struct instructions_file **out, struct error *err) {
    *out = NULL;
    struct instructions_file *file;
    TRY(memory_alloc(&file, 1, sizeof *file, err));
    int code = file_map(path, &file->map, err);
    if (code) {
        instructions_close(&file);
        return code;
    }
    file->cursor.text = (const char *)file->map.data;
    file->cursor.length = file->map.length;
    return finish_open(file, path, examples, out, err);
}

int instructions_open_bytes(const char *path, const char *bytes, size_t length, size_t examples,
                            struct instructions_file **out, struct error *err) {
    *out = NULL;
    struct instructions_file *file;
    TRY(memory_alloc(&file, 1, sizeof *file, err));
    file->cursor.text = bytes;
    file->cursor.length = length;
    return finish_open(file, path, examples, out, err);
}

void instructions_close(struct instructions_file **out) {
    struct instructions_file *file = *out;
    *out = NULL;
    if (!file) return;
    cJSON_Delete(file->instance);
    memory_free(file->examples);
    arena_destroy(&file->arena);
    file_unmap(&file->map);
    memory_free(file);
}

const char *instructions_definition(const struct instructions_file *file) {
    return file->definition;
}

const char *instructions_category(const struct instructions_file *file) {
    return file->category;
}

const struct instructions_example *instructions_examples(const struct instructions_file *file,
                                                         size_t *count) {
    *count = file->example_count;
    return file->examples;
}

/* ---- instances */

void instructions_rewind(struct instructions_file *file) {
    file->cursor.at = file->keys[KEY_INSTANCES].start;
    file->more = enter_list(&file->cursor);
    file->number = 0;
}

static bool is_blank(const char *text) {
    return !text[strspn(text, " \t\n\r\v\f")];
}

/* What is wrong with a parsed instance, or NULL; fills input and output. */
static const char *judge(const cJSON *value, struct instructions_instance *out) {
    if (!cJSON_IsObject(value)) return "not an object";
    const cJSON *input = NULL, *output = NULL;
    for (const cJSON *field = value->child; field; field = field->next) {
        if (!strcmp(field->string, "input")) {
            if (input) return "\"input\" is given twice";
            input = field;
        } else if (!strcmp(field->string, "output")) {
            if (output) return "\"output\" is given twice";
            output = field;
        }
    }
    if (!input) return "no \"input\"";
    if (!cJSON_IsString(input)) return "\"input\" is not a string";
    if (!output) return "no \"output\"";
    if (!cJSON_IsString(output) && !cJSON_IsArray(output)) return "\"output\" is not a list of strings";
    const cJSON *first = cJSON_IsArray(output) ? output->child : output;
    if (!first) return "\"output\" is an empty list";
    if (cJSON_IsArray(output)) {
        for (const cJSON *item = first; item; item = item->next) {
            if (!cJSON_IsString(item)) return "\"output\" holds something that is not a string";
        }
    }
    if (is_blank(first->valuestring)) return "\"output\" is blank";
    out->input = input->valuestring;
    out->output = first->valuestring;
    return NULL;
}

int instructions_next(struct instructions_file *file, struct instructions_instance *out,
                      enum instructions_found *found, struct error *err) {
    *out = (struct instructions_instance){0};
    *found = INSTRUCTIONS_END;
    if (!file->more) return 0;
    struct span span;
    TRY(skip_value(&file->cursor, &span, err));
    TRY(skip_separator(&file->cursor, ']', &file->more, err));
    file->last = span;
    out->number = ++file->number;

    cJSON_Delete(file->instance);
    file->instance = NULL;
    int code = parse_span(file, span, &file->instance, NULL);
    if (code && code != ERROR_INPUT)
        return error_set(err, code, "%s: cannot parse an instance", file->cursor.path);
    *found = code || judge(file->instance, out) ? INSTRUCTIONS_BAD : INSTRUCTIONS_INSTANCE;
    return 0;
}

int instructions_explain(const struct instructions_file *file, struct error *err) {
    struct error bad = {0};
    struct instructions_instance unused;
    cJSON *value;
    const char *path = file->cursor.path;
    if (parse_span(file, file->last, &value, &bad)) { /* bad.message is "FILE:LINE:COLUMN: ..." */
        return error_set(err, ERROR_INPUT, "%s: instance %zu, at %s", path, file->number,
                         bad.message + strlen(path) + 1);
    }
    const char *wrong = judge(value, &unused);
    size_t line = json_place_of(file->cursor.text, file->last.start).line;
    error_set(err, ERROR_INPUT, "%s: instance %zu (line %zu): %s", path, file->number, line,
              wrong ? wrong : "sound");
    cJSON_Delete(value);
    return ERROR_INPUT;
}
