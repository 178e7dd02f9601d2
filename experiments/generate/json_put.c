/* Building JSON values with every allocation checked. */
#include "experiments/generate/generate.h"

static int no_memory(cJSON *value, struct error *err) {
    cJSON_Delete(value);
    return error_set(err, ERROR_MEMORY, "no memory for a JSON value");
}

int put(cJSON *object, const char *key, cJSON *value, struct error *err) {
    if (value && cJSON_AddItemToObject(object, key, value)) return 0;
    return no_memory(value, err);
}

int append(cJSON *list, cJSON *value, struct error *err) {
    if (value && cJSON_AddItemToArray(list, value)) return 0;
    return no_memory(value, err);
}

int put_string(cJSON *object, const char *key, const char *value, struct error *err) {
    return put(object, key, cJSON_CreateString(value), err);
}

int put_number(cJSON *object, const char *key, double value, struct error *err) {
    return put(object, key, cJSON_CreateNumber(value), err);
}

int put_flag(cJSON *object, const char *key, bool value, struct error *err) {
    return put(object, key, cJSON_CreateBool(value), err);
}

int put_null(cJSON *object, const char *key, struct error *err) {
    return put(object, key, cJSON_CreateNull(), err);
}

int put_list(cJSON *object, const char *key, cJSON **list, struct error *err) {
    *list = cJSON_CreateArray();
    return put(object, key, *list, err);
}

int put_object(cJSON *object, const char *key, cJSON **child, struct error *err) {
    *child = cJSON_CreateObject();
    return put(object, key, *child, err);
}

int append_string(cJSON *list, const char *value, struct error *err) {
    return append(list, cJSON_CreateString(value), err);
}
