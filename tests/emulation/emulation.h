/* The emulator from inside: what its files share. */
#ifndef ADAPT_EMULATION_EMULATION_H
#define ADAPT_EMULATION_EMULATION_H

#include "cuda_runtime.h"

/* Says what is wrong and ends the program: an error in a kernel that a GPU would not have told. */
[[noreturn]] void emulation_stop(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One of the program's threads at a time is inside of the emulator: a lock, for as long as this lives. It may
 * be taken again by the same thread. */
struct emulation_turn {
    emulation_turn();
    ~emulation_turn();
};

/* Device memory may be touched between these, which nest. */
void emulation_memory_open();
void emulation_memory_close();
/* Stops unless all guards are whole. */
void emulation_memory_check(const char *when);
/* Whether the bytes lie inside of one allocation on the device. */
bool emulation_memory_holds(const void *at, size_t bytes);

/* The next of a row of numbers that shuffle blocks and threads; the environment's ADAPT_EMULATION_SEED begins
 * it. */
uint32_t emulation_random();

/* Runs every stream's work, or one's. */
void emulation_drain_all();
void emulation_drain(cudaStream_t stream);
/* Puts work into the stream that is tried again until it returns true: it waits for other processes. */
void emulation_enqueue_waiting(cudaStream_t stream, std::function<bool()> work);
/* The device that was set last. */
int emulation_device();

/* Runs `work` once when all lanes of the warp have come to the same place, on what each of them gives. */
void emulation_together(const char *file, int line, void *mine, void (*work)(void *const lanes[32]));
/* Stops unless the bytes lie inside of the block's shared memory. */
void emulation_check_shared(const char *what, const void *at, size_t bytes);

/* Counts the calls that reach the device, and breaks one of them: after ADAPT_EMULATION_LOST calls the device
 * is lost. */
bool emulation_lost();

#endif
