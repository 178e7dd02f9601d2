#include "train/memcheck/memcheck.h"

#include "train/cpu/cpu.h"

int memcheck_backend_create(int threads, struct backend **out, struct error *err) {
    return cpu_backend_create(threads, out, err);
}
