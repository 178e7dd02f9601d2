#include "runner/selection.h"

int selection_text(const bool *wanted, int count, struct text *out, struct error *err) {
    for (int i = 0, any = 0; i < count; i++) {
        if (!wanted[i]) continue;
        int last = i;
        while (last + 1 < count && wanted[last + 1]) last++;
        TRY(text_printf(out, err, any++ ? ",%d" : "%d", i));
        if (last > i) TRY(text_printf(out, err, "-%d", last));
        i = last;
    }
    return 0;
}
