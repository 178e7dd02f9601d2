#include "runner/announce.h"

#include "runner/cell/cell_checkpoint.h"
#include "runner/check/estimate.h"
#include "runner/device.h"
#include "runner/link.h"
#include <stdio.h>

static const double gibibyte = 1 << 30;

void announce_run(const struct run *run) {
    int cells = 0, left = 0;
    for (int i = 0; i < run->grid->count; i++) {
        cells += run->grid->cells[i].selected;
        left += run->grid->cells[i].selected && !run->grid->cells[i].done;
    }
    progress_say(run->progress,
                 "%s: %d cell%s, %d to run; %d rank%s, %lld a cell, %d thread%s each; %s in %s",
                 run->experiment->name, cells, cells == 1 ? "" : "s", left, run->world.size,
                 run->world.size > 1 ? "s" : "", (long long)run->experiment->ranks_per_cell, run->threads,
                 run->threads > 1 ? "s" : "", run->experiment->device,
                 run->backend->activations == DTYPE_BF16 ? "bfloat16" : "float32");
    if (run->group.link) progress_say(run->progress, "sums over the ranks: %s", link_describe(&run->group));
    if (run->group.size > 1 && !link_peers(&run->group) && !group_may_thread())
        progress_say(run->progress,
                     "warning: MPI gives no thread of its own to sums over the ranks (less than "
                     "MPI_THREAD_SERIALIZED): they go on only now and then beside the computation");
}

void announce_model(const struct run *run, const struct loaded_model *model) {
    const struct experiment *experiment = run->experiment;
    struct trainer_memory most = {0};
    char parts[512], beside[128];
    size_t left, total;
    for (int i = 0; i < experiment->method_count; i++) {
        struct trainer_memory memory =
            estimate_memory(run->backend, experiment, model, &experiment->methods[i]);
        if (memory.total > most.total) most = memory;
    }
    trainer_memory_describe(&most, parts, sizeof parts);
    run->backend->memory(run->backend, &left, &total);
    if (device_uses_host_memory(experiment->device))
        snprintf(
            beside, sizeof beside, ", and %.2f GiB for copies of what a checkpoint holds",
            (double)cell_checkpoint_bytes(model, &experiment->training, (int)experiment->ranks_per_cell) /
                gibibyte);
    else
        snprintf(beside, sizeof beside, "; %.2f of %.2f GiB are free", (double)left / gibibyte,
                 (double)total / gibibyte);
    progress_say(run->progress, "%s: a rank takes up to %.2f GiB of memory (%s)%s", model->entry->name,
                 most.total / gibibyte, parts, beside);
}
