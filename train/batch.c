#include "train/batch.h"

#include "base/memory.h"

int batch_create(int rows, int targets, int segments, struct batch **out, struct error *err) {
    *out = NULL;
    if (rows < 0 || targets < 0 || segments < 0) {
        return error_set(err, ERROR_INTERNAL, "a batch of %d rows, %d targets, %d segments", rows, targets,
                         segments);
    }
    struct batch *batch;
    TRY(memory_alloc(&batch, 1, sizeof *batch, err));
    batch->row_capacity = rows;
    batch->target_capacity = targets;
    batch->segment_capacity = segments;
    size_t row_count = (size_t)rows, target_count = (size_t)targets;
    int code = memory_alloc(&batch->id, row_count, sizeof *batch->id, err);
    if (!code) code = memory_alloc(&batch->position, row_count, sizeof *batch->position, err);
    if (!code) code = memory_alloc(&batch->row_slot, row_count, sizeof *batch->row_slot, err);
    if (!code) code = memory_alloc(&batch->segment, (size_t)segments, sizeof *batch->segment, err);
    if (!code) code = memory_alloc(&batch->target_row, target_count, sizeof *batch->target_row, err);
    if (!code) code = memory_alloc(&batch->target_id, target_count, sizeof *batch->target_id, err);
    if (!code) code = memory_alloc(&batch->target_weight, target_count, sizeof *batch->target_weight, err);
    if (!code) code = memory_alloc(&batch->target_slot, target_count, sizeof *batch->target_slot, err);
    if (code) {
        batch_destroy(&batch);
    } else {
        *out = batch;
    }
    return code;
}

void batch_destroy(struct batch **out) {
    struct batch *batch = *out;
    *out = NULL;
    if (!batch) return;
    memory_free(batch->id);
    memory_free(batch->position);
    memory_free(batch->row_slot);
    memory_free(batch->segment);
    memory_free(batch->target_row);
    memory_free(batch->target_id);
    memory_free(batch->target_weight);
    memory_free(batch->target_slot);
    memory_free(batch);
}

void batch_clear(struct batch *batch) {
    batch->rows = batch->targets = batch->segments = 0;
}

bool batch_fits(const struct batch *batch, const struct example *example) {
    return batch->segments < batch->segment_capacity &&
           example->length - 1 <= batch->row_capacity - batch->rows &&
           example->length - example->prompt <= batch->target_capacity - batch->targets;
}

int batch_add_segment(struct batch *batch, const int32_t *ids, int count, int prefix_start,
                      int prefix_length) {
    if (count < 1 || count > batch->row_capacity - batch->rows) return -1;
    if (batch->segments == batch->segment_capacity) return -1;
    int first = batch->rows;
    for (int i = 0; i < count; i++) {
        batch->id[first + i] = ids[i];
        batch->position[first + i] = prefix_length + i;
        batch->row_slot[first + i] = 0;
    }
    batch->rows += count;
    batch->segment[batch->segments++] = (struct segment){.start = first,
                                                         .length = count,
                                                         .prefix_start = prefix_length ? prefix_start : 0,
                                                         .prefix_length = prefix_length};
    return first;
}

bool batch_add_target(struct batch *batch, int row, int32_t id, float weight) {
    if (batch->targets == batch->target_capacity || row < 0 || row >= batch->rows) return false;
    int target = batch->targets++;
    batch->target_row[target] = row;
    batch->target_id[target] = id;
    batch->target_weight[target] = weight;
    batch->target_slot[target] = batch->row_slot[row];
    return true;
}

void batch_add_example(struct batch *batch, const struct example *example, int32_t slot, float weight) {
    int first = batch_add_segment(batch, example->ids, example->length - 1, 0, 0);
    if (first < 0) return; /* the caller broke the promise of batch_fits; nothing is written out of bounds */
    for (int row = first; row < batch->rows; row++) batch->row_slot[row] = slot;
    for (int at = example->prompt; at < example->length; at++) {
        batch_add_target(batch, first + at - 1, example->ids[at], weight);
    }
}
