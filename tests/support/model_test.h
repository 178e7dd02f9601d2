/* What tests of whole models share: a model folder opened on a backend, and the tiny recorded models of
 * tests/golden/model (see record.py there for what was recorded and how). Failures end the test through
 * cmocka. */
#ifndef ADAPT_TESTS_SUPPORT_MODEL_TEST_H
#define ADAPT_TESTS_SUPPORT_MODEL_TEST_H

#include "io/safetensors/safetensors.h"
#include "train/model.h"

/* The recorded variants; NULL-terminated. */
extern const char *const golden_variants[];
enum { GOLDEN_SEQUENCES = 4 };

/* Fails the test with err's message unless the call gives 0. */
#define MUST(call)                                                                                           \
    do {                                                                                                     \
        struct error must_error_ = {0};                                                                      \
        struct error *err = &must_error_;                                                                    \
        if (call) fail_msg("%s:%d: %s", __FILE__, __LINE__, must_error_.message);                            \
    } while (0)

struct model_fixture {
    struct backend *backend;
    struct model_config config;
    struct parameter_layout *layout;
    struct buffer *buffers[4];
    struct view parameters, gradient, direction, spare; /* flat vectors of the layout */
};

/* Opens the folder: config, layout, weights; the other vectors are zero. */
void fixture_open(struct model_fixture *f, const char *backend, const char *folder);
void fixture_close(struct model_fixture *f);

/* A flat vector to and from freshly allocated host memory (memory_free). */
float *fixture_download(struct model_fixture *f, struct view vector);
void fixture_upload(struct model_fixture *f, const float *numbers, struct view vector);
/* Standard normal numbers in every tensor of the vector, zero between them. */
void fixture_randomise(struct model_fixture *f, struct view vector, uint32_t stream);
/* The inner product of two flat vectors, on the host, in double. */
double fixture_dot(struct model_fixture *f, struct view x, struct view y);

struct golden {
    char folder[512];
    struct safetensors *file;
    struct example sequences[GOLDEN_SEQUENCES];
    int32_t *ids; /* owned: all sequences' */
    float weights[GOLDEN_SEQUENCES];
    int rows, targets; /* of all sequences together */
};

/* `tests` is the folder of the tests, TEST_SOURCE_DIR. */
void golden_open(struct golden *g, const char *tests, const char *variant);
void golden_close(struct golden *g);
/* All numbers of a recorded F32 tensor, freshly allocated, and of an F64 tensor. */
float *golden_floats(const struct golden *g, const char *name, size_t *count);
double *golden_doubles(const struct golden *g, const char *name, size_t *count);
/* A batch of the sequences first..last, slot k for sequence k, each target weighted as in the recorded
 * objective. */
struct batch *golden_batch(const struct golden *g, int first, int last);

/* Forward and backward of a batch on a fresh model; adds to the vectors that are given. Alignments are
 * [slots]. */
void fixture_pass(struct model_fixture *f, const struct batch *batch, int slots, struct view gradient,
                  struct view direction, float *loss, double *alignment);

/* A recorded model, opened: what the tests of whole models run on. */
struct variant {
    struct model_fixture model;
    struct golden golden;
    const char *name, *backend;
};
void variant_open(struct variant *v, const char *backend, const char *tests, const char *name);
void variant_close(struct variant *v);
/* Runs `test` on every recorded model. */
void variant_each(const char *backend, const char *tests, void (*test)(struct variant *));
/* Prints the error and fails unless it is at most the tolerance (NaN fails). */
void variant_expect(const struct variant *v, const char *what, double error, double tolerance);
/* A model just large enough for the batch, without slots. */
struct model *variant_model(struct variant *v, const struct batch *batch, bool training);
/* Trains the model by the recorded steps. The largest errors, relative to what was recorded, of a step's loss
 * and of its gradient's norm; infinite where one is NaN. */
struct trained {
    double losses, norms;
};
struct trained variant_train(struct variant *v);

/* Zeroed numbers (memory_free). */
float *test_floats(size_t count);

/* The largest |a - b| / (|b| + floor); NaN anywhere gives infinity. */
double largest_error(const float *a, const float *b, size_t count, double floor);

#endif
