/* Device memory: one stretch of addresses that the host's code may not touch, allocations between guards. */
#include "tests/emulation/emulation.h"

#include <cstdlib>
#include <map>
#include <sys/mman.h>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, bytes)   ((void)0)
#define ASAN_UNPOISON_MEMORY_REGION(at, bytes) ((void)0)
#endif

namespace {

const size_t ADDRESSES = (size_t)1 << 36, GUARD = 512, ALIGNMENT = 256;
const size_t PAGE = (size_t)2 << 20; /* large: protecting memory takes its time by the page */
const unsigned char GUARD_BYTE = 0xa5;

struct arena {
    unsigned char *base = nullptr;
    size_t top = 0; /* bytes in use from base on, whole pages */
    size_t used = 0;
    int open = 0;
    std::map<size_t, size_t> blocks; /* offset of the data, its bytes */
};

arena &memory() {
    static arena a;
    if (!a.base) {
        void *at =
            mmap(nullptr, ADDRESSES + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at == MAP_FAILED) abort();
        a.base = (unsigned char *)(((uintptr_t)at + PAGE - 1) / PAGE * PAGE);
        madvise(a.base, ADDRESSES, MADV_HUGEPAGE); /* where there are none, small ones do */
    }
    return a;
}

size_t limit() {
    const char *text = getenv("ADAPT_EMULATION_MEMORY");
    return text ? strtoull(text, nullptr, 10) : (size_t)8 << 30;
}

void protect(arena &a) {
    if (a.top && mprotect(a.base, a.top, a.open ? PROT_READ | PROT_WRITE : PROT_NONE)) abort();
}

size_t round_up(size_t bytes, size_t to) {
    return (bytes + to - 1) / to * to;
}

/* The first gap that takes the bytes and their guards; the data's offset. */
size_t find_place(const arena &a, size_t bytes) {
    size_t at = GUARD;
    for (const auto &block : a.blocks) {
        if (at + bytes + GUARD <= block.first - GUARD) return at;
        at = round_up(block.first + block.second + 2 * GUARD, ALIGNMENT);
    }
    return at;
}

bool guard_whole(const unsigned char *guard) {
    return guard[0] == GUARD_BYTE && !memcmp(guard, guard + 1, GUARD - 1);
}

bool whole(const arena &a, size_t at, size_t bytes) {
    ASAN_UNPOISON_MEMORY_REGION(a.base + at - GUARD, GUARD);
    ASAN_UNPOISON_MEMORY_REGION(a.base + at + bytes, GUARD);
    bool good = guard_whole(a.base + at - GUARD) && guard_whole(a.base + at + bytes);
    ASAN_POISON_MEMORY_REGION(a.base + at - GUARD, GUARD);
    ASAN_POISON_MEMORY_REGION(a.base + at + bytes, GUARD);
    return good;
}

} // namespace

void emulation_memory_open() {
    emulation_turn turn;
    arena &a = memory();
    if (a.open++ == 0) protect(a);
}

void emulation_memory_close() {
    emulation_turn turn;
    arena &a = memory();
    if (--a.open == 0) protect(a);
}

void emulation_memory_check(const char *when) {
    emulation_turn turn;
    arena &a = memory();
    emulation_memory_open();
    for (const auto &block : a.blocks)
        if (!whole(a, block.first, block.second))
            emulation_stop("%s: something wrote outside of an allocation of %zu bytes", when, block.second);
    emulation_memory_close();
}

bool emulation_memory_holds(const void *at, size_t bytes) {
    emulation_turn turn;
    arena &a = memory();
    if (!bytes) return true;
    if ((unsigned char *)at < a.base || (unsigned char *)at >= a.base + ADDRESSES) return false;
    size_t offset = (size_t)((unsigned char *)at - a.base);
    auto after = a.blocks.upper_bound(offset);
    if (after == a.blocks.begin()) return false;
    --after;
    return offset >= after->first && offset + bytes <= after->first + after->second;
}

cudaError_t cudaMalloc(void **out, size_t bytes) {
    emulation_turn turn;
    arena &a = memory();
    if (emulation_lost()) return cudaErrorUnknown;
    if (!bytes) {
        *out = nullptr;
        return cudaSuccess;
    }
    if (bytes > limit() || a.used + bytes > limit()) return cudaErrorMemoryAllocation;
    size_t at = find_place(a, bytes), end = round_up(at + bytes + GUARD, PAGE);
    if (end > ADDRESSES) return cudaErrorMemoryAllocation;
    if (end > a.top) a.top = end;
    a.blocks[at] = bytes;
    a.used += bytes;
    emulation_memory_open();
    protect(a);
    ASAN_UNPOISON_MEMORY_REGION(a.base + at - GUARD, bytes + 2 * GUARD);
    memset(a.base + at - GUARD, GUARD_BYTE, GUARD);
    /* As NaN; large allocations in part, so that untouched memory stays untouched. */
    memset(a.base + at, 0xff, bytes < (1 << 22) ? bytes : 1 << 16);
    memset(a.base + at + bytes, GUARD_BYTE, GUARD);
    ASAN_POISON_MEMORY_REGION(a.base + at - GUARD, GUARD);
    ASAN_POISON_MEMORY_REGION(a.base + at + bytes, GUARD);
    emulation_memory_close();
    *out = a.base + at;
    return cudaSuccess;
}

cudaError_t cudaFree(void *at) {
    emulation_turn turn;
    arena &a = memory();
    if (!at) return cudaSuccess;
    emulation_drain_all();
    auto block = a.blocks.find((size_t)((unsigned char *)at - a.base));
    if (block == a.blocks.end()) emulation_stop("cudaFree of what cudaMalloc did not give");
    size_t bytes = block->second;
    emulation_memory_open();
    if (!whole(a, block->first, bytes))
        emulation_stop("cudaFree: something wrote outside of %zu bytes", bytes);
    unsigned char *first = (unsigned char *)round_up((uintptr_t)at, PAGE);
    if (first + PAGE <= (unsigned char *)at + bytes)
        madvise(first, (size_t)((unsigned char *)at + bytes - first) / PAGE * PAGE, MADV_DONTNEED);
    ASAN_POISON_MEMORY_REGION(at, bytes);
    emulation_memory_close();
    a.used -= bytes;
    a.blocks.erase(block);
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *free, size_t *total) {
    emulation_turn turn;
    *total = limit();
    *free = limit() - memory().used;
    return cudaSuccess;
}

cudaError_t cudaHostAlloc(void **out, size_t bytes, unsigned) {
    emulation_turn turn;
    *out = malloc(bytes ? bytes : 1);
    if (*out) memset(*out, 0xff, bytes);
    return *out ? cudaSuccess : cudaErrorMemoryAllocation;
}

cudaError_t cudaFreeHost(void *at) {
    emulation_turn turn;
    emulation_drain_all();
    free(at);
    return cudaSuccess;
}
