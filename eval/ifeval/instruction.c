#include "eval/ifeval/instruction.h"

#include "base/memory.h"
#include "eval/ifeval/ifeval.h"
#include "eval/ifeval/instructions.h"
#include "eval/python/python_text.h"
#include "io/json.h"
#include <math.h>
#include <string.h>

#define ADDRESS(name, id) &instruction_##name,
#define ID(name, id)      id,
static const struct instruction *const instructions[] = {EVERY_INSTRUCTION(ADDRESS)};
static const char *const ids[] = {EVERY_INSTRUCTION(ID) NULL};

const char *const *ifeval_instruction_ids(void) {
    return ids;
}

static int find_instruction(const char *id, const struct instruction **out, struct error *err) {
    for (size_t i = 0; ids[i]; i++) {
        *out = instructions[i];
        if (!strcmp(ids[i], id)) return 0;
    }
    const char *nearest = json_nearest(id, ids);
    if (nearest)
        return error_set(err, ERROR_INPUT, "unknown instruction \"%s\" (did you mean \"%s\"?)", id, nearest);
    return error_set(err, ERROR_INPUT, "unknown instruction \"%s\"", id);
}

/* ---- arguments */

/* What Python takes for false. */
static bool is_falsy(const cJSON *value) {
    return !value || cJSON_IsNull(value) || cJSON_IsFalse(value) ||
           (cJSON_IsNumber(value) && value->valuedouble == 0) ||
           (cJSON_IsString(value) && !value->valuestring[0]) ||
           ((cJSON_IsArray(value) || cJSON_IsObject(value)) && !value->child);
}

static const char *kind_name(enum argument_kind kind) {
    switch (kind) {
    case ARGUMENT_COUNT: return "a whole number, at least 1,";
    case ARGUMENT_RELATION: return "\"at least\" or \"less than\"";
    case ARGUMENT_TEXT: return "a text";
    case ARGUMENT_LETTER: return "one letter";
    case ARGUMENT_LANGUAGE: return "the code of a language";
    case ARGUMENT_TEXTS: return "a list of texts";
    }
    return "";
}

static bool read_count(const cJSON *value, size_t *out) {
    double number = value->valuedouble;
    if (!cJSON_IsNumber(value) || !(number >= 1 && number <= 0x1p53) || number != floor(number)) return false;
    *out = (size_t)number;
    return true;
}

static bool read_relation(const cJSON *value, bool *out) {
    if (!cJSON_IsString(value)) return false;
    *out = !strcmp(value->valuestring, "at least");
    return *out || !strcmp(value->valuestring, "less than");
}

/* The languages that the reference has names for. */
static bool is_language(const char *code) {
    static const char *const known[] = {"en", "es", "pt", "ar", "hi", "fr", "ru", "de", "ja", "it",
                                        "bn", "uk", "th", "ur", "ta", "te", "bg", "ko", "pl", "he",
                                        "fa", "vi", "ne", "sw", "kn", "mr", "gu", "pa", "ml", "fi"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!strcmp(code, known[i])) return true;
    }
    return false;
}

static bool read_text(const cJSON *value, enum argument_kind kind, const char **out) {
    if (!cJSON_IsString(value)) return false;
    *out = value->valuestring;
    if (kind == ARGUMENT_LETTER) return python_length(*out, strlen(*out)) == 1;
    return kind != ARGUMENT_LANGUAGE || is_language(*out);
}

static bool read_texts(const cJSON *value, const cJSON **out) {
    if (!cJSON_IsArray(value)) return false;
    for (const cJSON *item = value->child; item; item = item->next) {
        if (!cJSON_IsString(item)) return false;
    }
    *out = value;
    return true;
}

static bool read_argument(const struct argument *argument, const cJSON *value, struct arguments *out) {
    void *field = (char *)out + argument->offset;
    switch (argument->kind) {
    case ARGUMENT_COUNT: return read_count(value, field);
    case ARGUMENT_RELATION: return read_relation(value, field);
    case ARGUMENT_TEXT:
    case ARGUMENT_LETTER:
    case ARGUMENT_LANGUAGE: return read_text(value, argument->kind, field);
    case ARGUMENT_TEXTS: return read_texts(value, field);
    }
    return false;
}

/* The reference refuses what an instruction does not take. */
static int check_names(const struct instruction *instruction, const cJSON *object, struct error *err) {
    const char *names[ARGUMENT_MAX + 1] = {NULL};
    for (int i = 0; instruction->arguments[i].name; i++) names[i] = instruction->arguments[i].name;
    for (const cJSON *item = object ? object->child : NULL; item; item = item->next) {
        bool known = is_falsy(item);
        for (int i = 0; names[i] && !known; i++) known = !strcmp(names[i], item->string);
        if (known) continue;
        const char *nearest = json_nearest(item->string, names);
        return error_set(err, ERROR_INPUT, "%s: not an argument of this instruction%s%s%s", item->string,
                         nearest ? " (did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?)" : "");
    }
    return 0;
}

static int read_arguments(const struct instruction *instruction, const cJSON *object, struct arguments *out,
                          struct error *err) {
    if (object && !cJSON_IsNull(object) && !cJSON_IsObject(object))
        return error_set(err, ERROR_INPUT, "the arguments: an object expected");
    TRY(check_names(instruction, object, err));
    for (const struct argument *argument = instruction->arguments; argument->name; argument++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, argument->name);
        if (is_falsy(value) || !read_argument(argument, value, out))
            return error_set(err, ERROR_INPUT, "%s: %s expected", argument->name, kind_name(argument->kind));
    }
    return 0;
}

/* ---- demands */

static int add_pattern(struct demand *demand, const char *pattern, unsigned flags, struct error *err) {
    TRY(memory_reserve(&demand->patterns, &demand->pattern_capacity, demand->pattern_count + 1,
                       sizeof(struct python_regex *), err));
    TRY(python_regex_create(pattern, flags, &demand->patterns[demand->pattern_count], err));
    demand->pattern_count++;
    return 0;
}

int demand_add_pattern(struct demand *demand, const char *argument, unsigned flags, const char *before,
                       const char *middle, size_t length, const char *after, struct error *err) {
    struct text pattern = {0};
    int code = text_append_string(&pattern, before, err);
    if (!code) code = text_append(&pattern, middle, length, err);
    if (!code) code = text_append_string(&pattern, after, err);
    if (!code) code = add_pattern(demand, text_string(&pattern), flags, err);
    text_free(&pattern);
    return code ? error_context(err, "%s", argument) : 0;
}

static int fill(struct demand *out, const cJSON *arguments, struct error *err) {
    const struct instruction *instruction = out->instruction;
    TRY(read_arguments(instruction, arguments, &out->arguments, err));
    for (int i = 0; instruction->patterns[i].pattern; i++)
        TRY(add_pattern(out, instruction->patterns[i].pattern, instruction->patterns[i].flags, err));
    return instruction->prepare ? instruction->prepare(out, err) : 0;
}

int demand_create(struct demand *out, const char *id, const cJSON *arguments, struct error *err) {
    *out = (struct demand){0};
    TRY(find_instruction(id, &out->instruction, err));
    if (!fill(out, arguments, err)) return 0;
    demand_destroy(out);
    return error_context(err, "%s", id);
}

void demand_destroy(struct demand *demand) {
    for (size_t i = 0; i < demand->pattern_count; i++) python_regex_destroy(&demand->patterns[i]);
    memory_free(demand->patterns);
    text_free(&demand->phrase);
    *demand = (struct demand){0};
}

bool demand_is_met(const struct demand *demand, size_t actual) {
    return demand->arguments.at_least ? actual >= demand->arguments.count : actual < demand->arguments.count;
}
