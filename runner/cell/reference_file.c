#include "runner/cell/reference_file.h"

#include "io/json.h"
#include <math.h>

int reference_file_read(const char *path, int tasks, const char *const *name, double *loss,
                        struct error *err) {
    enum { BYTES_MAX = 16 << 20 };
    cJSON *json;
    int code = 0;
    TRY(json_parse_file(path, BYTES_MAX, &json, err));
    for (int k = 0; k < tasks && !code; k++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name[k]);
        if (cJSON_IsNumber(item) && isfinite(item->valuedouble))
            loss[k] = item->valuedouble;
        else
            code = error_set(err, ERROR_INPUT,
                             "%s: no reference loss for task \"%s\" (a number under that name is expected)",
                             path, name[k]);
    }
    cJSON_Delete(json);
    return code;
}
