#include "train/memcheck/loan.h"

#include "base/memory.h"
#include <string.h>

enum { GUARD = 256 }; /* bytes on each side of a copy */

/* What an operation may do with a byte of a copy. */
enum state {
    STATE_CLOSED, /* a guard, or between the rows of operands: it may do nothing */
    STATE_INPUT,  /* read */
    STATE_OUTPUT, /* must write, and not read before */
    STATE_CHANGED /* may read and write */
};

/* A quiet NaN that no arithmetic makes: as two bytes, floats or doubles. */
static const unsigned char poison[8] = {0xad, 0xde, 0xc5, 0x7f, 0xad, 0xde, 0xfd, 0x7f};

struct loan loan_begin(struct backend *b, const char *operation) {
    struct loan loan = {.m = (struct memcheck *)b, .operation = operation};
    return loan;
}

size_t loan_room(struct view view) {
    if (!view.buffer) return 0;
    size_t elements = view.buffer->bytes / dtype_bytes(view.dtype);
    return view.offset < elements ? elements - view.offset : 0;
}

static int add(struct loan *loan, struct view *view, enum access access, size_t rows, size_t columns,
               size_t stride) {
    struct operand *o = &loan->operand[loan->operands];
    size_t span = rows && columns ? (rows - 1) * stride + columns : 0, size = dtype_bytes(view->dtype);
    *o = (struct operand){view, *view, rows, columns, stride, view->offset * size, 0, access, -1, -1};
    o->end = o->start + span * size;
    if (view->buffer && span && loan_room(*view) < span)
        memcheck_fail(loan->m, ERROR_INTERNAL, loan->operation,
                      "%zu elements at %zu leave the buffer of %zu bytes", span, view->offset,
                      view->buffer->bytes);
    return loan->operands++;
}

int loan_add(struct loan *loan, struct view *view, enum access access, size_t count) {
    return add(loan, view, access, count ? 1 : 0, count, count);
}

int loan_add_matrix(struct loan *loan, struct view *view, enum access access, int rows, int columns,
                    int stride) {
    bool empty = rows <= 0 || columns <= 0 || stride < columns;
    return add(loan, view, access, empty ? 0 : (size_t)rows, empty ? 0 : (size_t)columns,
               empty ? 0 : (size_t)stride);
}

void loan_may_alias(struct loan *loan, int one, int other) {
    loan->operand[one].partner = other;
    loan->operand[other].partner = one;
}

size_t loan_index_bound(struct loan *loan, struct view index, int count, size_t bound) {
    size_t most = 0;
    if (count <= 0 || !index.buffer || index.dtype != DTYPE_I32 || loan_room(index) < (size_t)count) return 0;
    loan_unlock(index.buffer);
    const int32_t *value = (const int32_t *)(void *)index.buffer->pages + index.offset;
    for (int i = 0; i < count; i++) {
        if (value[i] < 0 || (size_t)value[i] >= bound) {
            memcheck_fail(loan->m, ERROR_INTERNAL, loan->operation, "index %d at %d is not in 0..%lld",
                          value[i], i, (long long)bound - 1);
            most = 0;
            break;
        }
        if ((size_t)value[i] >= most) most = (size_t)value[i] + 1;
    }
    loan_lock(index.buffer);
    return most;
}

static bool lent(const struct operand *o) {
    return o->home.buffer && o->end > o->start;
}

static bool overlap(const struct operand *a, const struct operand *b) {
    return lent(a) && lent(b) && a->home.buffer == b->home.buffer && a->start < b->end && b->start < a->end;
}

/* Rows that interlace, as of two matrices side by side, are none of our business. */
static bool interlaced(const struct operand *a, const struct operand *b) {
    return a->columns != a->stride && b->columns != b->stride && a->start != b->start;
}

static void judge_overlaps(struct loan *loan) {
    for (int i = 0; i < loan->operands; i++)
        for (int j = i + 1; j < loan->operands; j++) {
            struct operand *a = &loan->operand[i], *b = &loan->operand[j];
            if (!overlap(a, b) || interlaced(a, b)) continue;
            if (a->access == ACCESS_READ && b->access == ACCESS_READ) continue;
            if (a->partner == j && a->start == b->start && a->end == b->end) continue;
            memcheck_fail(loan->m, ERROR_INTERNAL, loan->operation, "operands %d and %d overlap", i, j);
        }
}

/* Gives every operand a region; regions of one buffer that overlap become one. */
static void find_regions(struct loan *loan) {
    for (int i = 0; i < loan->operands; i++) {
        struct operand *o = &loan->operand[i];
        if (!lent(o)) continue;
        struct region joined = {.buffer = o->home.buffer, .start = o->start, .end = o->end};
        for (int r = 0; r < loan->regions;) {
            struct region *region = &loan->region[r];
            if (region->buffer != joined.buffer || region->start >= joined.end ||
                joined.start >= region->end) {
                r++;
                continue;
            }
            if (region->start < joined.start) joined.start = region->start;
            if (region->end > joined.end) joined.end = region->end;
            *region =
                loan->region[--loan->regions]; /* and look again: the joined one may touch an earlier one */
            r = 0;
        }
        loan->region[loan->regions++] = joined;
    }
    for (int i = 0; i < loan->operands; i++) {
        struct operand *o = &loan->operand[i];
        for (int r = 0; lent(o) && r < loan->regions; r++)
            if (loan->region[r].buffer == o->home.buffer && loan->region[r].start <= o->start &&
                loan->region[r].end >= o->end)
                o->region = r;
    }
}

/* Where a byte of the buffer lies in the region's copy: as far from a multiple of 256 as at home. */
static size_t place(const struct region *region, size_t byte) {
    return GUARD + region->start % GUARD + byte - region->start;
}

/* Marks an operand's elements with `state`; fills those that must be written with NaN, the others with the
 * truth. */
static void mark(struct region *region, const struct operand *o, enum state state) {
    size_t size = dtype_bytes(o->home.dtype);
    for (size_t r = 0; r < o->rows; r++) {
        size_t home = o->start + r * o->stride * size, at = place(region, home), bytes = o->columns * size;
        memset(region->state + at, state, bytes);
        if (state == STATE_OUTPUT)
            for (size_t b = 0; b < bytes; b++) region->image[at + b] = poison[b % size + (size == 2 ? 2 : 0)];
        else
            memcpy(region->image + at, region->buffer->pages + home, bytes);
    }
}

static struct view units(struct buffer *copy) {
    return (struct view){copy, 0, DTYPE_BF16}; /* two bytes: the smallest unit that views have */
}

static int lend_region(struct loan *loan, int index, struct error *err) {
    struct region *region = &loan->region[index];
    struct backend *inner = loan->m->inner;
    region->bytes = (place(region, region->end) + GUARD + 1) / 2 * 2;
    TRY(memory_alloc(&region->image, region->bytes, 1, err));
    TRY(memory_alloc(&region->returned, region->bytes, 1, err));
    TRY(memory_alloc(&region->state, region->bytes, 1, err));
    TRY(inner->buffer_create(inner, region->bytes, &region->copy, err));
    for (size_t b = 0; b < region->bytes; b++) region->image[b] = poison[b % 4];
    loan_unlock(region->buffer);
    /* In this order: what is written and also read, by an alias, may be changed. */
    static const enum access order[] = {ACCESS_WRITE, ACCESS_UPDATE, ACCESS_READ};
    for (int pass = 0; pass < 3; pass++)
        for (int i = 0; i < loan->operands; i++) {
            const struct operand *o = &loan->operand[i];
            if (o->region != index || o->access != order[pass]) continue;
            bool also_written = o->partner >= 0 && loan->operand[o->partner].access != ACCESS_READ &&
                                loan->operand[o->partner].region == index &&
                                loan->operand[o->partner].start == o->start;
            mark(region, o,
                 o->access == ACCESS_WRITE                    ? STATE_OUTPUT
                 : o->access == ACCESS_UPDATE || also_written ? STATE_CHANGED
                                                              : STATE_INPUT);
        }
    loan_lock(region->buffer);
    inner->upload(inner, units(region->copy), region->image, region->bytes / 2);
    return 0;
}

struct backend *loan_open(struct loan *loan) {
    struct memcheck *m = loan->m;
    struct error err = {0};
    if (!m->failure.code) judge_overlaps(loan);
    if (m->failure.code) return NULL;
    find_regions(loan);
    loan->open = true;
    for (int r = 0; r < loan->regions; r++)
        if (lend_region(loan, r, &err)) {
            memcheck_fail(m, err.code, loan->operation, "%s", err.message);
            return NULL;
        }
    for (int i = 0; i < loan->operands; i++) {
        struct operand *o = &loan->operand[i];
        if (!o->home.buffer) continue;
        *o->view = view_none(); /* nothing of it is used */
        o->view->dtype = o->home.dtype;
        if (o->region < 0) continue;
        const struct region *region = &loan->region[o->region];
        *o->view =
            (struct view){region->copy, place(region, o->start) / dtype_bytes(o->home.dtype), o->home.dtype};
    }
    return m->inner;
}

/* What became of a region: compares, and takes what was written home. */
static void judge_region(struct loan *loan, struct region *region) {
    struct memcheck *m = loan->m;
    struct backend *inner = m->inner;
    inner->download(inner, units(region->copy), region->returned, region->bytes / 2);
    for (size_t b = 0; b < region->bytes; b++)
        if (region->state[b] <= STATE_INPUT && region->returned[b] != region->image[b]) {
            memcheck_fail(m, ERROR_INTERNAL, loan->operation,
                          "wrote %s, %zd bytes from the start of its operands",
                          region->state[b] == STATE_INPUT ? "to an input" : "outside of its operands",
                          (ptrdiff_t)b - (ptrdiff_t)place(region, region->start));
            return;
        }
    loan_unlock(region->buffer);
    for (size_t b = 0; b < region->end - region->start; b++) {
        size_t at = place(region, region->start + b);
        if (region->state[at] >= STATE_OUTPUT)
            region->buffer->pages[region->start + b] = region->returned[at];
    }
    loan_lock(region->buffer);
}

/* An output that still is, or was made from, the NaN it held. */
static void judge_output(struct loan *loan, int index) {
    const struct operand *o = &loan->operand[index];
    const struct region *region = &loan->region[o->region];
    size_t size = dtype_bytes(o->home.dtype);
    if (size == 2) return; /* too few bits to tell */
    for (size_t r = 0; r < o->rows; r++)
        for (size_t e = 0; e < o->columns; e++) {
            size_t at = place(region, o->start + (r * o->stride + e) * size);
            if (region->state[at] != STATE_OUTPUT || memcmp(region->returned + at, poison, size)) continue;
            memcheck_fail(loan->m, ERROR_INTERNAL, loan->operation,
                          "left element %zu of operand %d unwritten, or read it before", r * o->columns + e,
                          index);
            return;
        }
}

void loan_close(struct loan *loan) {
    struct memcheck *m = loan->m;
    struct backend *inner = m->inner;
    if (!loan->open) return;
    struct error err = {0};
    if (inner->check(inner, &err) && !m->failure.code) m->failure = err;
    if (!m->failure.code) {
        for (int r = 0; r < loan->regions; r++) judge_region(loan, &loan->region[r]);
        for (int i = 0; i < loan->operands; i++)
            if (loan->operand[i].region >= 0 && loan->operand[i].access == ACCESS_WRITE)
                judge_output(loan, i);
    }
    for (int r = 0; r < loan->regions; r++) {
        inner->buffer_destroy(inner, &loan->region[r].copy);
        memory_free(loan->region[r].image);
        memory_free(loan->region[r].returned);
        memory_free(loan->region[r].state);
    }
    loan->open = false;
}
