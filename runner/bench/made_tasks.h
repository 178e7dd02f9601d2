/* Tasks made of random tokens, for measurements that need a model and no data. */
#ifndef ADAPT_RUNNER_MADE_TASKS_H
#define ADAPT_RUNNER_MADE_TASKS_H

#include "io/tasks/tasks.h"

struct made_tasks_shape {
    int tasks;
    int length;               /* tokens of every example, at least 2 */
    double supervised;        /* share of an example's tokens that is its completion, at least one */
    int vocabulary;           /* ids are below it */
    int training, validation; /* examples of each task */
};

/* The set and all it holds belong to *out: free it with made_tasks_destroy, not with task_set_destroy. The
 * same shape gives the same tokens. */
struct made_tasks;
int made_tasks_create(const struct made_tasks_shape *shape, struct made_tasks **out, struct error *err);
void made_tasks_destroy(struct made_tasks **tasks); /* *tasks may be NULL */
struct task_set *made_tasks_set(struct made_tasks *tasks);

#endif
