/* A backend that passes every operation on to another one and keeps the time: where a step's seconds go. It
 * is the time that the device took, told by stamps before and behind each operation, and the host waits for
 * it only where some hundreds of operations are behind it, and in timing_take. */
#ifndef ADAPT_TRAIN_TIMING_H
#define ADAPT_TRAIN_TIMING_H

#include "train/backend.h"

enum timed {
    TIMED_LINEAR,        /* products x W^T */
    TIMED_LINEAR_INPUT,  /* products dy W */
    TIMED_LINEAR_WEIGHT, /* products dy^T x */
    TIMED_ATTENTION,
    TIMED_ATTENTION_BACKWARD,
    TIMED_CROSS_ENTROPY, /* with the output layer, forward and backward */
    TIMED_NORM,
    TIMED_GATED,
    TIMED_ROPE,
    TIMED_EMBED,
    TIMED_ROW_DOT, /* of alignments, and losses by task */
    TIMED_OPTIMIZER,
    TIMED_OTHER, /* copies, sums, zeros, gathers */
    TIMED_COUNT
};

/* What a kind is called in tables and JSON: "linear", "attention_backward". */
const char *timed_name(enum timed kind);

enum { TIMING_STAMPS = 16 };

/* `inner` is borrowed and must live as long. Memory of either is memory of both. Callers of either have the
 * stamps below TIMING_STAMPS; the others are taken. */
int timing_create(struct backend *inner, struct backend **out, struct error *err);

/* Seconds spent by kind since the last call, into seconds[TIMED_COUNT]; waits for the operations. What was
 * called while a failure stood, or stands untold, counts as nothing. */
void timing_take(struct backend *timing, double *seconds);

#endif
