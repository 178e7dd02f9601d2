/* Lending operands to the inner backend: an operation of memcheck names its operands, opens the loan, which
 * replaces the named views by views of copies, calls the inner operation, and closes the loan, which judges
 * what happened and takes the outputs back. */
#ifndef ADAPT_TRAIN_MEMCHECK_LOAN_H
#define ADAPT_TRAIN_MEMCHECK_LOAN_H

#include "train/backend.h"

struct memcheck {
    struct backend base; /* first, so that a struct backend * is a struct memcheck * */
    struct backend *inner;
    struct error failure; /* the first one since the last check */
};

/* Keeps a failure of `operation` unless an earlier one is kept. */
void memcheck_fail(struct memcheck *m, int code, const char *operation, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_UPDATE };
enum { LOAN_OPERANDS = 12 };

struct operand {
    struct view *view;            /* the caller's; replaced by loan_open */
    struct view home;             /* what it was */
    size_t rows, columns, stride; /* elements; dense where columns == stride */
    size_t start, end;            /* bytes of the buffer that it spans */
    enum access access;
    int partner; /* the operand that may lie at the same place, or -1 */
    int region;
};

/* A run of bytes of one buffer, with a copy of it in the inner backend. */
struct region {
    struct buffer *buffer;
    size_t start, end;
    struct buffer *copy;     /* of the inner backend: guard, the run, guard */
    size_t bytes;            /* of `copy` */
    unsigned char *image;    /* [bytes] what was uploaded */
    unsigned char *returned; /* [bytes] what came back */
    unsigned char *state;    /* [bytes] an enum of loan.c */
};

struct loan {
    struct memcheck *m;
    const char *operation;
    struct operand operand[LOAN_OPERANDS];
    int operands;
    struct region region[LOAN_OPERANDS];
    int regions;
    bool open;
};

struct loan loan_begin(struct backend *b, const char *operation);
/* Names an operand of `count` elements, or of rows of columns; the index for loan_may_alias. Absent views are
 * left alone, as are sizes below 0, of which the inner backend complains. */
int loan_add(struct loan *loan, struct view *view, enum access access, size_t count);
int loan_add_matrix(struct loan *loan, struct view *view, enum access access, int rows, int columns,
                    int stride);
/* Operands that may be the very same elements. */
void loan_may_alias(struct loan *loan, int one, int other);
/* One more than the largest of `count` indices; a failure, and 0, where one is not in 0 .. bound-1. */
size_t loan_index_bound(struct loan *loan, struct view index, int count, size_t bound);
/* Elements from the view to its buffer's end. */
size_t loan_room(struct view view);
/* The inner backend, to be called with the replaced views; NULL after a failure. */
struct backend *loan_open(struct loan *loan);
void loan_close(struct loan *loan);

/* Makes the memory of a buffer accessible, or not. */
void loan_unlock(struct buffer *buffer);
void loan_lock(struct buffer *buffer);

/* The operations of the table. */
void memcheck_install_operations(struct backend *b);

/* A buffer: whole pages, out of reach outside of operations. */
struct buffer {
    size_t bytes;
    size_t mapped; /* bytes of `pages` */
    unsigned char *pages;
};

#endif
