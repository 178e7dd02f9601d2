/* One block after another, in a shuffled order; a block's threads as coroutines, in a shuffled order too, which run from
 * barrier to barrier. */
#include "tests/emulation/emulation.h"
#include "tests/emulation/fiber.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <vector>

emulation_place emulation_here;

namespace {

enum state { READY, AT_BARRIER, AT_WARP, ENDED };
enum { WARP = 32, MOST_THREADS = 1024 };

struct thread {
    struct fiber *fiber;
    enum state state;
    bool started;
    uint3 index;
    const char *file; /* of the barrier or the exchange it waits at */
    int line;
    unsigned mask, from;
    uint64_t given, got;
    bool predicate;
};

struct block {
    const char *kernel;
    const std::function<void()> *body;
    std::vector<thread> threads;
    unsigned count, current, left;
    unsigned char *shared;
    size_t shared_bytes;
};

block now;
const size_t SHARED_GUARD = 64;

void run(void *) {
    (*now.body)();
}

thread &self() {
    return now.threads[now.current];
}

void wait_as(enum state state, const char *file, int line) {
    thread &mine = self();
    mine.state = state;
    mine.file = file;
    mine.line = line;
    fiber_leave(mine.fiber);
    emulation_here.thread = mine.index;
}

[[noreturn]] void diverged(const thread &one, const thread &other, const char *what) {
    emulation_stop("%s: %s of thread (%u,%u,%u) at %s:%d, while thread (%u,%u,%u) is %s at %s:%d", now.kernel, what,
                   one.index.x, one.index.y, one.index.z, one.file, one.line, other.index.x, other.index.y,
                   other.index.z,
                   other.state == ENDED        ? "through"
                   : other.state == AT_BARRIER ? "at a barrier"
                                               : "in a warp's exchange",
                   other.file ? other.file : "-", other.line);
}

/* Lets a warp go on whose lanes have all come to the same exchange; whether there was one. */
bool release_warp(unsigned first) {
    bool released = false;
    for (unsigned lane = 0; lane < WARP && first + lane < now.count; lane++) {
        thread &leader = now.threads[first + lane];
        if (leader.state != AT_WARP || !(leader.mask >> lane & 1)) {
            if (leader.state == AT_WARP) diverged(leader, leader, "a mask without its own lane");
            continue;
        }
        for (unsigned other = 0; other < WARP; other++) {
            if (!(leader.mask >> other & 1)) continue;
            if (first + other >= now.count) diverged(leader, leader, "a mask with lanes that do not exist");
            thread &peer = now.threads[first + other];
            if (peer.state != AT_WARP || peer.line != leader.line || peer.file != leader.file ||
                peer.mask != leader.mask)
                diverged(leader, peer, "a warp's exchange");
        }
        uint64_t votes = 0;
        for (unsigned other = 0; other < WARP; other++)
            if (leader.mask >> other & 1) votes |= (uint64_t)now.threads[first + other].predicate << other;
        unsigned mask = leader.mask;
        for (unsigned other = 0; other < WARP; other++) {
            if (!(mask >> other & 1)) continue;
            thread &peer = now.threads[first + other];
            if (peer.from == ~0u)
                peer.got = votes;
            else if (peer.from < WARP && (mask >> peer.from & 1))
                peer.got = now.threads[first + peer.from].given;
            else
                diverged(peer, peer, "a shuffle from a lane that gives nothing");
        }
        for (unsigned other = 0; other < WARP; other++)
            if (mask >> other & 1) now.threads[first + other].state = READY;
        released = true;
    }
    return released;
}

void release_block() {
    const thread &one = now.threads[0];
    int votes = 0;
    for (const thread &other : now.threads) {
        if (other.state != AT_BARRIER || other.line != one.line || other.file != one.file)
            one.state == AT_BARRIER ? diverged(one, other, "a barrier") : diverged(other, one, "a barrier");
        votes += other.predicate;
    }
    for (thread &other : now.threads) {
        other.got = (uint64_t)votes;
        other.state = READY;
    }
}

void go_on(thread &mine) {
    emulation_here.thread = mine.index;
    if (mine.started) {
        fiber_resume(mine.fiber);
    } else {
        mine.started = true;
        fiber_start(mine.fiber, run, nullptr);
    }
    if (fiber_ended(mine.fiber)) {
        mine.state = ENDED;
        now.left--;
    }
}

void run_block() {
    static std::vector<struct fiber *> fibers;
    while (fibers.size() < now.count) fibers.push_back(fiber_create());
    size_t spare = 0; /* threads that end without waiting share a fiber */
    for (thread &mine : now.threads) {
        mine.started = false;
        mine.state = READY;
        mine.fiber = nullptr;
    }
    now.left = now.count;
    while (now.left) {
        unsigned start = emulation_random() % now.count, step = emulation_random() & 1 ? 1 : now.count - 1;
        for (unsigned i = 0, at = start; i < now.count; i++, at = (at + step) % now.count) {
            thread &mine = now.threads[at];
            if (mine.state != READY) continue;
            now.current = at;
            if (!mine.started) mine.fiber = fibers[spare];
            bool fresh = !mine.started;
            go_on(mine);
            if (fresh && mine.state != ENDED) spare++;
        }
        bool released = false;
        for (unsigned first = 0; first < now.count; first += WARP) released |= release_warp(first);
        if (!released && now.left) release_block();
    }
}

void check_shared() {
    for (size_t i = 0; i < SHARED_GUARD; i++)
        if (now.shared[now.shared_bytes + i] != 0xa5)
            emulation_stop("%s: wrote behind its %zu bytes of shared memory", now.kernel, now.shared_bytes);
}

} // namespace

unsigned char *emulation_shared() {
    return now.shared;
}

unsigned emulation_lane() {
    return now.current % WARP;
}

void emulation_barrier(const char *file, int line) {
    self().predicate = false;
    wait_as(AT_BARRIER, file, line);
}

int emulation_barrier_count(const char *file, int line, bool predicate) {
    thread &mine = self();
    mine.predicate = predicate;
    wait_as(AT_BARRIER, file, line);
    return (int)mine.got;
}

uint64_t emulation_exchange(const char *file, int line, unsigned mask, uint64_t given, unsigned from) {
    thread &mine = self();
    mine.mask = mask;
    mine.given = given;
    mine.from = from;
    mine.predicate = false;
    wait_as(AT_WARP, file, line);
    return mine.got;
}

unsigned emulation_vote(const char *file, int line, unsigned mask, bool predicate) {
    thread &mine = self();
    mine.mask = mask;
    mine.from = ~0u;
    mine.predicate = predicate;
    wait_as(AT_WARP, file, line);
    return (unsigned)mine.got;
}

void emulation_run(const char *name, dim3 blocks, dim3 threads, size_t shared, const std::function<void()> &body) {
    static unsigned char *memory;
    enum { MOST_SHARED = 256 << 10 };
    if (!memory && posix_memalign((void **)&memory, 128, MOST_SHARED)) abort();
    now.kernel = name;
    now.body = &body;
    now.count = threads.x * threads.y * threads.z;
    now.threads.resize(now.count);
    now.shared_bytes = shared;
    now.shared = memory + (MOST_SHARED - SHARED_GUARD - shared) / 128 * 128;
    for (unsigned i = 0; i < now.count; i++)
        now.threads[i].index = uint3{i % threads.x, i / threads.x % threads.y, i / threads.x / threads.y};
    uint64_t count = (uint64_t)blocks.x * blocks.y * blocks.z;
    /* A step without a common divisor goes through all blocks. */
    uint64_t at = emulation_random() % count, step = emulation_random() % count | 1;
    auto divisor = [](uint64_t a, uint64_t b) {
        while (b) {
            uint64_t rest = a % b;
            a = b;
            b = rest;
        }
        return a;
    };
    while (divisor(count, step) != 1) step++;
    emulation_here.blocks = blocks;
    emulation_here.threads = threads;
    emulation_memory_open();
    for (uint64_t i = 0; i < count; i++, at = (at + step) % count) {
        emulation_here.block = uint3{(unsigned)(at % blocks.x), (unsigned)(at / blocks.x % blocks.y),
                                     (unsigned)(at / blocks.x / blocks.y)};
        memset(now.shared, 0xff, shared);
        memset(now.shared + shared, 0xa5, SHARED_GUARD);
        run_block();
        check_shared();
    }
    emulation_memory_close();
}

static std::recursive_mutex &turns() {
    static std::recursive_mutex mutex;
    return mutex;
}

emulation_turn::emulation_turn() {
    turns().lock();
}

emulation_turn::~emulation_turn() {
    turns().unlock();
}

void emulation_stop(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("emulated GPU: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    abort();
}

uint32_t emulation_random() {
    static uint64_t state;
    if (!state) {
        const char *seed = getenv("ADAPT_EMULATION_SEED");
        state = (seed ? strtoull(seed, nullptr, 10) : 1) * 2 + 1;
    }
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}
