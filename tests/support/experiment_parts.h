/* Experiment files made of parts, for tests of their reader. */
#ifndef ADAPT_TESTS_EXPERIMENT_PARTS_H
#define ADAPT_TESTS_EXPERIMENT_PARTS_H

#include "base/text.h"
#include "runner/experiment/experiment.h"

/* What the file is called in messages. */
#define EXPERIMENT_PARTS_PATH "/somewhere/e.json"

/* Members of the outermost object; NULL or "" leaves one out. */
struct experiment_parts {
    const char *name, *models, *tasks, *budgets, *methods, *rest;
};
/* A small file without mistakes. */
extern const struct experiment_parts experiment_parts_good;

void experiment_parts_write(const struct experiment_parts *parts, struct text *out);
/* Parses a file that must be good. */
struct experiment *experiment_parts_parse(const struct experiment_parts *parts);
/* Demands that the text is refused as input with exactly this message. */
void experiment_text_refused(const char *text, const char *message);
void experiment_parts_refused(const struct experiment_parts *parts, const char *message);

#endif
