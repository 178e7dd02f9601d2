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
    unsigned char *stack;
    size_t size; /* of it, less what staggers it */
    void (*run)(void *);
    void *context;
    bool ended;
#if defined(__x86_64__)
    void *here, *caller; /* stack pointers */
#else
    ucontext_t here, caller;
#endif
    void *fake_stack, *caller_fake_stack; /* AddressSanitizer's */
    const void *caller_stack;
    size_t caller_size;
};

#if defined(__x86_64__)
/* Saves what a function must keep on this stack, and takes it from the other: no system call, unlike
 * swapcontext. */
extern "C" void fiber_switch(void **save, void *to);
asm(".text\n"
    ".type fiber_switch, @function\n"
    "fiber_switch:\n"
    "    pushq %rbp\n    pushq %rbx\n    pushq %r12\n    pushq %r13\n    pushq %r14\n    pushq %r15\n"
    "    movq %rsp, (%rdi)\n"
    "    movq %rsi, %rsp\n"
    "    popq %r15\n    popq %r14\n    popq %r13\n    popq %r12\n    popq %rbx\n    popq %rbp\n"
    "    ret\n");
#endif

struct fiber *fiber_create() {
    static unsigned made;
    struct fiber *fiber = (struct fiber *)calloc(1, sizeof *fiber);
    fiber->size = STACK - made++ % STAGGERS * (size_t)STAGGER;
    fiber->stack =
        (unsigned char *)mmap(nullptr, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (fiber->stack == MAP_FAILED) abort();
    return fiber;
}

static void before_entering(struct fiber *fiber) {
    (void)fiber;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&fiber->caller_fake_stack, fiber->stack, fiber->size);
#endif
}

static void after_entering(struct fiber *fiber) {
    (void)fiber;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fiber->fake_stack, &fiber->caller_stack, &fiber->caller_size);
#endif
}

static void back(struct fiber *fiber) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(fiber->ended ? nullptr : &fiber->fake_stack, fiber->caller_stack,
                                   fiber->caller_size);
#endif
#if defined(__x86_64__)
    fiber_switch(&fiber->here, fiber->caller);
#else
    swapcontext(&fiber->here, &fiber->caller);
#endif
}

static void enter(struct fiber *fiber) {
    before_entering(fiber);
#if defined(__x86_64__)
    fiber_switch(&fiber->caller, fiber->here);
#else
    swapcontext(&fiber->caller, &fiber->here);
#endif
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fiber->caller_fake_stack, nullptr, nullptr);
#endif
}

static struct fiber *starting; /* read by the first lines of a fiber */

static void first() {
    struct fiber *fiber = starting;
    after_entering(fiber);
    fiber->run(fiber->context);
    fiber->ended = true;
    back(fiber);
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
    uintptr_t top = (uintptr_t)(fiber->stack + fiber->size) & ~(uintptr_t)15;
    void **at = (void **)(top - 16);
    *at = (void *)first;
    for (int i = 0; i < 6; i++) *--at = nullptr;
    fiber->here = at;
#else
    getcontext(&fiber->here);
    fiber->here.uc_stack.ss_sp = fiber->stack;
    fiber->here.uc_stack.ss_size = fiber->size;
    fiber->here.uc_link = nullptr;
    makecontext(&fiber->here, first, 0);
#endif
    enter(fiber);
}

void fiber_resume(struct fiber *fiber) {
    enter(fiber);
}

void fiber_leave(struct fiber *fiber) {
    back(fiber);
    after_entering(fiber);
}

bool fiber_ended(const struct fiber *fiber) {
    return fiber->ended;
}
