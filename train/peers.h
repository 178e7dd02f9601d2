/* A device's link to those of other processes: sums and gatherings from device to device, beside the
 * backend's operations and without the host's memory. NCCL on GPUs (train/cuda/peers.cu); the ranks' ids
 * travel as the caller likes, by MPI in runner/link.c.
 *
 * All ranks call `sum`, `gather` and `join` in the same order with the same sizes, also after a failure of
 * other operations: the others wait for them on their devices. */
#ifndef ADAPT_TRAIN_PEERS_H
#define ADAPT_TRAIN_PEERS_H

#include "train/backend.h"

/* What the processes tell each other before they are linked. */
struct peers_card {
    char library[48]; /* what links devices, "NCCL 2.27.3" */
    char device[64];  /* tells the device from all others, on this machine and elsewhere */
};
enum { PEERS_ID_BYTES = 128 };

struct peers {
    /* Every F32 of x becomes its sum over the ranks: of what it is after the operations called so far.
     * Operations called afterwards run beside it and must leave x alone until `join`. */
    void (*sum)(struct peers *peers, size_t n, struct view x);
    /* x consists of a run of elements for each rank, in their order and of these lengths: each is copied from
     * its own rank to the others. Runs beside operations as `sum` does. */
    void (*gather)(struct peers *peers, const size_t *lengths, struct view x);
    /* Operations called from now on come after the sums and gatherings. Does not wait; returns why one of
     * them could not be begun on this rank. One that fails later fails the backend's `check`, and every join
     * from then on. */
    int (*join)(struct peers *peers, struct error *err);
    /* Gives up what is not done, where another rank cannot take part; only `close` may follow. */
    void (*abandon)(struct peers *peers);
    /* Of what was begun before the last join and after the one before it, in seconds: how long it went on
     * before that join's place in the order of operations, and how long the operations behind it had to wait.
     * Waits until it is done; 0 and 0 where there was nothing. */
    void (*seconds)(struct peers *peers, double *beside, double *waited);
    void (*close)(struct peers *peers);
};

#endif
