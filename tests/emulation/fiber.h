/* Coroutines: a function with a stack of its own, left and gone on with at will. */
#ifndef ADAPT_EMULATION_FIBER_H
#define ADAPT_EMULATION_FIBER_H

struct fiber;

/* A fiber that runs `run(context)` each time it is entered afresh; `run` returns through fiber_leave alone or
 * by its end. Its stack lasts until the end of the program. */
struct fiber *fiber_create();
/* Starts the fiber, which must not be running, and comes back when it leaves or ends. */
void fiber_start(struct fiber *fiber, void (*run)(void *), void *context);
/* Goes on where the fiber left. */
static void fiber_resume(struct fiber *fiber);
/* From inside: back to whoever started or resumed it. */
static void fiber_leave(struct fiber *fiber);
/* Whether `run` has returned. */
bool fiber_ended(const struct fiber *fiber);

#include "tests/emulation/fiber_switch.h"

#endif
