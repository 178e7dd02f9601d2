/* That memcheck sees what it is there to see: operations that break their promises, callers that break
 * theirs, and peeks at memory. The faulty operations stand in the table of a cpu backend that memcheck wraps.
 */
#include "train/memcheck/memcheck.h"
#include "train/memcheck/loan.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { N = 8, ROOM = 4 * N };

struct fixture {
    struct backend *b;     /* memcheck */
    struct backend *inner; /* owned by b */
    struct view x, y;      /* [N], inside of buffers of ROOM */
    struct view whole_x, whole_y;
};

static int set_up(void **state) {
    static struct fixture f;
    static const float values[ROOM] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    struct error err = {0};
    struct buffer *x, *y;
    if (backend_create("cpu", 1, &f.inner, &err) || memcheck_wrap(f.inner, &f.b, &err)) return -1;
    if (f.b->buffer_create(f.b, ROOM * 4, &x, &err) || f.b->buffer_create(f.b, ROOM * 4, &y, &err)) return -1;
    f.whole_x = (struct view){x, 0, DTYPE_F32};
    f.whole_y = (struct view){y, 0, DTYPE_F32};
    f.x = view_at(f.whole_x, N);
    f.y = view_at(f.whole_y, N);
    f.b->upload(f.b, f.whole_x, values, ROOM);
    f.b->upload(f.b, f.whole_y, values, ROOM);
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    f->b->buffer_destroy(f->b, &f->whole_x.buffer);
    f->b->buffer_destroy(f->b, &f->whole_y.buffer);
    backend_destroy(&f->b);
    return 0;
}

static void expect_told(struct backend *b, const char *operation, const char *words) {
    struct error err = {0};
    assert_int_equal(b->check(b, &err), ERROR_INTERNAL);
    if (!strstr(err.message, operation) || !strstr(err.message, words))
        fail_msg("'%s' lacks '%s' or '%s'", err.message, operation, words);
    assert_int_equal(b->check(b, &err), 0); /* told once */
}

static float *memory_at(struct backend *b, struct view view) {
    return (float *)b->host_pointer(b, view.buffer) + view.offset;
}

static void scale_beyond(struct backend *b, size_t n, float a, struct view x) {
    memory_at(b, x)[n] = a;
}

static void scale_before(struct backend *b, size_t n, float a, struct view x) {
    memory_at(b, x)[-1] = a + (float)n;
}

static void add_to_input(struct backend *b, size_t n, float a, struct view x, struct view y) {
    memory_at(b, x)[n - 1] = a;
    memory_at(b, y)[0] = a;
}

static void gated_but_one(struct backend *b, size_t n, enum activation activation, struct view gate,
                          struct view up, struct view out) {
    (void)activation;
    for (size_t i = 0; i < n; i++)
        if (i != 3) memory_at(b, out)[i] = memory_at(b, gate)[i] * memory_at(b, up)[i];
}

static void gated_adds(struct backend *b, size_t n, enum activation activation, struct view gate,
                       struct view up, struct view out) {
    (void)activation;
    for (size_t i = 0; i < n; i++) memory_at(b, out)[i] += memory_at(b, gate)[i] * memory_at(b, up)[i];
}

static void matmul_spills(struct backend *b, bool transpose_a, bool transpose_b, int m, int n, int k,
                          float alpha, struct view a, int lda, struct view bm, int ldb, float beta,
                          struct view c, int ldc) {
    (void)transpose_a, (void)transpose_b, (void)k, (void)alpha, (void)beta, (void)a, (void)lda, (void)bm,
        (void)ldb;
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) memory_at(b, c)[i * ldc + j] = 1.0f;
    memory_at(b, c)[n] = 1.0f; /* between the first row and the second */
}

static void test_writes_outside(void **state) {
    struct fixture *f = *state;
    f->inner->scale = scale_beyond;
    f->b->scale(f->b, N, 5.0f, f->x);
    expect_told(f->b, "scale", "outside");
    f->inner->scale = scale_before;
    f->b->scale(f->b, N, 5.0f, f->x);
    expect_told(f->b, "scale", "outside");
    f->inner->matmul = matmul_spills;
    f->b->matmul(f->b, false, false, 2, 3, 1, 1.0f, f->y, 1, f->y, 3, 0.0f, f->whole_x, 6);
    expect_told(f->b, "matmul", "outside");
    float value;
    f->b->download(f->b, view_at(f->x, N), &value, 1);
    assert_float_equal(value, 0.0f, 0.0f); /* and did no harm */
}

static void test_changes_input(void **state) {
    struct fixture *f = *state;
    f->inner->add = add_to_input;
    f->b->add(f->b, N, 5.0f, f->x, f->y);
    expect_told(f->b, "add", "input");
}

static void test_leaves_output(void **state) {
    struct fixture *f = *state;
    f->inner->gated = gated_but_one;
    f->b->gated(f->b, N, ACTIVATION_SILU, f->x, f->x, f->y);
    expect_told(f->b, "gated", "element 3");
}

static void test_reads_output(void **state) {
    struct fixture *f = *state;
    f->inner->gated = gated_adds;
    f->b->gated(f->b, N, ACTIVATION_SILU, f->x, f->x, f->y);
    expect_told(f->b, "gated", "element 0");
}

static void test_overlap(void **state) {
    struct fixture *f = *state;
    struct error err = {0};
    f->b->gated(f->b, N, ACTIVATION_SILU, f->x, f->y, view_at(f->x, 1));
    expect_told(f->b, "gated", "overlap");
    f->b->add(f->b, N, 1.0f, f->x, f->x);
    expect_told(f->b, "add", "overlap");
    f->b->rmsnorm(f->b, 1, N, 1e-5f, 0.0f, f->x, f->y, f->x, f->whole_y); /* y may be x */
    assert_int_equal(f->b->check(f->b, &err), 0);
    f->b->rmsnorm(f->b, 1, N, 1e-5f, 0.0f, f->x, f->y, view_at(f->x, 1), f->whole_y); /* but not shifted */
    expect_told(f->b, "rmsnorm", "overlap");
    f->b->rmsnorm_backward(f->b, 1, N, 0.0f, f->x, f->y, f->whole_y, f->x, true, f->x, view_none());
    expect_told(f->b, "rmsnorm_backward", "overlap");
    f->b->dot(f->b, N, f->x, view_at(f->x, 1),
              (struct view){f->whole_y.buffer, 0, DTYPE_F64}); /* inputs may */
    assert_int_equal(f->b->check(f->b, &err), 0);
}

static void test_bounds(void **state) {
    struct fixture *f = *state;
    f->b->scale(f->b, ROOM, 1.0f, f->x);
    expect_told(f->b, "scale", "leave");
    f->b->upload(f->b, f->x, (float[ROOM]){0}, ROOM);
    expect_told(f->b, "upload", "leave");
}

static void test_peek_faults(void **state) {
    struct fixture *f = *state;
    assert_null(f->b->host_pointer(f->b, f->x.buffer));
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL); /* cmocka's handler would go on with the tests */
        close(STDERR_FILENO);     /* a sanitizer would report the fault there */
        _exit(*(volatile unsigned char *)f->x.buffer->pages ? 0 : 0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_writes_outside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_changes_input, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_leaves_output, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reads_output, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_overlap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bounds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_peek_faults, set_up, tear_down)};
    return cmocka_run_group_tests_name("memcheck", tests, NULL, NULL);
}
