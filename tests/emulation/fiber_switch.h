/* How a fiber is left and gone on with: of fiber.h alone. */
#ifndef ADAPT_EMULATION_FIBER_SWITCH_H
#define ADAPT_EMULATION_FIBER_SWITCH_H

#if defined(__x86_64__)

/* The first part of a fiber: the stack pointers of those who are not running. */
struct fiber_stacks {
    void *here, *caller;
};

/* Saves this stack in *save and goes on with the stack `to`, at the place whose address lies on its top.
 * Inline, and with a jump: calls that do not return to where they came from lead the processor's prediction
 * of return addresses astray, and there are millions of switches. What the compiler keeps in the 128 bytes
 * below its stack stays. */
static inline __attribute__((always_inline)) void fiber_switch(void **save, void *to) {
    asm volatile("leaq -128(%%rsp), %%rsp\n pushq %%rbp\n leaq 1f(%%rip), %%rax\n pushq %%rax\n"
                 "movq %%rsp, (%0)\n movq %1, %%rsp\n"
                 "popq %%rax\n jmp *%%rax\n"
                 "1: popq %%rbp\n leaq 128(%%rsp), %%rsp"
                 : "+D"(save), "+S"(to)
                 :
                 : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0",
                   "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
                   "xmm12", "xmm13", "xmm14", "xmm15", "memory", "cc");
}

#endif

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)

static inline __attribute__((always_inline)) void fiber_resume(struct fiber *fiber) {
    fiber_stacks *stacks = (fiber_stacks *)fiber;
    fiber_switch(&stacks->caller, stacks->here);
}
static inline __attribute__((always_inline)) void fiber_leave(struct fiber *fiber) {
    fiber_stacks *stacks = (fiber_stacks *)fiber;
    fiber_switch(&stacks->here, stacks->caller);
}

#else

/* With what AddressSanitizer wants to know of, or by the system's contexts. */
void fiber_enter(struct fiber *fiber);
void fiber_back(struct fiber *fiber);

static inline void fiber_resume(struct fiber *fiber) {
    fiber_enter(fiber);
}
static inline void fiber_leave(struct fiber *fiber) {
    fiber_back(fiber);
}

#endif

#endif
