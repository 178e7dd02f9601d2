/* The gradient of a weighted sum of tasks' losses whose weights depend on the losses. */
#include "runner/cell/pass_internal.h"

#include <string.h>

/* The run in progress. */
struct weighed {
    struct pass *pass;
    const struct pass_weigher *weigher;
    struct pass_work work;
    double *loss, *tokens, *weight; /* [tasks] sums, in pass->sums */
    double *mean;                   /* [tasks] the caller's */
    bool begun;                     /* the gradient holds something */
};

static int task_end(const struct pass_item *items, int count, int first) {
    int end = first;
    while (end < count && items[end].task == items[first].task) end++;
    return end;
}

/* Fills the batch with as many whole tasks from items[0] on as fit; returns where it stopped, 0 if not even
 * one fits. */
static int pack(struct pass *pass, const struct pass_item *items, int count) {
    int packed = 0;
    batch_clear(pass->batch);
    while (packed < count) {
        int end = task_end(items, count, packed), rows = pass->batch->rows, targets = pass->batch->targets;
        int segments = pass->batch->segments;
        for (int i = packed; i < end; i++) {
            if (!batch_fits(pass->batch, items[i].example)) { /* not the whole task: take it out again */
                pass->batch->rows = rows;
                pass->batch->targets = targets;
                pass->batch->segments = segments;
                return packed;
            }
            batch_add_example(pass->batch, items[i].example, items[i].task, items[i].weight);
        }
        packed = end;
    }
    return packed;
}

/* Asks for the weight of a task whose sums are known, as a factor of each of its tokens' losses. */
static int weigh(struct weighed *w, int task, double *rescale, struct error *err) {
    w->mean[task] = w->loss[task] / w->tokens[task];
    TRY(w->weigher->weigh(w->weigher->context, task, w->mean[task], &w->weight[task], rescale, err));
    w->weight[task] /= w->tokens[task];
    return 0;
}

static void scale_gradient(struct weighed *w, double factor) {
    struct backend *backend = w->pass->backend;
    if (w->begun && factor != 1.0)
        backend->scale(backend, w->pass->elements, (float)factor, w->work.gradient);
    w->begun = true;
}

/* The tasks of items[0 .. count-1] fill the batch: one forward pass, their weights, one backward pass. */
static int packed_tasks(struct weighed *w, const struct pass_item *items, int count, struct error *err) {
    struct pass *pass = w->pass;
    struct batch *batch = pass->batch;
    double before = 1.0; /* rescales what earlier batches have left */
    pass_pulse(pass);
    TRY(model_forward(pass->model, w->work.parameters, batch, err));
    TRY(model_losses(pass->model, pass->target_loss, NULL, err));
    for (int n = 0; n < batch->targets; n++) {
        w->loss[batch->target_slot[n]] += pass->target_loss[n];
        w->tokens[batch->target_slot[n]] += 1.0;
    }
    for (int first = 0; first < count; first = task_end(items, count, first)) {
        double rescale;
        TRY(weigh(w, items[first].task, &rescale, err));
        for (int i = 0; i < first; i = task_end(items, count, i)) w->weight[items[i].task] *= rescale;
        before *= rescale;
    }
    scale_gradient(w, before);
    for (int n = 0; n < batch->targets; n++)
        batch->target_weight[n] = (float)((double)batch->target_weight[n] * w->weight[batch->target_slot[n]]);
    return model_backward(pass->model, 1.0f, w->work.gradient, view_none(), err);
}

/* One task of several micro-batches: its loss first, then its gradient. */
static int long_task(struct weighed *w, const struct pass_item *items, int count, struct error *err) {
    double rescale;
    w->work.backward = false;
    TRY(model_take_sums(w->pass->model, NULL, NULL, err)); /* what packed tasks have left */
    TRY(pass_run_items(w->pass, &w->work, items, count, -1, err));
    TRY(weigh(w, items[0].task, &rescale, err));
    scale_gradient(w, rescale);
    w->work.scale = (float)w->weight[items[0].task];
    w->work.backward = true;
    return pass_run_items(w->pass, &w->work, items, count, -1, err);
}

int pass_weighed_gradient(struct pass *pass, struct view parameters, const struct pass_item *items, int count,
                          struct view gradient, const struct pass_weigher *weigher, double *loss,
                          struct error *err) {
    size_t tasks = (size_t)pass->limits.tasks;
    struct weighed w = {.pass = pass,
                        .weigher = weigher,
                        .work = {.parameters = parameters, .gradient = gradient, .direction = view_none()},
                        .loss = pass->sums,
                        .tokens = pass->sums + tasks,
                        .weight = pass->sums + 2 * tasks,
                        .mean = loss};
    memset(pass->sums, 0, 3 * tasks * sizeof(double));
    pass->backend->zero(pass->backend, pass->elements, gradient);
    for (int first = 0; first < count;) {
        int packed = pack(pass, items + first, count - first);
        if (packed > 0) {
            TRY(packed_tasks(&w, items + first, packed, err));
        } else {
            packed = task_end(items + first, count - first, 0);
            TRY(long_task(&w, items + first, packed, err));
        }
        first += packed;
    }
    return model_take_sums(pass->model, NULL, NULL, err);
}
