#include "tests/emulation/fiber.h"

#include <cstdint>
#include <cstdlib>
#include <sys/mman.h>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

enum {
    STACK = 256 << 10,
    STAGGER = 9 * 64, /* stacks begin at other lines of the cache than their neighbours' */
    STAGGERS = 64
};

struct fiber {
#if defined(__x86_64__)
    struct fiber_stacks stacks;
#else
    ucontext_t here, caller;
#endif
    unsigned char *stack;
    size_t size; /* of it, less what staggers it */
    void (*run)(void *);
    void *context;
    bool ended;
    void *fake_stack, *caller_fake_stack; /* AddressSanitizer's */
    const void *caller_stack;
    size_t caller_size;
};

struct fiber *fiber_create() {
    static unsigned made;
    struct fiber *fiber = (struct fiber *)calloc(1, sizeof *fiber);
    fiber->size = STACK - made++ % STAGGERS * (size_t)STAGGER;
    fiber->stack =
        (unsigned char *)mmap(nullptr, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (fiber->stack == MAP_FAILED) abort();
    return fiber;
}

/* On a fiber's stack, after coming to it. */
static void arrive(struct fiber *fiber) {
    (void)fiber;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fiber->fake_stack, &fiber->caller_stack, &fiber->caller_size);
#endif
}

static void leave(struct fiber *fiber) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(fiber->ended ? nullptr : &fiber->fake_stack, fiber->caller_stack,
                                   fiber->caller_size);
#endif
#if defined(__x86_64__)
    fiber_switch(&fiber->stacks.here, fiber->stacks.caller);
#else
    swapcontext(&fiber->here, &fiber->caller);
#endif
}

void fiber_enter(struct fiber *fiber) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&fiber->caller_fake_stack, fiber->stack, fiber->size);
#endif
#if defined(__x86_64__)
    fiber_switch(&fiber->stacks.caller, fiber->stacks.here);
#else
    swapcontext(&fiber->caller, &fiber->here);
#endif
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fiber->caller_fake_stack, nullptr, nullptr);
#endif
}

void fiber_back(struct fiber *fiber) {
    leave(fiber);
    arrive(fiber);
}

static struct fiber *starting; /* read by the first lines of a fiber */

static void first() {
    struct fiber *fiber = starting;
    arrive(fiber);
    fiber->run(fiber->context);
    fiber->ended = true;
    leave(fiber);
    abort(); /* an ended fiber is not gone on with */
}

void fiber_start(struct fiber *fiber, void (*run)(void *), void *context) {
    fiber->run = run;
    fiber->context = context;
    fiber->ended = false;
    fiber->fake_stack = nullptr;
    starting = fiber;
#if defined(__x86_64__)
    /* As if `first` had been called: the stack is 16-byte aligned before the return address. */
    void **top = (void **)((uintptr_t)(fiber->stack + fiber->size) & ~(uintptr_t)15);
    top[-1] = nullptr;
    top[-2] = (void *)first;
    fiber->stacks.here = top - 2;
#else
    getcontext(&fiber->here);
    fiber->here.uc_stack.ss_sp = fiber->stack;
    fiber->here.uc_stack.ss_size = fiber->size;
    fiber->here.uc_link = nullptr;
    makecontext(&fiber->here, first, 0);
#endif
    fiber_enter(fiber);
}

bool fiber_ended(const struct fiber *fiber) {
    return fiber->ended;
}
