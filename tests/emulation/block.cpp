/* One block after another, in a shuffled order; a block's warps in a shuffled order too, each from one
 * barrier to the next; a warp's threads as coroutines, in a shuffled order from one exchange to the next. A
 * thread has a coroutine of its own only once it waits: threads that never do run one after another in the
 * same. */
#include "tests/emulation/emulation.h"
#include "tests/emulation/fiber.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <vector>

emulation_place emulation_here;

namespace {

enum state : unsigned char { READY, AT_BARRIER, AT_WARP, ENDED };
enum { WARP = 32, MOST_THREADS = 1024 };

struct copy {
    void *to;
    const void *from; /* NULL: zeros */
    size_t bytes;
};

/* In one line of the cache: all threads of a warp are gone through at each of its exchanges. */
struct alignas(64) thread {
    struct fiber *fiber;
    uint3 index;
    enum state state;
    bool predicate;
    int line; /* of the barrier or the exchange it waits at */
    const char *file;
    unsigned mask, from;
    union {
        uint64_t value; /* given to the others, then what came of it */
        void *mine;     /* with work that the warp does together */
    };
    void (*work)(void *const lanes[32]);
};
static_assert(sizeof(struct thread) == 64, "a line of the cache");

struct block {
    const char *kernel;
    const std::function<void()> *body;
    std::vector<thread> threads;
    std::vector<std::vector<struct copy>> copies; /* begun, by thread */
    unsigned count, current, left;
    unsigned fibers; /* in use */
    unsigned char *shared;
    size_t shared_bytes;
};

block now;
const size_t SHARED_GUARD = 64;

/* A warp's threads in a shuffled order: from one of them on, up or down, around the end. */
struct order {
    unsigned first, lanes, at, left;
    bool down;
    bool next(unsigned *thread) {
        if (!left) return false;
        *thread = first + at;
        left--;
        if (down)
            at = at ? at - 1 : lanes - 1;
        else
            at = at + 1 < lanes ? at + 1 : 0;
        return true;
    }
};
order fresh; /* threads that were not started yet, of the warp that is starting */

order shuffled(unsigned first) {
    unsigned lanes = now.count - first < WARP ? now.count - first : (unsigned)WARP,
             random = emulation_random();
    return {first, lanes, (random >> 1) % lanes, lanes, (bool)(random & 1)};
}

void enter(unsigned at) {
    now.current = at;
    emulation_here.thread = now.threads[at].index;
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
}

[[noreturn]] void diverged(const thread &one, const thread &other, const char *what) {
    emulation_stop("%s: %s of thread (%u,%u,%u) at %s:%d, while thread (%u,%u,%u) is %s at %s:%d", now.kernel,
                   what, one.index.x, one.index.y, one.index.z, one.file, one.line, other.index.x,
                   other.index.y, other.index.z,
                   other.state == ENDED        ? "through"
                   : other.state == AT_BARRIER ? "at a barrier"
                                               : "in a warp's exchange",
                   other.file ? other.file : "-", other.line);
}

void work_together(const thread &leader, unsigned first) {
    void *lanes[WARP];
    if (leader.mask != ~0u) diverged(leader, leader, "an instruction for whole warps");
    for (unsigned lane = 0; lane < WARP; lane++) lanes[lane] = now.threads[first + lane].mine;
    leader.work(lanes);
}

/* What the lanes get of each other. */
void exchange(unsigned first, unsigned mask) {
    uint64_t votes = 0, got[WARP];
    for (unsigned lane = 0; lane < WARP; lane++)
        if (mask >> lane & 1) votes |= (uint64_t)now.threads[first + lane].predicate << lane;
    for (unsigned lane = 0; lane < WARP; lane++) {
        if (!(mask >> lane & 1)) continue;
        const thread &peer = now.threads[first + lane];
        if (peer.from == ~0u)
            got[lane] = votes;
        else if (peer.from < WARP && (mask >> peer.from & 1))
            got[lane] = now.threads[first + peer.from].value;
        else
            diverged(peer, peer, "a shuffle from a lane that gives nothing");
    }
    for (unsigned lane = 0; lane < WARP; lane++)
        if (mask >> lane & 1) now.threads[first + lane].value = got[lane];
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
        const unsigned mask = leader.mask;
        leader.work ? work_together(leader, first) : exchange(first, mask);
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
        other.value = (uint64_t)votes;
        other.state = READY;
    }
}

/* Threads that were not started yet, until there is none or one waits; goes on with that one when it is
 * resumed. */
void run_fresh(void *fiber) {
    unsigned at;
    while (fresh.next(&at)) {
        thread &mine = now.threads[at];
        mine.fiber = (struct fiber *)fiber;
        enter(at);
        (*now.body)();
        mine.state = ENDED;
        now.left--;
    }
}

void start_warp(unsigned first) {
    static std::vector<struct fiber *> &fibers = *new std::vector<struct fiber *>; /* to the program's end */
    fresh = shuffled(first);
    while (fresh.left) {
        if (fibers.size() == now.fibers) fibers.push_back(fiber_create());
        struct fiber *fiber = fibers[now.fibers];
        fiber_start(fiber, run_fresh, fiber);
        if (!fiber_ended(fiber)) now.fibers++;
    }
}

void resume_warp(unsigned first) {
    unsigned at;
    for (order lanes = shuffled(first); lanes.next(&at);) {
        if (now.threads[at].state != READY) continue;
        enter(at);
        fiber_resume(now.threads[at].fiber);
    }
}

void run_block() {
    const unsigned warps = (now.count + WARP - 1) / WARP;
    bool started = false;
    for (thread &mine : now.threads) mine.state = READY;
    for (std::vector<struct copy> &begun : now.copies) begun.clear();
    now.left = now.count;
    now.fibers = 0;
    while (now.left) {
        unsigned start = emulation_random() % warps, step = emulation_random() & 1 ? 1 : warps - 1;
        for (unsigned i = 0, warp = start; i < warps; i++, warp = (warp + step) % warps) {
            started ? resume_warp(warp * WARP) : start_warp(warp * WARP);
            while (release_warp(warp * WARP)) resume_warp(warp * WARP);
        }
        started = true;
        if (now.left) release_block();
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
    return (int)mine.value;
}

uint64_t emulation_exchange(const char *file, int line, unsigned mask, uint64_t given, unsigned from) {
    thread &mine = self();
    mine.mask = mask;
    mine.value = given;
    mine.from = from;
    mine.predicate = false;
    mine.work = nullptr;
    wait_as(AT_WARP, file, line);
    return mine.value;
}

unsigned emulation_vote(const char *file, int line, unsigned mask, bool predicate) {
    thread &mine = self();
    mine.mask = mask;
    mine.from = ~0u;
    mine.predicate = predicate;
    mine.work = nullptr;
    wait_as(AT_WARP, file, line);
    return (unsigned)mine.value;
}

void emulation_together(const char *file, int line, void *mine, void (*work)(void *const lanes[32])) {
    thread &me = self();
    me.mask = ~0u;
    me.mine = mine;
    me.work = work;
    wait_as(AT_WARP, file, line);
}

void emulation_check_shared(const char *what, const void *at, size_t bytes) {
    if ((const unsigned char *)at < now.shared ||
        (const unsigned char *)at + bytes > now.shared + now.shared_bytes)
        emulation_stop("%s: %s outside of its %zu bytes of shared memory", now.kernel, what,
                       now.shared_bytes);
}

void emulation_copy(void *shared, const void *from, size_t bytes, bool there) {
    emulation_check_shared("a copy to", shared, bytes);
    if ((uintptr_t)shared % bytes || (uintptr_t)from % bytes)
        emulation_stop("%s: a copy of %zu bytes from %p to %p", now.kernel, bytes, from, shared);
    if (there && !emulation_memory_holds(from, bytes))
        emulation_stop("%s: a copy from outside of an allocation", now.kernel);
    memset(shared, 0xff, bytes);
    now.copies[now.current].push_back({shared, there ? from : nullptr, bytes});
}

void emulation_copy_wait() {
    for (const copy &one : now.copies[now.current])
        one.from ? (void)memcpy(one.to, one.from, one.bytes) : (void)memset(one.to, 0, one.bytes);
    now.copies[now.current].clear();
}

void emulation_run(const char *name, dim3 blocks, dim3 threads, size_t shared,
                   const std::function<void()> &body) {
    static unsigned char *memory;
    enum { MOST_SHARED = 256 << 10 };
    if (!memory && posix_memalign((void **)&memory, 128, MOST_SHARED)) abort();
    now.kernel = name;
    now.body = &body;
    now.count = threads.x * threads.y * threads.z;
    now.threads.resize(now.count);
    now.copies.resize(now.count);
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
