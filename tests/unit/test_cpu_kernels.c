/* The inner loops of the cpu backend that have no operation of their own: exponentials, and products of small
 * matrices. */
#include "train/cpu/gemm.h"
#include "train/cpu/kernels.h"
#include "train/cpu/tile.h"
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

static const double EXP_ULPS = 1.5, SIGMOID_ULPS = 4.0;

/* |got - want| in units of the last place of want as a float. */
static double ulps(float got, double want) {
    int exponent;
    frexp(want, &exponent);
    double unit = ldexp(1.0, exponent - 24);
    return fabs((double)got - want) / (unit < (double)FLT_TRUE_MIN ? (double)FLT_TRUE_MIN : unit);
}

static void test_exp(void **state) {
    (void)state;
    double worst = 0.0;
    float at = 0.0f;
    for (int i = -873300; i <= 880000; i++) {
        float x = (float)i * 1e-4f;
        double error = ulps(cpu_exp(x), exp((double)x));
        if (!(error <= worst)) {
            worst = error;
            at = x;
        }
    }
    if (!(worst <= EXP_ULPS)) fail_msg("e^%.9g is wrong by %.2f ulp", (double)at, worst);
    assert_true(cpu_exp(0.0f) == 1.0f);
    assert_true(cpu_exp(-88.0f) == 0.0f && cpu_exp(-1e30f) == 0.0f && cpu_exp(-INFINITY) == 0.0f);
    assert_true(isnan(cpu_exp(NAN)));
}

static void test_sigmoid(void **state) {
    (void)state;
    double worst = 0.0;
    for (int i = -8700; i <= 8700; i++) {
        float x = (float)i * 1e-2f;
        double error = ulps(cpu_sigmoid(x), 1.0 / (1.0 + exp(-(double)x)));
        if (!(error <= worst)) worst = error;
    }
    if (!(worst <= SIGMOID_ULPS)) fail_msg("a sigmoid is wrong by %.2f ulp", worst);
    assert_true(cpu_sigmoid(INFINITY) == 1.0f && cpu_sigmoid(-INFINITY) == 0.0f && isnan(cpu_sigmoid(NAN)));
}

static void test_flush(void **state) {
    (void)state;
    assert_true(cpu_flush(1e-40f) == 0.0f && cpu_flush(-1e-40f) == 0.0f);
    assert_true(cpu_flush(FLT_MIN) == FLT_MIN && cpu_flush(-2.0f) == -2.0f && isnan(cpu_flush(NAN)));
}

static void test_lanes(void **state) {
    (void)state;
    for (int place = 0; place < CPU_LANES; place++) {
        float x[2][CPU_LANES];
        for (int l = 0; l < CPU_LANES; l++) {
            x[0][l] = -5.0f - (float)l;
            x[1][l] = -30.0f;
        }
        x[place % 2][place] = 3.0f;
        cpu_vec lanes = *(const cpu_vec *)x[0];
        cpu_keep_larger(&lanes, x[1]);
        assert_true(cpu_largest_lane(&lanes) == 3.0f);
        lanes = *(const cpu_vec *)x[1];
        assert_true(cpu_sum_lanes(&lanes) == (place % 2 ? -30.0f * 15 + 3.0f : -30.0f * 16));
    }
}

/* Small whole numbers: sums are exact in any order. */
static float whole(int i) {
    return (float)(i * 7 % 11 - 5);
}

enum { STRIDE = 40, ROOM = STRIDE * STRIDE };

static void check_multiply(int m, int n, int k, int transposed, int accumulate, int far) {
    float a[ROOM], b[ROOM], c[ROOM], want[ROOM];
    ptrdiff_t row = transposed ? 1 : STRIDE, column = transposed ? STRIDE : 1;
    for (int i = 0; i < ROOM; i++) {
        a[i] = whole(i);
        b[i] = whole(i + 3);
        c[i] = want[i] = whole(i + 5);
    }
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            if (!accumulate) want[i * STRIDE + j] = 0.0f;
            for (int l = 0; l < k; l++) want[i * STRIDE + j] += a[i * row + l * column] * b[l * STRIDE + j];
        }
    if (far)
        tile_multiply_far(m, n, k, a, STRIDE, b, STRIDE, c, STRIDE);
    else
        tile_multiply(m, n, k, a, row, column, b, STRIDE, accumulate, c, STRIDE);
    for (int i = 0; i < ROOM; i++)
        if (!(c[i] == want[i]))
            fail_msg("%d x %d x %d, transposed %d, accumulate %d, far %d: [%d] is %g, expected %g", m, n, k,
                     transposed, accumulate, far, i, (double)c[i], (double)want[i]);
}

static void test_tile_multiply(void **state) {
    (void)state;
    static const int columns[] = {0, 1, 15, 16, 17, 32, 39}, depths[] = {0, 1, 7, 33};
    for (int m = 0; m < 20; m++)
        for (int n = 0; n < 7; n++)
            for (int k = 0; k < 4; k++)
                for (int way = 0; way < 5; way++)
                    check_multiply(m, columns[n], depths[k], way & 1, way >> 1 & 1, way == 4);
}

static void test_tile_transpose(void **state) {
    (void)state;
    for (int m = 0; m <= 9; m++)
        for (int k = 0; k <= 9; k++) {
            float from[ROOM], to[ROOM];
            const int width = 12;
            for (int i = 0; i < ROOM; i++) {
                from[i] = (float)i;
                to[i] = -1.0f;
            }
            tile_transpose(m, k, from, STRIDE, width, to);
            for (int i = 0; i < ROOM; i++) {
                int l = i / width, j = i % width;
                float want = l >= k ? -1.0f : j >= m ? 0.0f : from[j * STRIDE + l];
                if (!(to[i] == want))
                    fail_msg("%d x %d: [%d] is %g, expected %g", m, k, i, (double)to[i], (double)want);
            }
        }
}

/* The number of threads is the product's, and nobody else's afterwards. */
static void test_gemm_threads(void **state) {
    (void)state;
    float a[64], b[64], c[64];
    for (int i = 0; i < 64; i++) {
        a[i] = whole(i);
        b[i] = i % 9 ? 0.0f : 1.0f; /* the identity */
    }
    int before = omp_get_max_threads();
    for (int threads = 1; threads <= 5; threads++) {
        struct gemm *gemm;
        assert_int_equal(gemm_create(threads, &gemm, NULL), 0);
        assert_int_equal(gemm_multiply(gemm, false, false, 8, 8, 8, 1.0f, a, 8, b, 8, 0.0f, c, 8), 0);
        assert_memory_equal(a, c, sizeof a);
        assert_int_equal(omp_get_max_threads(), before);
        gemm_destroy(&gemm);
    }
}

/* x W^T for more shapes than are kept, each twice, and the first ones again. Whole numbers: exact in any
 * order. */
static void test_gemm_shapes(void **state) {
    (void)state;
    enum { SHAPES = 100, NUMBERS = 24 * 32 };
    float a[NUMBERS], b[NUMBERS], c[NUMBERS], expected[NUMBERS];
    struct gemm *gemm;
    for (int i = 0; i < NUMBERS; i++) {
        a[i] = whole(i);
        b[i] = whole(3 * i + 1);
    }
    assert_int_equal(gemm_create(2, &gemm, NULL), 0);
    for (int i = 0; i < 2 * SHAPES + 10; i++) {
        int s = i / 2 % SHAPES, m = 1 + s % 21, n = 1 + s % 19, k = 1 + s % 23, lda = k + s % 2,
            ldb = k + s % 3, ldc = n + s % 5;
        float beta = (float)(s % 3);
        for (int at = 0; at < NUMBERS; at++) expected[at] = c[at] = beta == 0.0f ? NAN : whole(at);
        for (int row = 0; row < m; row++)
            for (int column = 0; column < n; column++) {
                float *to = &expected[row * ldc + column];
                *to = beta == 0.0f ? 0.0f : beta * *to;
                for (int at = 0; at < k; at++) *to += a[row * lda + at] * b[column * ldb + at];
            }
        assert_int_equal(gemm_multiply(gemm, false, true, m, n, k, 1.0f, a, lda, b, ldb, beta, c, ldc), 0);
        assert_memory_equal(c, expected, sizeof c); /* what lies between the rows is not written */
    }
    gemm_destroy(&gemm);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exp),           cmocka_unit_test(test_sigmoid),
        cmocka_unit_test(test_flush),         cmocka_unit_test(test_lanes),
        cmocka_unit_test(test_tile_multiply), cmocka_unit_test(test_tile_transpose),
        cmocka_unit_test(test_gemm_threads),  cmocka_unit_test(test_gemm_shapes)};
    return cmocka_run_group_tests_name("cpu kernels", tests, NULL, NULL);
}
