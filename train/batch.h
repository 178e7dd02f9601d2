/* A packed batch: whole examples laid end to end, without padding, with no attention across examples.
 *
 * Row t holds the token that is fed; a target says which row predicts which token. All arrays are the host's.
 */
#ifndef ADAPT_TRAIN_BATCH_H
#define ADAPT_TRAIN_BATCH_H

#include "base/error.h"
#include "io/tasks/tasks.h"
#include "train/backend.h"
#include <stdint.h>

struct batch {
    int rows, row_capacity;
    int32_t *id;       /* [rows] token fed */
    int32_t *position; /* [rows] position in its example */
    int32_t *row_slot; /* [rows] alignment slot (such as the task) that the row's gradient counts for */

    int segments, segment_capacity;
    struct segment *segment; /* [segments] */

    int targets, target_capacity;
    int32_t *target_row;  /* [targets] row whose output predicts; distinct, ascending */
    int32_t *target_id;   /* [targets] token predicted */
    float *target_weight; /* [targets] factor of this target's loss in the objective */
    int32_t *target_slot; /* [targets] row_slot of its row */
};

/* An empty batch with room for so many rows, targets and segments. */
int batch_create(int rows, int targets, int segments, struct batch **out, struct error *err);
void batch_destroy(struct batch **batch);
void batch_clear(struct batch *batch);

/* True if an example fits into the room that is left. An example of n tokens needs n - 1 rows: its last token
 * is predicted, never fed. */
bool batch_fits(const struct batch *batch, const struct example *example);
/* Appends a training example: its completion's tokens become targets of weight `weight` and slot `slot`. The
 * example must fit. */
void batch_add_example(struct batch *batch, const struct example *example, int32_t slot, float weight);
/* Appends raw rows as one segment, positions counting on from the prefix (prefix_length 0: none); returns its
 * first row, or -1 if there is no room. */
int batch_add_segment(struct batch *batch, const int32_t *ids, int count, int prefix_start,
                      int prefix_length);
/* Appends a target (rows ascending); false if there is no room. */
bool batch_add_target(struct batch *batch, int row, int32_t id, float weight);

#endif
