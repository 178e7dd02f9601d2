#include "train/cpu/linear_products.h"

#if ADAPT_GEMM_ONEDNN

#include "base/memory.h"
#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>

enum { KEPT = 64 };

enum operand { OPERAND_A, OPERAND_B, OPERAND_C, OPERAND_SCRATCH, OPERANDS };

/* The operands' memory objects are places to put pointers into. */
struct product {
    struct linear_shape shape; /* m is 0: none was made */
    dnnl_primitive_t primitive;
    dnnl_memory_t memory[OPERANDS];
};

struct linear_products {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    struct product kept[KEPT];
    int next;      /* of kept: the one that a new shape takes the place of */
    void *scratch; /* of whichever runs */
    size_t scratch_bytes;
};

#define CHECK(call)                                                                                          \
    do {                                                                                                     \
        dnnl_status_t status_ = (call);                                                                      \
        if (status_ != dnnl_success) return status_;                                                         \
    } while (0)

int linear_products_create(struct linear_products **out, struct error *err) {
    struct linear_products *p;
    TRY(memory_alloc(&p, 1, sizeof *p, err));
    dnnl_status_t status = dnnl_engine_create(&p->engine, dnnl_cpu, 0);
    if (!status) status = dnnl_stream_create(&p->stream, p->engine, dnnl_stream_default_flags);
    *out = p;
    if (!status) return 0;
    linear_products_destroy(out);
    return error_set(err, ERROR_DEVICE, "oneDNN gave status %d for an engine on the CPU", (int)status);
}

static void forget(struct product *product) {
    for (int i = 0; i < OPERANDS; i++)
        if (product->memory[i]) dnnl_memory_destroy(product->memory[i]);
    if (product->primitive) dnnl_primitive_destroy(product->primitive);
    *product = (struct product){0};
}

void linear_products_destroy(struct linear_products **products) {
    struct linear_products *p = *products;
    if (!p) return;
    for (int i = 0; i < KEPT; i++) forget(&p->kept[i]);
    if (p->stream) dnnl_stream_destroy(p->stream);
    if (p->engine) dnnl_engine_destroy(p->engine);
    memory_free(p->scratch);
    memory_free(p);
    *products = NULL;
}

/* ---- what changed with oneDNN 3 */

#if DNNL_VERSION_MAJOR >= 3
static dnnl_status_t describe_matmul(dnnl_engine_t engine, const dnnl_memory_desc_t md[3],
                                     dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *out) {
    return dnnl_matmul_primitive_desc_create(out, engine, md[OPERAND_A], md[OPERAND_B], NULL, md[OPERAND_C],
                                             attr);
}
static dnnl_status_t describe_matrix(dnnl_memory_desc_t *md, const dnnl_dims_t sizes,
                                     const dnnl_dims_t strides) {
    return dnnl_memory_desc_create_with_strides(md, 2, sizes, dnnl_f32, strides);
}
static void forget_matrix(dnnl_memory_desc_t *md) {
    dnnl_memory_desc_destroy(*md);
}
static const_dnnl_memory_desc_t place_of(const dnnl_memory_desc_t *md) {
    return *md;
}
static size_t bytes_of(const_dnnl_memory_desc_t md) {
    return dnnl_memory_desc_get_size(md);
}
#else
typedef const dnnl_memory_desc_t *const_dnnl_memory_desc_t;
static dnnl_status_t describe_matmul(dnnl_engine_t engine, const dnnl_memory_desc_t md[3],
                                     dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *out) {
    dnnl_matmul_desc_t matmul;
    CHECK(dnnl_matmul_desc_init(&matmul, &md[OPERAND_A], &md[OPERAND_B], NULL, &md[OPERAND_C]));
    return dnnl_primitive_desc_create(out, &matmul, attr, engine, NULL);
}
static dnnl_status_t describe_matrix(dnnl_memory_desc_t *md, const dnnl_dims_t sizes,
                                     const dnnl_dims_t strides) {
    return dnnl_memory_desc_init_by_strides(md, 2, sizes, dnnl_f32, strides);
}
static void forget_matrix(dnnl_memory_desc_t *md) {
    (void)md;
}
static const_dnnl_memory_desc_t place_of(const dnnl_memory_desc_t *md) {
    return md;
}
static size_t bytes_of(const_dnnl_memory_desc_t md) {
    return dnnl_memory_desc_get_size(md);
}
#endif

/* ---- a new shape */

static int grow_scratch(struct linear_products *p, size_t bytes) {
    if (bytes <= p->scratch_bytes) return 0;
    memory_free(p->scratch);
    p->scratch_bytes = 0;
    if (memory_alloc(&p->scratch, bytes, 1, NULL)) return dnnl_out_of_memory;
    p->scratch_bytes = bytes;
    return 0;
}

static int make_from(struct linear_products *p, const dnnl_memory_desc_t md[3], dnnl_primitive_attr_t attr,
                     dnnl_primitive_desc_t *description, struct product *out) {
    CHECK(describe_matmul(p->engine, md, attr, description));
    const_dnnl_memory_desc_t scratch =
        dnnl_primitive_desc_query_md(*description, dnnl_query_scratchpad_md, 0);
    CHECK(grow_scratch(p, bytes_of(scratch)));
    for (int i = 0; i < 3; i++)
        CHECK(dnnl_memory_create(&out->memory[i], place_of(&md[i]), p->engine, DNNL_MEMORY_NONE));
    CHECK(dnnl_memory_create(&out->memory[OPERAND_SCRATCH], scratch, p->engine, DNNL_MEMORY_NONE));
    return dnnl_primitive_create(&out->primitive, *description);
}

/* Scratch memory is ours, so that one piece serves all products; a sum with the old C is a step behind the
 * product. */
static dnnl_status_t choose_attributes(const struct linear_shape *shape, dnnl_primitive_attr_t attr,
                                       dnnl_post_ops_t after) {
    CHECK(dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user));
    if (shape->beta == 0.0f) return dnnl_success;
#if DNNL_VERSION_MAJOR >= 3
    CHECK(dnnl_post_ops_append_sum(after, shape->beta, 0, dnnl_f32));
#else
    CHECK(dnnl_post_ops_append_sum(after, shape->beta));
#endif
    return dnnl_primitive_attr_set_post_ops(attr, after);
}

static int make(struct linear_products *p, const struct linear_shape *s, struct product *out) {
    dnnl_memory_desc_t md[3];
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t after = NULL;
    dnnl_primitive_desc_t description = NULL;
    int made = 0;
    int status = dnnl_primitive_attr_create(&attr);
    if (!status) status = dnnl_post_ops_create(&after);
    if (!status) status = choose_attributes(s, attr, after);
    const dnnl_dims_t sizes[3] = {{s->m, s->k}, {s->k, s->n}, {s->m, s->n}},
                      strides[3] = {{s->lda, 1}, {1, s->ldb}, {s->ldc, 1}};
    for (; made < 3 && !status; made++) status = describe_matrix(&md[made], sizes[made], strides[made]);
    if (!status) status = make_from(p, md, attr, &description, out);
    for (int i = 0; i < made; i++) forget_matrix(&md[i]);
    if (description) dnnl_primitive_desc_destroy(description);
    if (after) dnnl_post_ops_destroy(after);
    if (attr) dnnl_primitive_attr_destroy(attr);
    return status;
}

static bool same(const struct linear_shape *x, const struct linear_shape *y) {
    return x->m == y->m && x->n == y->n && x->k == y->k && x->lda == y->lda && x->ldb == y->ldb &&
           x->ldc == y->ldc && x->beta == y->beta;
}

static int find(struct linear_products *p, const struct linear_shape *shape, struct product **out) {
    for (int i = 0; i < KEPT; i++)
        if (same(&p->kept[i].shape, shape)) {
            *out = &p->kept[i];
            return 0;
        }
    struct product *product = *out = &p->kept[p->next];
    forget(product);
    int status = make(p, shape, product);
    if (status) {
        forget(product);
        return status;
    }
    product->shape = *shape;
    p->next = (p->next + 1) % KEPT;
    return 0;
}

int linear_products_multiply(struct linear_products *p, const struct linear_shape *shape, const float *a,
                             const float *b, float *c) {
    struct product *product;
    CHECK(find(p, shape, &product));
    CHECK(dnnl_memory_set_data_handle(product->memory[OPERAND_A], (void *)(uintptr_t)a));
    CHECK(dnnl_memory_set_data_handle(product->memory[OPERAND_B], (void *)(uintptr_t)b));
    CHECK(dnnl_memory_set_data_handle(product->memory[OPERAND_C], c));
    CHECK(dnnl_memory_set_data_handle(product->memory[OPERAND_SCRATCH], p->scratch));
    const dnnl_exec_arg_t arguments[OPERANDS] = {{DNNL_ARG_SRC, product->memory[OPERAND_A]},
                                                 {DNNL_ARG_WEIGHTS, product->memory[OPERAND_B]},
                                                 {DNNL_ARG_DST, product->memory[OPERAND_C]},
                                                 {DNNL_ARG_SCRATCHPAD, product->memory[OPERAND_SCRATCH]}};
    CHECK(dnnl_primitive_execute(product->primitive, p->stream, OPERANDS, arguments));
    return dnnl_stream_wait(p->stream);
}

#endif
