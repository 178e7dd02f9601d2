/* Real models against what transformers computed for one text (tests/golden/model/real.json). */
#include "tests/support/model_test.h"
#include "tests/support/real_model.h"

#include "base/memory.h"
#include "io/file.h"
#include "io/json.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TOKENS_MAX = 512 };
/* Thirty layers of float32 sums in another order. */
static const double LOSS_TOLERANCE = 2e-4, NORM_TOLERANCE = 1e-4;

static double number_at(const cJSON *recorded, const char *key, int index) {
    return cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(recorded, key), index)->valuedouble;
}

static struct batch *text_batch(const cJSON *recorded) {
    int32_t ids[TOKENS_MAX];
    int count = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(recorded, "ids"));
    assert_in_range(count, 2, TOKENS_MAX);
    for (int i = 0; i < count; i++) ids[i] = (int32_t)number_at(recorded, "ids", i);
    struct batch *batch;
    MUST(batch_create(count, count, 1, &batch, err));
    batch_add_example(batch, &(struct example){ids, count, 1}, 0, 1 / (float)(count - 1));
    return batch;
}

static void check_model(const char *name) {
    char folder[REAL_PATH_BYTES];
    cJSON *root;
    real_model_find(name, folder);
    MUST(json_parse_file(TEST_SOURCE_DIR "/golden/model/real.json", 1 << 20, &root, err));
    const cJSON *recorded = cJSON_GetObjectItemCaseSensitive(root, name);
    struct batch *batch = text_batch(recorded);
    struct model_fixture f;
    fixture_open(&f, "cpu", folder);
    struct model *model;
    struct model_limits limits = {
        .rows = batch->rows, .targets = batch->targets, .slots = 1, .training = true};
    float loss[TOKENS_MAX];
    double again = 0, sum = 0;
    int32_t greedy[TOKENS_MAX];
    MUST(model_create(f.backend, &f.config, f.layout, &limits, &model, err));
    MUST(model_forward(model, f.parameters, batch, err));
    MUST(model_losses(model, loss, greedy, err));
    double worst = 0;
    for (int n = 0; n < batch->targets; n++) {
        double error = fabs((double)loss[n] - number_at(recorded, "losses", n));
        if (!(error <= worst)) worst = isnan(error) ? INFINITY : error;
        sum += (double)loss[n];
        assert_int_equal(greedy[n], (int)number_at(recorded, "greedy", n));
    }
    MUST(model_backward(model, 1, f.gradient, view_none(), err));
    MUST(model_take_sums(model, &again, NULL, err));
    assert_true(again == sum); /* the backward pass has the same losses, to the bit */
    double expected = cJSON_GetObjectItemCaseSensitive(recorded, "gradient_norm")->valuedouble;
    double norm = sqrt(fixture_dot(&f, f.gradient, f.gradient)), off = fabs(norm - expected) / expected;
    print_message("  %s: mean loss %.6f, largest difference %.2e (at most %.0e), gradient norm %.6g off by "
                  "%.2e (at most "
                  "%.0e)\n",
                  name, sum / batch->targets, worst, LOSS_TOLERANCE, norm, off, NORM_TOLERANCE);
    assert_true(worst <= LOSS_TOLERANCE);
    assert_true(off <= NORM_TOLERANCE);
    model_destroy(&model);
    fixture_close(&f);
    batch_destroy(&batch);
    cJSON_Delete(root);
}

static void test_smollm2(void **state) {
    (void)state;
    check_model(REAL_SMOLLM2);
}
static void test_gemma3(void **state) {
    (void)state;
    check_model(REAL_GEMMA3);
}

int main(void) {
    if (real_models_absent()) return REAL_MODELS_SKIPPED;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_smollm2), cmocka_unit_test(test_gemma3)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
