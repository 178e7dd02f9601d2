#include "base/setting.h"

#include <stdbool.h>

void setting_defaults(const struct setting *table, void *settings) {
    for (const struct setting *s = table; s->name; s++) {
        char *field = (char *)settings + s->offset;
        switch (s->kind) {
        case SETTING_REAL: *(double *)field = s->initial; break;
        case SETTING_COUNT: *(long long *)field = (long long)s->initial; break;
        case SETTING_FLAG: *(bool *)field = s->initial != 0.0; break;
        case SETTING_CHOICE: *(int *)field = (int)s->initial; break;
        case SETTING_TEXT: *(const char **)field = s->initial_text; break;
        }
    }
}
