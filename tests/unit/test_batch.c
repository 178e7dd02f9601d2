/* Packed batches: rows, positions, targets and limits, against hand-written expectations. */
#include "train/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const int32_t first_ids[] = {10, 11, 12, 13, 14}, second_ids[] = {20, 21, 22};
static const struct example first = {first_ids, 5, 3}, second = {second_ids, 3, 1};

static void packs_examples(void **state) {
    (void)state;
    struct error err = {0};
    struct batch *batch;
    assert_int_equal(batch_create(6, 4, 2, &batch, &err), 0);
    assert_true(batch_fits(batch, &first));
    batch_add_example(batch, &first, 7, 0.5f);
    assert_true(batch_fits(batch, &second));
    batch_add_example(batch, &second, 3, 2.0f);

    static const int32_t ids[] = {10, 11, 12, 13, 20, 21}, positions[] = {0, 1, 2, 3, 0, 1};
    static const int32_t slots[] = {7, 7, 7, 7, 3, 3};
    assert_int_equal(batch->rows, 6);
    assert_memory_equal(batch->id, ids, sizeof ids);
    assert_memory_equal(batch->position, positions, sizeof positions);
    assert_memory_equal(batch->row_slot, slots, sizeof slots);

    static const int32_t rows[] = {2, 3, 4, 5}, targets[] = {13, 14, 21, 22}, target_slots[] = {7, 7, 3, 3};
    static const float weights[] = {0.5f, 0.5f, 2.0f, 2.0f};
    assert_int_equal(batch->targets, 4);
    assert_memory_equal(batch->target_row, rows, sizeof rows);
    assert_memory_equal(batch->target_id, targets, sizeof targets);
    assert_memory_equal(batch->target_slot, target_slots, sizeof target_slots);
    assert_memory_equal(batch->target_weight, weights, sizeof weights);

    static const struct segment segments[] = {{0, 4, 0, 0}, {4, 2, 0, 0}};
    assert_int_equal(batch->segments, 2);
    assert_memory_equal(batch->segment, segments, sizeof segments);

    batch_clear(batch);
    assert_int_equal(batch->rows + batch->targets + batch->segments, 0);
    assert_true(batch_fits(batch, &first));
    batch_destroy(&batch);
    assert_null(batch);
}

static void respects_every_limit(void **state) {
    (void)state;
    static const struct {
        int rows, targets, segments;
        bool fits;
    } cases[] = {{4, 2, 1, true}, {3, 2, 1, false}, {4, 1, 1, false}, {4, 2, 0, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct batch *batch;
        assert_int_equal(batch_create(cases[i].rows, cases[i].targets, cases[i].segments, &batch, NULL), 0);
        assert_int_equal(batch_fits(batch, &first), cases[i].fits);
        batch_destroy(&batch);
    }
    struct error err = {0};
    struct batch *batch;
    assert_int_equal(batch_create(-1, 0, 0, &batch, &err), ERROR_INTERNAL);
    assert_null(batch);
}

static void shares_a_prefix(void **state) {
    (void)state;
    struct batch *batch;
    assert_int_equal(batch_create(9, 2, 3, &batch, NULL), 0);
    assert_int_equal(batch_add_segment(batch, first_ids, 5, 0, 0), 0);
    assert_int_equal(batch_add_segment(batch, second_ids, 2, 0, 5), 5);
    assert_int_equal(batch_add_segment(batch, second_ids, 3, 0, 5), -1); /* 7 + 3 rows do not fit into 9 */
    assert_int_equal(batch_add_segment(batch, second_ids, 0, 0, 0), -1);
    assert_int_equal(batch->rows, 7);
    assert_int_equal(batch->position[5], 5);
    assert_int_equal(batch->position[6], 6);
    static const struct segment expected = {5, 2, 0, 5};
    assert_memory_equal(&batch->segment[1], &expected, sizeof expected);
    assert_int_equal(batch_add_segment(batch, second_ids, 1, 0, 0), 7);
    assert_int_equal(batch_add_segment(batch, second_ids, 1, 0, 0), -1); /* no fourth segment */

    assert_false(batch_add_target(batch, 8, 1, 1.0f)); /* no such row */
    assert_false(batch_add_target(batch, -1, 1, 1.0f));
    assert_true(batch_add_target(batch, 4, 1, 1.0f));
    assert_true(batch_add_target(batch, 6, 2, 1.0f));
    assert_false(batch_add_target(batch, 7, 3, 1.0f)); /* no room */
    batch_destroy(&batch);
    batch_destroy(&batch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packs_examples),
        cmocka_unit_test(respects_every_limit),
        cmocka_unit_test(shares_a_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
