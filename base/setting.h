/* A settings struct described as data: one table row per field. io/json.h reads JSON into it and names every
 * mistake; the archive and `adapt plan` print it. Each module that has settings exports its table. */
#ifndef ADAPT_BASE_SETTING_H
#define ADAPT_BASE_SETTING_H

#include <stddef.h>

enum setting_kind {
    SETTING_REAL,   /* double */
    SETTING_COUNT,  /* long long, a whole number */
    SETTING_FLAG,   /* bool */
    SETTING_CHOICE, /* int, the index of one of `choices` */
    SETTING_TEXT    /* const char *, owned by whoever parsed it; NULL when absent */
};

struct setting {
    const char *name; /* the JSON key; a NULL name ends a table */
    enum setting_kind kind;
    size_t offset;              /* of the field in its struct */
    double initial;             /* default of REAL, COUNT, FLAG and CHOICE */
    double low, high;           /* inclusive range of REAL and COUNT */
    const char *const *choices; /* NULL-terminated names of a CHOICE */
    const char *initial_text;   /* default of TEXT, or NULL */
    const char *meaning;        /* one sentence, with the unit */
};

/* Sets every field that `table` describes in `*settings` to its default. */
void setting_defaults(const struct setting *table, void *settings);

#endif
