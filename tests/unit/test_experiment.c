/* The experiment file: what a full and a minimal file mean, how objectives and references settle each other,
 * and the comparison with the settings of an archive. */
#include "tests/support/experiment_parts.h"

#include "base/memory.h"
#include "io/file.h"
#include "solver/adapt.h"
#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const char path[] = EXPERIMENT_PARTS_PATH;

/* ---- good files */

static void defaults_of_a_minimal_file(void **state) {
    (void)state;
    struct experiment *e = experiment_parts_parse(&experiment_parts_good);
    assert_string_equal(e->path, path);
    assert_string_equal(e->folder, "/somewhere");
    assert_string_equal(e->name, "small");
    assert_int_equal(e->model_count, 1);
    assert_string_equal(e->models[0].name, "m");
    assert_string_equal(e->models[0].path, "/somewhere/models/m");
    assert_string_equal(e->tasks.path, "/somewhere/data");
    assert_null(e->tasks.split);
    assert_int_equal(e->tasks.max_tokens, 1024);
    assert_int_equal(e->budget_count, 1);
    assert_true(e->budgets[0].fraction == 0.01);
    assert_int_equal(e->method_count, 1);
    assert_string_equal(e->methods[0].name, "uniform");
    assert_null(e->methods[0].reference_losses);
    assert_int_equal(e->methods[0].reference_method, -1);
    assert_int_equal(e->seed_count, 1);
    assert_int_equal(e->seeds[0], 0);
    assert_int_equal(e->training.batch_tokens, 8192);
    assert_int_equal(e->training.micro_batch_tokens, 2048);
    assert_int_equal(e->training.unit, SAMPLER_TOKEN);
    assert_false(e->training.validation_charged);
    assert_int_equal(e->training.optimizer.kind, OPTIMIZER_ADAMW);
    assert_true(e->training.optimizer.learning_rate > 0.0);
    assert_int_equal(e->evaluation.benchmark_count, 0);
    assert_int_equal(e->evaluation.settings.limit, 0);
    assert_int_equal(e->evaluation.decontaminate.ngram, 13);
    assert_int_equal(e->evaluation.decontaminate.action, DECONTAMINATE_COUNT);
    static const double points[] = {0.0, 0.25, 0.5, 0.75, 1.0};
    assert_int_equal(e->evaluation.validation_count, 5);
    assert_memory_equal(e->evaluation.validation_at, points, sizeof points);
    assert_int_equal(e->ranks_per_cell, 1);
    assert_string_equal(e->out, "/somewhere/runs/small");
    assert_string_equal(e->cache, "/somewhere/runs/small/cache");
    assert_string_equal(e->device, "cpu");
    assert_int_equal(e->keep, KEEP_NONE);
    assert_int_equal(e->best, BEST_WORST);
    experiment_destroy(&e);
    assert_null(e);
    experiment_destroy(&e);
}

static void everything_in_a_full_file(void **state) {
    (void)state;
    struct experiment_parts parts = {
        .name = "\"name\": \"full\"",
        .models = "\"models\": [{\"name\": \"a\", \"path\": \"/abs/a\"}, {\"path\": \"b\", \"name\": "
                  "\"b-1.5_x+\"}]",
        .tasks =
            "\"tasks\": {\"path\": \"d\", \"split\": \"s.txt\", \"group_by\": \"file\", \"max_tokens\": 512, "
            "\"template\": \"{definition}{examples}{input}\", \"examples\": 2}",
        .budgets = "\"budgets\": [ 0.010 ,1e-1,\n0.5, 1]",
        .methods = "\"methods\": [{\"name\": \"uniform\", \"label\": \"u\"}, {\"name\": \"proportional\"}, "
                   "{\"name\": "
                   "\"temperature\", \"temperature\": 3}, {\"name\": \"stratified\", \"mixture\": "
                   "\"proportional\"}, "
                   "{\"name\": \"adapt\", \"temperature\": 0.5, \"update\": \"softmax\", \"interval\": 7}]",
        .rest = "\"seeds\": [3, 0, 9007199254740992], \"training\": {\"batch_tokens\": 4096, "
                "\"micro_batch_tokens\": 1024, "
                "\"unit\": \"example\", \"validation_charged\": true, \"learning_rate\": 3e-5, "
                "\"optimizer\": \"sgd\"}, "
                "\"evaluation\": {\"benchmarks\": {\"arc_challenge\": \"b/arc.jsonl\"}, \"limit\": 5, "
                "\"at\": [\"end\"], \"decontaminate\": {\"ngram\": 8, \"action\": \"drop\"}, "
                "\"validation_at\": [0.5, 1]}, \"ranks_per_cell\": 2, \"out\": \"/abs/out\", \"cache\": "
                "\"c\", \"keep\": \"best\", "
                "\"best_by\": \"mean\"",
    };
    struct experiment *e = experiment_parts_parse(&parts);
    assert_string_equal(e->models[0].path, "/abs/a");
    assert_string_equal(e->models[1].path, "/somewhere/b");
    assert_string_equal(e->tasks.split, "/somewhere/s.txt");
    assert_int_equal(e->tasks.group_by, TASKS_BY_FILE);
    static const char *const names[] = {"0.010", "1e-1", "0.5", "1"};
    static const double fractions[] = {0.01, 0.1, 0.5, 1.0};
    assert_int_equal(e->budget_count, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(e->budgets[i].name, names[i]);
        assert_true(e->budgets[i].fraction == fractions[i]);
    }
    assert_int_equal(e->method_count, 5);
    assert_string_equal(e->methods[0].name, "u");
    assert_string_equal(e->methods[0].method->name, "uniform");
    const struct adapt_settings *adapt = e->methods[4].settings;
    assert_true(adapt->temperature == 0.5 && adapt->interval == 7 && adapt->entropy == 0.3);
    assert_int_equal(adapt->update, ADAPT_SOFTMAX);
    assert_int_equal(adapt->objective, OBJECTIVE_EXCESS);
    assert_string_equal(e->methods[4].reference_losses, "u");
    assert_int_equal(e->methods[4].reference_method, 0);
    assert_int_equal(e->seed_count, 3);
    assert_true(e->seeds[0] == 3 && e->seeds[1] == 0 && e->seeds[2] == 9007199254740992);
    assert_int_equal(e->training.batch_tokens, 4096);
    assert_int_equal(e->training.micro_batch_tokens, 1024);
    assert_int_equal(e->training.unit, SAMPLER_EXAMPLE);
    assert_true(e->training.validation_charged);
    assert_true(e->training.optimizer.learning_rate == 3e-5);
    assert_int_equal(e->training.optimizer.kind, OPTIMIZER_SGD);
    assert_int_equal(e->evaluation.benchmark_count, 1);
    assert_string_equal(e->evaluation.benchmarks[0].name, "arc_challenge");
    assert_string_equal(e->evaluation.benchmarks[0].path, "/somewhere/b/arc.jsonl");
    assert_int_equal(e->evaluation.settings.limit, 5);
    assert_int_equal(e->evaluation.decontaminate.ngram, 8);
    assert_int_equal(e->evaluation.decontaminate.action, DECONTAMINATE_DROP);
    assert_int_equal(e->evaluation.validation_count, 2);
    assert_int_equal(e->ranks_per_cell, 2);
    assert_string_equal(e->out, "/abs/out");
    assert_string_equal(e->cache, "/somewhere/c");
    assert_int_equal(e->keep, KEEP_BEST);
    assert_int_equal(e->best, BEST_MEAN);
    experiment_destroy(&e);
}

static void budgets_keep_their_spelling_wherever_they_stand(void **state) {
    (void)state;
    struct experiment_parts parts = experiment_parts_good;
    parts.rest = "\"seeds\": [1], \"device\": \"cpu\"";
    parts.name = "\"out\": \"a \\\\\\\"budgets\\\": [7]\", \"name\": \"small\"";
    parts.budgets = "\"budgets\":[0.0500,0.10]";
    struct experiment *e = experiment_parts_parse(&parts);
    assert_string_equal(e->budgets[0].name, "0.0500");
    assert_string_equal(e->budgets[1].name, "0.10");
    experiment_destroy(&e);
    parts.budgets = "\"b\\u0075dgets\": [0.0500]"; /* an escape hides the key: the value's shortest form */
    e = experiment_parts_parse(&parts);
    assert_string_equal(e->budgets[0].name, "0.05");
    experiment_destroy(&e);
}

/* ---- objectives and references */

static void check_reference(const char *methods, int index, int objective, const char *reference,
                            int reference_method) {
    struct experiment_parts parts = experiment_parts_good;
    parts.methods = methods;
    struct experiment *e = experiment_parts_parse(&parts);
    const struct adapt_settings *adapt = e->methods[index].settings;
    assert_int_equal(adapt->objective, objective);
    if (reference)
        assert_string_equal(e->methods[index].reference_losses, reference);
    else
        assert_null(e->methods[index].reference_losses);
    assert_int_equal(e->methods[index].reference_method, reference_method);
    experiment_destroy(&e);
}

static void objective_and_reference_settle_each_other(void **state) {
    (void)state;
    check_reference("\"methods\": [{\"name\": \"adapt\"}]", 0, OBJECTIVE_LOSS, NULL, -1);
    check_reference("\"methods\": [{\"name\": \"adapt\"}, {\"name\": \"uniform\"}]", 0, OBJECTIVE_EXCESS,
                    "uniform", 1);
    check_reference("\"methods\": [{\"name\": \"adapt\", \"objective\": \"loss\"}, {\"name\": \"uniform\"}]",
                    0, OBJECTIVE_LOSS, NULL, -1);
    check_reference("\"methods\": [{\"name\": \"uniform\"}, {\"name\": \"adapt\", \"objective\": \"ratio\"}]",
                    1, OBJECTIVE_RATIO, "uniform", 0);
    check_reference("\"methods\": [{\"name\": \"uniform\"}, {\"name\": \"adapt\", \"reference\": \"start\"}]",
                    1, OBJECTIVE_EXCESS, "start", -1);
    check_reference("\"methods\": [{\"name\": \"adapt\", \"reference\": \"p\"}, {\"name\": \"proportional\", "
                    "\"label\": \"p\"}]",
                    0, OBJECTIVE_EXCESS, "p", 1);
    /* A chain: adapt compares with another adapt, which compares with uniform. */
    check_reference("\"methods\": [{\"name\": \"adapt\", \"label\": \"b\", \"reference\": \"a\"}, {\"name\": "
                    "\"adapt\", \"label\": "
                    "\"a\"}, {\"name\": \"uniform\"}]",
                    0, OBJECTIVE_EXCESS, "a", 1);
}

static void a_reference_file_is_read(void **state) {
    (void)state;
    char folder[] = "/tmp/adapt-experiment-XXXXXX", methods[256], message[512];
    assert_non_null(mkdtemp(folder));
    char file[128];
    snprintf(file, sizeof file, "%s/losses.json", folder);
    assert_int_equal(file_write(file, "{\"a\": 1.5}", 10, NULL), 0);
    snprintf(methods, sizeof methods, "\"methods\": [{\"name\": \"adapt\", \"reference\": \"%s\"}]", file);
    check_reference(methods, 0, OBJECTIVE_EXCESS, file, -1);
    struct experiment_parts parts = experiment_parts_good;
    parts.methods = methods;
    assert_int_equal(file_write(file, "{\"a\": \"x\"}", 10, NULL), 0);
    snprintf(message, sizeof message, "%s: methods[0].reference: %s: not an object {\"task name\": loss}",
             path, file);
    experiment_parts_refused(&parts, message);
    assert_int_equal(file_write(file, "{\"a\": ", 6, NULL), 0);
    snprintf(message, sizeof message,
             "%s: methods[0].reference: %s:1:1: the bracket that opens here is never closed: the text is cut "
             "short",
             path, file);
    experiment_parts_refused(&parts, message);
    assert_int_equal(file_remove_tree(folder, NULL), 0);
}
/* ---- settings in force, comparison */

static void a_method_shows_all_settings_in_force(void **state) {
    (void)state;
    struct experiment_parts parts = experiment_parts_good;
    parts.methods =
        "\"methods\": [{\"name\": \"uniform\"}, {\"name\": \"adapt\", \"label\": \"a\", \"rate\": 0.25}]";
    struct experiment *e = experiment_parts_parse(&parts);
    char *text;
    assert_int_equal(experiment_method_json(&e->methods[1], &text, NULL), 0);
    cJSON *json = cJSON_Parse(text);
    assert_non_null(json);
    int rows = 0;
    for (const struct setting *row = e->methods[1].method->settings; row->name; row++, rows++)
        assert_non_null(cJSON_GetObjectItemCaseSensitive(json, row->name));
    assert_int_equal(cJSON_GetArraySize(json), rows + 2);
    assert_true(cJSON_GetObjectItem(json, "rate")->valuedouble == 0.25);
    assert_true(cJSON_GetObjectItem(json, "interval")->valuedouble == 10.0);
    assert_string_equal(cJSON_GetObjectItem(json, "name")->valuestring, "adapt");
    assert_string_equal(cJSON_GetObjectItem(json, "objective")->valuestring, "excess");
    assert_string_equal(cJSON_GetObjectItem(json, "reference")->valuestring, "uniform");
    cJSON_Delete(json);
    memory_free(text);
    assert_int_equal(experiment_method_json(&e->methods[0], &text, NULL), 0);
    assert_string_equal(text, "{\"name\":\"uniform\"}");
    memory_free(text);
    experiment_destroy(&e);
}

/* Compares an experiment with the text of an older one; NULL: no difference expected. */
static void check_difference(const struct experiment_parts *now, const struct experiment_parts *old,
                             const char *expected) {
    struct text text = {0};
    struct error err = {0};
    struct experiment *e = experiment_parts_parse(now);
    experiment_parts_write(old, &text);
    int code = experiment_compare(e, text_string(&text), &err);
    if (!expected && code) fail_msg("%s", err.message);
    if (expected) {
        char message[2048];
        snprintf(message, sizeof message,
                 "the archive in %s was made with other settings (another \"out\" is expected): %s: %s",
                 e->out, path, expected);
        assert_int_equal(code, ERROR_INPUT);
        assert_string_equal(err.message, message);
    }
    text_free(&text);
    experiment_destroy(&e);
}

static void what_may_differ_from_an_archive(void **state) {
    (void)state;
    struct experiment_parts old = experiment_parts_good, now = experiment_parts_good;
    check_difference(&now, &old, NULL);
    now.rest = "\"training\": {\"batch_tokens\": 8192}, \"keep\": \"none\", \"seeds\": [0]"; /* defaults
                                                                                                written out */
    check_difference(&now, &old, NULL);
    now.rest = "\"out\": \"elsewhere\", \"cache\": \"c\", \"ranks_per_cell\": 4, \"seeds\": [1, 0], "
               "\"training\": {\"recompute\": \"layer\"}, \"evaluation\": {\"benchmarks\": "
               "{\"boolq\": \"f\"}}";
    now.models =
        "\"models\": [{\"name\": \"new\", \"path\": \"x\"}, {\"name\": \"m\", \"path\": \"models/m\"}]";
    now.budgets = "\"budgets\": [0.5, 0.01]";
    now.methods = "\"methods\": [{\"name\": \"adapt\"}, {\"name\": \"uniform\"}]";
    check_difference(&now, &old, NULL);
}

static void differences_from_an_archive_are_told(void **state) {
    (void)state;
    struct experiment_parts old = experiment_parts_good, now = experiment_parts_good;
    now.rest = "\"training\": {\"batch_tokens\": 4096}";
    check_difference(&now, &old, "training.batch_tokens: 8192 in the archive, 4096 now");
    now = experiment_parts_good;
    now.models = "\"models\": [{\"name\": \"m\", \"path\": \"models/other\"}]";
    check_difference(&now, &old,
                     "models.m: \"/somewhere/models/m\" in the archive, \"/somewhere/models/other\" now");
    now = experiment_parts_good;
    now.budgets = "\"budgets\": [0.02]";
    check_difference(&now, &old, "budgets.0.01: 0.01 in the archive, nothing now");
    now = experiment_parts_good;
    old.methods = "\"methods\": [{\"name\": \"uniform\"}, {\"name\": \"adapt\"}]";
    now.methods = "\"methods\": [{\"name\": \"uniform\"}, {\"name\": \"adapt\", \"rate\": 0.1, "
                  "\"objective\": \"loss\"}]";
    check_difference(&now, &old,
                     "methods.adapt.rate: 0.05 in the archive, 0.1 now\n/somewhere/e.json: "
                     "methods.adapt.objective: \"excess\" in "
                     "the archive, \"loss\" now\n/somewhere/e.json: methods.adapt.reference: \"uniform\" in "
                     "the archive, nothing "
                     "now");
    now = old;
    old.rest = "\"evaluation\": {\"validation_at\": [0, 1]}";
    check_difference(&now, &old, "evaluation.validation_at: [0,1] in the archive, [0,0.25,0.5,0.75,1] now");
    old.rest = "\"evaluation\": {\"decontaminate\": {\"action\": \"drop\"}}";
    check_difference(&now, &old, "evaluation.decontaminate.action: \"drop\" in the archive, \"count\" now");
    now.rest =
        "\"evaluation\": {\"decontaminate\": {\"action\": \"drop\"}, \"benchmarks\": {\"boolq\": \"f\"}}";
    check_difference(&now, &old, "evaluation.benchmarks.boolq: nothing in the archive, \"/somewhere/f\" now");

    struct experiment *e = experiment_parts_parse(&experiment_parts_good);
    struct error err = {0};
    assert_int_equal(experiment_compare(e, "{\"name\": 1}", &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "was made with cannot be read any more"));
    experiment_destroy(&e);
}

static void another_out_moves_the_default_cache(void **state) {
    (void)state;
    struct experiment_parts parts = experiment_parts_good;
    struct experiment *e = experiment_parts_parse(&parts);
    assert_int_equal(experiment_set_out(e, "else/where", NULL), 0);
    assert_string_equal(e->out, "else/where");
    assert_string_equal(e->cache, "else/where/cache");
    experiment_destroy(&e);
    parts.rest = "\"cache\": \"mine\"";
    e = experiment_parts_parse(&parts);
    assert_int_equal(experiment_set_out(e, "else/where", NULL), 0);
    assert_string_equal(e->cache, "/somewhere/mine");
    experiment_destroy(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_of_a_minimal_file),
        cmocka_unit_test(everything_in_a_full_file),
        cmocka_unit_test(budgets_keep_their_spelling_wherever_they_stand),
        cmocka_unit_test(objective_and_reference_settle_each_other),
        cmocka_unit_test(a_reference_file_is_read),
        cmocka_unit_test(a_method_shows_all_settings_in_force),
        cmocka_unit_test(what_may_differ_from_an_archive),
        cmocka_unit_test(differences_from_an_archive_are_told),
        cmocka_unit_test(another_out_moves_the_default_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
