/* "budgets": fractions, and their names as the user wrote them. */
#include "runner/experiment/experiment_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char expected[] =
    "a list of fractions of the available supervised tokens, such as [0.01, 0.05] is expected";

/* --- The text of the numbers: the parser keeps their values only, but 0.10 is to be called "0.10". The text
 * has been parsed before, so its structure can be relied on. */

static const char *skip_space(const char *at) {
    return at + strspn(at, " \t\r\n");
}

/* At a value's first character; returns behind it. */
static const char *skip_value(const char *at) {
    int depth = 0;
    do {
        if (*at == '"') {
            for (at++; *at != '"'; at++) at += *at == '\\';
        } else if (*at == '{' || *at == '[') {
            depth++;
        } else if (*at == '}' || *at == ']') {
            depth--;
        } else if (!depth && !strchr(" \t\r\n,:", *at)) {
            return at + strcspn(at, " \t\r\n,:]}");
        }
        at++;
    } while (depth);
    return at;
}

/* The value of a key of the outermost object, or NULL (also where the key is written with escapes). */
static const char *find_value(const char *text, const char *key) {
    const char *at = skip_space(text) + 1;
    size_t length = strlen(key);
    for (at = skip_space(at); *at == '"'; at = skip_space(at)) {
        bool found = !strncmp(at + 1, key, length) && at[1 + length] == '"';
        at = skip_space(skip_value(at));
        at = skip_space(at + 1); /* the colon */
        if (found) return at;
        at = skip_space(skip_value(at));
        if (*at == ',') at++;
    }
    return NULL;
}

/* The name of element `index`. */
static int name_budget(struct experiment_reader *reader, int index, double fraction, const char **out,
                       struct error *err) {
    char printed[32], *copy;
    int length = snprintf(printed, sizeof printed, "%.15g", fraction);
    const char *name = printed, *at = find_value(reader->experiment->text, "budgets");
    if (at) {
        at = skip_space(at + 1);
        for (int i = 0; i < index; i++) at = skip_space(skip_space(skip_value(at)) + 1);
        name = at;
        length = (int)(skip_value(at) - at);
    }
    TRY(arena_copy(reader->arena, name, (size_t)length, &copy, err));
    *out = copy;
    return 0;
}

static void check_budget(struct experiment_reader *reader, const char *place, double fraction, int index) {
    const struct experiment_budget *budgets = reader->experiment->budgets;
    struct json_report *report = &reader->report;
    if (fraction != 1.0 && fraction == floor(fraction) && fraction > 0.0) {
        json_mistake(report, place,
                     "%.15g is a whole number, but a budget is a fraction of the available supervised tokens "
                     "(0 < budget <= 1; "
                     "one per cent is 0.01)",
                     fraction);
    } else if (!(fraction > 0.0 && fraction <= 1.0)) {
        json_mistake(report, place,
                     "%.15g is out of range (0 < budget <= 1, a fraction of the available supervised tokens, "
                     "is expected)",
                     fraction);
    }
    for (int i = 0; i < index; i++) {
        if (budgets[i].fraction == fraction) {
            json_mistake(report, place, "the same budget as budgets[%d]", i);
            break;
        }
    }
}

int experiment_read_budgets(struct experiment_reader *reader, struct error *err) {
    struct experiment *experiment = reader->experiment;
    const cJSON *list = experiment_list(reader, "budgets", expected), *item;
    if (!list) return 0;
    TRY(arena_alloc(reader->arena, &experiment->budgets, (size_t)cJSON_GetArraySize(list),
                    sizeof *experiment->budgets, err));
    int index = 0;
    cJSON_ArrayForEach(item, list) {
        char place[EXPERIMENT_PLACE_BYTES];
        snprintf(place, sizeof place, "budgets[%d]", index);
        struct experiment_budget *budget = &experiment->budgets[index];
        if (cJSON_IsNumber(item)) {
            budget->fraction = item->valuedouble;
            TRY(name_budget(reader, index, budget->fraction, &budget->name, err));
            check_budget(reader, place, budget->fraction, index);
        } else {
            budget->fraction = NAN; /* equal to no other */
            json_mistake(&reader->report, place, "not a number (%s)", expected);
        }
        index++;
    }
    experiment->budget_count = index;
    return 0;
}
