/* Time: operations are done when they return, so that a stamp is the clock's. */
#include "base/clock.h"
#include "train/cpu/cpu.h"

static bool number_is_good(struct cpu *cpu, const char *operation, int i) {
    if (i >= 0 && i < BACKEND_STAMPS) return true;
    cpu_fail(cpu, ERROR_INTERNAL, operation, "number %d is not in 0..%d", i, BACKEND_STAMPS - 1);
    return false;
}

static void stamp(struct backend *b, int i) {
    struct cpu *cpu = cpu_of(b);
    if (number_is_good(cpu, "stamp", i)) cpu->stamp[i] = cpu_ready(cpu) ? clock_seconds() : 0.0;
}

static double stamp_seconds(struct backend *b, int from, int to) {
    struct cpu *cpu = cpu_of(b);
    if (!number_is_good(cpu, "stamp_seconds", from) || !number_is_good(cpu, "stamp_seconds", to) ||
        !cpu_ready(cpu) || cpu->stamp[from] == 0.0 || cpu->stamp[to] == 0.0)
        return 0.0;
    return cpu->stamp[to] - cpu->stamp[from];
}

void cpu_install_stamps(struct backend *b) {
    b->stamp = stamp;
    b->stamp_seconds = stamp_seconds;
}
