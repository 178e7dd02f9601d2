#include "runner/check/matmul_rate.h"

#include "base/clock.h"

/* The fastest product counts: others on the machine only slow them down. The first one warms up. */
static int measure(struct backend *backend, struct view matrices, int n, double seconds, double *rate,
                   struct error *err) {
    size_t elements = (size_t)n * (size_t)n;
    struct view a = matrices, b = view_at(a, elements), c = view_at(b, elements);
    double first = 0.0, fastest = 0.0;
    for (int i = 0; i < 2 || clock_seconds() - first < seconds; i++) {
        backend->stamp(backend, 0);
        backend->matmul(backend, false, true, n, n, n, 1.0f, a, n, b, n, 0.0f, c, n);
        backend->stamp(backend, 1);
        double taken = backend->stamp_seconds(backend, 0, 1);
        TRY(backend->check(backend, err));
        if (i == 0)
            first = clock_seconds();
        else if (i == 1 || taken < fastest)
            fastest = taken;
    }
    *rate = 2.0 * n * n * (double)n / fastest;
    return 0;
}

static int measure_side(struct backend *backend, int side, double seconds, double *rate, struct error *err) {
    struct buffer *buffer;
    TRY(backend->buffer_create(backend, 3 * sizeof(float) * (size_t)side * (size_t)side, &buffer, err));
    int code = measure(backend, (struct view){buffer, 0, backend->activations}, side, seconds, rate, err);
    backend->buffer_destroy(backend, &buffer);
    return code;
}

int matmul_rate_measure(struct backend *backend, double seconds, double *rate, struct error *err) {
    enum { SIDE = 1024, LARGE_SIDE = 4096 };
    static const double FAST = 1e12; /* there the smaller one does not fill a GPU */
    TRY(measure_side(backend, SIDE, seconds, rate, err));
    return *rate < FAST ? 0 : measure_side(backend, LARGE_SIDE, seconds, rate, err);
}
