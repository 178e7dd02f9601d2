/* The experiment file: what a full and a minimal file mean, every mistake with its place and its words, and
 * the comparison with the settings of an archive. */
#include "runner/experiment.h"

#include "base/memory.h"
#include "base/text.h"
#include "io/file.h"
#include "solver/adapt.h"
#include <cjson/cJSON.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const char path[] = "/somewhere/e.json";

/* The parts of a file that has no mistake; a test replaces some of them. */
struct parts {
    const char *name, *models, *tasks, *budgets, *methods, *rest;
};
static const struct parts good = {
    .name = "\"name\": \"small\"",
    .models = "\"models\": [{\"name\": \"m\", \"path\": \"models/m\"}]",
    .tasks = "\"tasks\": {\"path\": \"data\"}",
    .budgets = "\"budgets\": [0.01]",
    .methods = "\"methods\": [{\"name\": \"uniform\"}]",
};

static void write_parts(const struct parts *parts, struct text *out) {
    const char *list[] = {parts->name,    parts->models,  parts->tasks,
                          parts->budgets, parts->methods, parts->rest};
    assert_int_equal(text_append_string(out, "{", NULL), 0);
    int count = 0;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        if (list[i] && *list[i])
            assert_int_equal(text_printf(out, NULL, "%s%s", count++ ? ",\n " : "", list[i]), 0);
    }
    assert_int_equal(text_append_string(out, "}\n", NULL), 0);
}

static struct experiment *parse(const struct parts *parts) {
    struct text text = {0};
    struct error err = {0};
    struct experiment *experiment;
    write_parts(parts, &text);
    if (experiment_parse(path, text_string(&text), text.length, &experiment, &err))
        fail_msg("%s", err.message);
    text_free(&text);
    return experiment;
}

/* Parses the text and demands exactly this message. */
static void check_message(const char *text, const char *expected) {
    struct error err = {0};
    struct experiment *experiment;
    int code = experiment_parse(path, text, strlen(text), &experiment, &err);
    if (code != ERROR_INPUT) fail_msg("code %d for %s", code, text);
    assert_null(experiment);
    if (strcmp(err.message, expected))
        fail_msg("\n%s\nwas expected for\n%s\nnot\n%s", expected, text, err.message);
}

static void check_parts(const struct parts *parts, const char *expected) {
    struct text text = {0};
    write_parts(parts, &text);
    check_message(text_string(&text), expected);
    text_free(&text);
}

/* ------------------------------------------------------------------------------------------- good files */

static void defaults_of_a_minimal_file(void **state) {
    (void)state;
    struct experiment *e = parse(&good);
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
    assert_int_equal(e->evaluation.limit, 0);
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
    struct parts parts = {
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
                "\"at\": [\"end\"], "
                "\"validation_at\": [0.5, 1]}, \"ranks_per_cell\": 2, \"out\": \"/abs/out\", \"cache\": "
                "\"c\", \"keep\": \"best\", "
                "\"best_by\": \"mean\"",
    };
    struct experiment *e = parse(&parts);
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
    assert_int_equal(e->evaluation.limit, 5);
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
    struct parts parts = good;
    parts.rest = "\"seeds\": [1], \"device\": \"cpu\"";
    parts.name = "\"out\": \"a \\\\\\\"budgets\\\": [7]\", \"name\": \"small\"";
    parts.budgets = "\"budgets\":[0.0500,0.10]";
    struct experiment *e = parse(&parts);
    assert_string_equal(e->budgets[0].name, "0.0500");
    assert_string_equal(e->budgets[1].name, "0.10");
    experiment_destroy(&e);
    parts.budgets = "\"b\\u0075dgets\": [0.0500]"; /* an escape hides the key: the value's shortest form */
    e = parse(&parts);
    assert_string_equal(e->budgets[0].name, "0.05");
    experiment_destroy(&e);
}

/* ------------------------------------------------------------------------------------------- objectives and
 * references */

static void check_reference(const char *methods, int index, int objective, const char *reference,
                            int reference_method) {
    struct parts parts = good;
    parts.methods = methods;
    struct experiment *e = parse(&parts);
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
    struct parts parts = good;
    parts.methods = methods;
    assert_int_equal(file_write(file, "{\"a\": \"x\"}", 10, NULL), 0);
    snprintf(message, sizeof message, "%s: methods[0].reference: %s: not an object {\"task name\": loss}",
             path, file);
    check_parts(&parts, message);
    assert_int_equal(file_write(file, "{\"a\": ", 6, NULL), 0);
    snprintf(message, sizeof message,
             "%s: methods[0].reference: %s:1:1: the bracket that opens here is never closed: the text is cut "
             "short",
             path, file);
    check_parts(&parts, message);
    assert_int_equal(file_remove_tree(folder, NULL), 0);
}

/* ------------------------------------------------------------------------------------------- bad files */

enum part { NAME, MODELS, TASKS, BUDGETS, METHODS, REST };

/* One part of the good file replaced, and what is said (after "/somewhere/e.json: "). */
static const struct {
    enum part part;
    const char *text, *message;
} mistakes[] = {
    {NAME, "", "\"name\" is missing (a name for the experiment is expected)"},
    {NAME, "\"name\": 3",
     "name: a number, where a string is expected\n"
     "/somewhere/e.json: \"name\" is missing (a name for the experiment is expected)"},
    {NAME, "\"name\": \"\"", "name: an empty name"},
    {NAME, "\"name\": \"a/b\"",
     "name: \"a/b\" cannot be a folder's name everywhere (letters, digits, \".\", \"_\", \"+\" and \"-\", "
     "not beginning with a "
     "dot, are expected)"},
    {NAME, "\"name\": \"..\"",
     "name: \"..\" cannot be a folder's name everywhere (letters, digits, \".\", \"_\", \"+\" and \"-\", not "
     "beginning with a "
     "dot, are expected)"},
    {NAME, "\"name\": \"small\", \"name\": \"large\"", "name: the key appears more than once"},
    {NAME, "\"name\": \"small\", \"metods\": []", "metods: unknown key (did you mean \"methods\"?)"},
    {NAME, "\"name\": \"small\", \"zzz\": []", "zzz: unknown key"},

    {MODELS, "", "\"models\" is missing (a list of {\"name\", \"path\"} is expected)"},
    {MODELS, "\"models\": {}", "models: not a list (a list of {\"name\", \"path\"} is expected)"},
    {MODELS, "\"models\": []", "models: an empty list (a list of {\"name\", \"path\"} is expected)"},
    {MODELS, "\"models\": [\"m\"]", "models[0]: a string, where an object is expected"},
    {MODELS, "\"models\": [{\"name\": \"m\"}]",
     "models[0]: \"path\" is missing (the model's folder is expected)"},
    {MODELS, "\"models\": [{\"path\": \"m\"}]",
     "models[0]: \"name\" is missing (a name for the archive is expected)"},
    {MODELS, "\"models\": [{\"name\": \"a b\", \"path\": \"m\"}]",
     "models[0].name: \"a b\" cannot be a folder's name everywhere (letters, digits, \".\", \"_\", \"+\" and "
     "\"-\", not beginning "
     "with a dot, are expected)"},
    {MODELS, "\"models\": [{\"name\": \"m\", \"path\": \"a\"}, {\"name\": \"m\", \"path\": \"b\"}]",
     "models[1].name: \"m\" is taken by models[0]"},
    {MODELS, "\"models\": [{\"name\": \"m\", \"pth\": \"a\"}]",
     "models[0].pth: unknown key (did you mean \"path\"?)\n"
     "/somewhere/e.json: models[0]: \"path\" is missing (the model's folder is expected)"},

    {TASKS, "", "\"tasks\" is missing (an object with the \"path\" of a folder is expected)"},
    {TASKS, "\"tasks\": \"d\"", "tasks: a string, where an object is expected"},
    {TASKS, "\"tasks\": {}",
     "tasks: \"path\" is missing (the folder of Natural Instructions files is expected)"},
    {TASKS, "\"tasks\": {\"path\": \"d\", \"group_by\": \"kind\"}",
     "tasks.group_by: \"kind\", where one of \"category\", \"file\" is expected"},
    {TASKS, "\"tasks\": {\"path\": \"d\", \"max_tokens\": 4096}",
     "training.micro_batch_tokens: 2048 tokens do not hold an example of tasks.max_tokens 4096 (at least as "
     "many are expected)"},
    {TASKS, "\"tasks\": {\"path\": \"d\", \"max_tokenz\": 64}",
     "tasks.max_tokenz: unknown key (did you mean \"max_tokens\"?)"},
    {TASKS, "\"tasks\": {\"path\": \"d\", \"template\": null}",
     "tasks.template: null (a text with {input} is expected)"},

    {BUDGETS, "",
     "\"budgets\" is missing (a list of fractions of the available supervised tokens, such as [0.01, 0.05] "
     "is expected)"},
    {BUDGETS, "\"budgets\": 0.01",
     "budgets: not a list (a list of fractions of the available supervised tokens, such as [0.01, 0.05] is "
     "expected)"},
    {BUDGETS, "\"budgets\": [\"0.01\"]",
     "budgets[0]: not a number (a list of fractions of the available supervised tokens, such as [0.01, 0.05] "
     "is expected)"},
    {BUDGETS, "\"budgets\": [0.01, 5]",
     "budgets[1]: 5 is a whole number, but a budget is a fraction of the available supervised tokens (0 < "
     "budget <= 1; one per "
     "cent is 0.01)"},
    {BUDGETS, "\"budgets\": [100000]",
     "budgets[0]: 100000 is a whole number, but a budget is a fraction of the available supervised tokens (0 "
     "< budget <= 1; one "
     "per cent is 0.01)"},
    {BUDGETS, "\"budgets\": [0]",
     "budgets[0]: 0 is out of range (0 < budget <= 1, a fraction of the available supervised tokens, is "
     "expected)"},
    {BUDGETS, "\"budgets\": [1.5]",
     "budgets[0]: 1.5 is out of range (0 < budget <= 1, a fraction of the available supervised tokens, is "
     "expected)"},
    {BUDGETS, "\"budgets\": [-0.1]",
     "budgets[0]: -0.1 is out of range (0 < budget <= 1, a fraction of the available supervised tokens, is "
     "expected)"},
    {BUDGETS, "\"budgets\": [0.1, 0.2, 0.10]", "budgets[2]: the same budget as budgets[0]"},

    {METHODS, "", "\"methods\" is missing (a list of methods such as {\"name\": \"uniform\"} is expected)"},
    {METHODS, "\"methods\": [\"uniform\"]",
     "methods[0]: not an object (a list of methods such as {\"name\": \"uniform\"} is expected)"},
    {METHODS, "\"methods\": [{\"label\": \"u\"}]",
     "methods[0]: \"name\" is missing (a list of methods such as {\"name\": \"uniform\"} is expected)"},
    {METHODS, "\"methods\": [{\"name\": 1}]", "methods[0].name: not a string (a method's name is expected)"},
    {METHODS, "\"methods\": [{\"name\": \"unifrom\"}]",
     "methods[0].name: no method is called \"unifrom\" (did you mean \"uniform\"?)"},
    {METHODS, "\"methods\": [{\"name\": \"doremi\"}]",
     "methods[0].name: no method is called \"doremi\" (one of uniform, proportional, temperature, "
     "stratified, adapt is "
     "expected)"},
    {METHODS, "\"methods\": [{\"name\": \"uniform\"}, {\"name\": \"uniform\"}]",
     "methods[1]: the label \"uniform\" is taken by methods[0] (give one of them another \"label\")"},
    {METHODS, "\"methods\": [{\"name\": \"uniform\", \"label\": \"start\"}]",
     "methods[0].label: \"start\" has a meaning of its own in \"reference\" (another label is expected)"},
    {METHODS, "\"methods\": [{\"name\": \"uniform\", \"label\": 7}]",
     "methods[0].label: a number, where a string is expected"},
    {METHODS, "\"methods\": [{\"name\": \"uniform\", \"label\": \"a/b\"}]",
     "methods[0].label: \"a/b\" cannot be a folder's name everywhere (letters, digits, \".\", \"_\", \"+\" "
     "and \"-\", not "
     "beginning with a dot, are expected)"},
    {METHODS, "\"methods\": [{\"name\": \"uniform\", \"rate\": 0.1}]", "methods[0].rate: unknown key"},
    {METHODS, "\"methods\": [{\"name\": \"uniform\", \"reference\": \"x\"}]",
     "methods[0].reference: unknown key"},
    {METHODS, "\"methods\": [{\"name\": \"adapt\", \"rat\": 0.1}]",
     "methods[0].rat: unknown key (did you mean \"rate\"?)"},
    {METHODS, "\"methods\": [{\"name\": \"adapt\", \"referense\": \"start\"}]",
     "methods[0].referense: unknown key (did you mean \"reference\"?)"},
    {METHODS, "\"methods\": [{\"name\": \"adapt\", \"rate\": 1.5}]",
     "methods[0].rate: 1.5 is out of range (0 <= rate <= 1 where alignments are normalised; \"normalise\": "
     "\"none\" lifts the "
     "bound)"},
    {METHODS, "\"methods\": [{\"name\": \"adapt\", \"floor\": -0.1}]",
     "methods[0].floor: -0.1, where a number from 0 to 0.999 is expected"},
    {METHODS, "\"methods\": [{\"name\": \"adapt\", \"interval\": 0}]",
     "methods[0].interval: 0, where a whole number from 1 to 1000000000 is expected"},
    {METHODS, "\"methods\": [{\"name\": \"adapt\", \"interval\": 2.5}]",
     "methods[0].interval: 2.5, where a whole number from 1 to 1000000000 is expected"},
    {METHODS, "\"methods\": [{\"name\": \"adapt\", \"update\": \"mirorr\"}]",
     "methods[0].update: \"mirorr\", where one of \"mirror\", \"softmax\" is expected"},
    {METHODS, "\"methods\": [{\"name\": \"adapt\", \"objective\": \"excess\"}]",
     "methods[0].reference: missing: the objective compares, and the grid has no method \"uniform\" to "
     "compare with (add it, or "
     "\"reference\": \"start\" or a file of losses)"},
    {METHODS, "\"methods\": [{\"name\": \"adapt\", \"objective\": \"loss\", \"reference\": \"start\"}]",
     "methods[0].reference: the objective \"loss\" compares with nothing (leave one out, or use \"excess\" "
     "or \"ratio\")"},
    {METHODS, "\"methods\": [{\"name\": \"uniform\"}, {\"name\": \"adapt\", \"reference\": \"unifrom\"}]",
     "methods[1].reference: \"unifrom\" is neither a method's label of this grid, nor \"start\", nor a file "
     "(did you mean "
     "\"uniform\"?)"},
    {METHODS, "\"methods\": [{\"name\": \"adapt\", \"reference\": \"adapt\"}]",
     "methods[0].reference: the method would have to run before itself"},
    {METHODS,
     "\"methods\": [{\"name\": \"adapt\", \"label\": \"a\", \"reference\": \"b\"}, {\"name\": \"adapt\", "
     "\"label\": \"b\", "
     "\"reference\": \"a\"}]",
     "methods[0].reference: the method would have to run before itself\n"
     "/somewhere/e.json: methods[1].reference: the method would have to run before itself"},

    {REST, "\"seeds\": 3", "seeds: not a list (a list is expected)"},
    {REST, "\"seeds\": []", "seeds: an empty list (leave the key out instead)"},
    {REST, "\"seeds\": [-1]", "seeds[0]: not a seed (a whole number from 0 to 2^53 is expected)"},
    {REST, "\"seeds\": [0, 1.5]", "seeds[1]: not a seed (a whole number from 0 to 2^53 is expected)"},
    {REST, "\"seeds\": [\"0\", \"0\"]",
     "seeds[0]: not a seed (a whole number from 0 to 2^53 is expected)\n"
     "/somewhere/e.json: seeds[1]: not a seed (a whole number from 0 to 2^53 is expected)"},
    {REST, "\"seeds\": [4, 5, 4]", "seeds[2]: 4 is seeds[0] already"},

    {REST, "\"training\": []", "training: a list, where an object is expected"},
    {REST, "\"training\": {\"batch_token\": 1}",
     "training.batch_token: unknown key (did you mean \"batch_tokens\"?)"},
    {REST, "\"training\": {\"learning_rat\": 1}",
     "training.learning_rat: unknown key (did you mean \"learning_rate\"?)"},
    {REST, "\"training\": {\"unit\": \"tokens\"}",
     "training.unit: \"tokens\", where one of \"token\", \"example\" is expected"},
    {REST, "\"training\": {\"validation_charged\": 1}",
     "training.validation_charged: a number, where true or false is expected"},
    {REST, "\"training\": {\"micro_batch_tokens\": 1000}",
     "training.micro_batch_tokens: 1000 tokens do not hold an example of tasks.max_tokens 1024 (at least as "
     "many are expected)"},

    {REST, "\"evaluation\": {\"benchmarks\": []}",
     "evaluation.benchmarks: not an object ({\"arc_challenge\": \"FILE\"} is expected)"},
    {REST, "\"evaluation\": {\"benchmarks\": {\"arc_chalenge\": \"f\"}}",
     "evaluation.benchmarks.arc_chalenge: no benchmark of that name is known (did you mean "
     "\"arc_challenge\"?)"},
    {REST, "\"evaluation\": {\"benchmarks\": {\"xyz\": \"f\"}}",
     "evaluation.benchmarks.xyz: no benchmark of that name is known"},
    {REST, "\"evaluation\": {\"benchmarks\": {\"boolq\": 1}}",
     "evaluation.benchmarks.boolq: not a path (the benchmark's JSON-lines file is expected)"},
    {REST, "\"evaluation\": {\"benchmarks\": {\"boolq\": \"a\", \"boolq\": \"b\"}}",
     "evaluation.benchmarks.boolq: the key appears more than once"},
    {REST, "\"evaluation\": {\"limit\": -1}",
     "evaluation.limit: -1, where a whole number from 0 to 1000000000 is expected"},
    {REST, "\"evaluation\": {\"bench\": {}}", "evaluation.bench: unknown key"},
    {REST, "\"evaluation\": {\"at\": [\"half\"]}",
     "evaluation.at[0]: benchmarks are run at \"end\" only (\"half\" is not supported)"},
    {REST, "\"evaluation\": {\"at\": [0.5]}",
     "evaluation.at[0]: benchmarks are run at \"end\" only (\"this\" is not supported)"},
    {REST, "\"evaluation\": {\"at\": \"end\"}", "evaluation.at: not a list ([\"end\"] is expected)"},
    {REST, "\"evaluation\": {\"validation_at\": [0, 1.5]}",
     "evaluation.validation_at[1]: not a share of the budget (a number from 0 to 1 is expected)"},
    {REST, "\"evaluation\": {\"validation_at\": [0.5, 0.25]}",
     "evaluation.validation_at[1]: 0.25 does not come after 0.5 (an ascending list of shares of the budget, "
     "such as [0, 0.5, 1], "
     "is expected)"},
    {REST, "\"evaluation\": {\"validation_at\": 1}",
     "evaluation.validation_at: not a list (an ascending list of shares of the budget, such as [0, 0.5, 1], "
     "is expected)"},
    {REST, "\"evaluation\": {\"validation_at\": []}, \"keep\": \"best\"",
     "keep: \"best\" is chosen at evaluation.validation_at, which is empty"},

    {REST, "\"ranks_per_cell\": 0", "ranks_per_cell: 0, where a whole number from 1 to 1000000 is expected"},
    {REST, "\"keep\": \"all\"", "keep: \"all\", where one of \"none\", \"last\", \"best\" is expected"},
    {REST, "\"best_by\": \"median\"", "best_by: \"median\", where one of \"worst\", \"mean\" is expected"},
    {REST, "\"out\": 5", "out: a number, where a string is expected"},
};

static void every_mistake_is_told_with_its_place(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct parts parts = good;
        const char **part[] = {&parts.name,    &parts.models,  &parts.tasks,
                               &parts.budgets, &parts.methods, &parts.rest};
        *part[mistakes[i].part] = mistakes[i].text;
        char message[2048];
        snprintf(message, sizeof message, "%s: %s", path, mistakes[i].message);
        check_parts(&parts, message);
    }
}

static void the_reference_cell_must_be_measured_at_its_end(void **state) {
    (void)state;
    struct parts parts = good;
    parts.methods = "\"methods\": [{\"name\": \"uniform\"}, {\"name\": \"adapt\"}]";
    parts.rest = "\"evaluation\": {\"validation_at\": [0, 0.5]}";
    check_parts(&parts, "/somewhere/e.json: evaluation.validation_at: methods[1] compares with the final "
                        "losses of \"uniform\", so "
                        "the list must end with 1");
}

static void an_unknown_device_names_the_known_ones(void **state) {
    (void)state;
    struct parts parts = good;
    struct text text = {0};
    struct error err = {0};
    struct experiment *e;
    parts.rest = "\"device\": \"gpu\"";
    write_parts(&parts, &text);
    assert_int_equal(experiment_parse(path, text_string(&text), text.length, &e, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "device: \"gpu\" is not a device of this build (one of "));
    assert_non_null(strstr(err.message, "\"cpu\""));
    text_free(&text);
}

static void a_bad_template_is_told(void **state) {
    (void)state;
    static const char *const templates[] = {"no place", "{input", "{output}{input}"};
    for (int i = 0; i < 3; i++) {
        struct parts parts = good;
        char tasks[128];
        struct text text = {0};
        struct error err = {0};
        struct experiment *e;
        snprintf(tasks, sizeof tasks, "\"tasks\": {\"path\": \"d\", \"template\": \"%s\"}", templates[i]);
        parts.tasks = tasks;
        write_parts(&parts, &text);
        assert_int_equal(experiment_parse(path, text_string(&text), text.length, &e, &err), ERROR_INPUT);
        assert_ptr_equal(strstr(err.message, "/somewhere/e.json: tasks.template: "), err.message);
        text_free(&text);
    }
}

static void all_mistakes_are_reported_at_once(void **state) {
    (void)state;
    check_message("{\"name\": \"x\", \"models\": [{\"name\": \"m\"}], \"tasks\": {}, \"budgets\": [2], "
                  "\"methods\": [{\"name\": "
                  "\"adapt\", \"rate\": 2, \"floor\": 2}], \"seeds\": [0, 0]}",
                  "/somewhere/e.json: models[0]: \"path\" is missing (the model's folder is expected)\n"
                  "/somewhere/e.json: tasks: \"path\" is missing (the folder of Natural Instructions files "
                  "is expected)\n"
                  "/somewhere/e.json: budgets[0]: 2 is a whole number, but a budget is a fraction of the "
                  "available supervised "
                  "tokens (0 < budget <= 1; one per cent is 0.01)\n"
                  "/somewhere/e.json: methods[0].floor: 2, where a number from 0 to 0.999 is expected\n"
                  "/somewhere/e.json: methods[0].rate: 2 is out of range (0 <= rate <= 1 where alignments "
                  "are normalised; "
                  "\"normalise\": \"none\" lifts the bound)\n"
                  "/somewhere/e.json: seeds[1]: 0 is seeds[0] already");
}

static void texts_that_are_no_experiment(void **state) {
    (void)state;
    check_message("[]", "/somewhere/e.json: not an object (an experiment, {\"name\": ..., \"models\": [...], "
                        "...}, is expected)");
    check_message("", "/somewhere/e.json: empty, where a JSON value is expected");
    struct error err = {0};
    struct experiment *e;
    assert_int_equal(experiment_parse(path, "{\"name\": \"x\",}", 14, &e, &err), ERROR_INPUT);
    assert_ptr_equal(strstr(err.message, "/somewhere/e.json:1:"), err.message);
    assert_int_equal(experiment_load("/nowhere/e.json", &e, &err), ERROR_IO);
    assert_non_null(strstr(err.message, "/nowhere/e.json"));
    assert_null(e);
}

/* ------------------------------------------------------------------------------------------- settings in
 * force, comparison */

static void a_method_shows_all_settings_in_force(void **state) {
    (void)state;
    struct parts parts = good;
    parts.methods =
        "\"methods\": [{\"name\": \"uniform\"}, {\"name\": \"adapt\", \"label\": \"a\", \"rate\": 0.25}]";
    struct experiment *e = parse(&parts);
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
static void check_difference(const struct parts *now, const struct parts *old, const char *expected) {
    struct text text = {0};
    struct error err = {0};
    struct experiment *e = parse(now);
    write_parts(old, &text);
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
    struct parts old = good, now = good;
    check_difference(&now, &old, NULL);
    now.rest = "\"training\": {\"batch_tokens\": 8192}, \"keep\": \"none\", \"seeds\": [0]"; /* defaults
                                                                                                written out */
    check_difference(&now, &old, NULL);
    now.rest = "\"out\": \"elsewhere\", \"cache\": \"c\", \"ranks_per_cell\": 4, \"seeds\": [1, 0], "
               "\"evaluation\": {\"benchmarks\": "
               "{\"boolq\": \"f\"}}";
    now.models =
        "\"models\": [{\"name\": \"new\", \"path\": \"x\"}, {\"name\": \"m\", \"path\": \"models/m\"}]";
    now.budgets = "\"budgets\": [0.5, 0.01]";
    now.methods = "\"methods\": [{\"name\": \"adapt\"}, {\"name\": \"uniform\"}]";
    check_difference(&now, &old, NULL);
}

static void differences_from_an_archive_are_told(void **state) {
    (void)state;
    struct parts old = good, now = good;
    now.rest = "\"training\": {\"batch_tokens\": 4096}";
    check_difference(&now, &old, "training.batch_tokens: 8192 in the archive, 4096 now");
    now = good;
    now.models = "\"models\": [{\"name\": \"m\", \"path\": \"models/other\"}]";
    check_difference(&now, &old,
                     "models.m: \"/somewhere/models/m\" in the archive, \"/somewhere/models/other\" now");
    now = good;
    now.budgets = "\"budgets\": [0.02]";
    check_difference(&now, &old, "budgets.0.01: 0.01 in the archive, nothing now");
    now = good;
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

    struct experiment *e = parse(&good);
    struct error err = {0};
    assert_int_equal(experiment_compare(e, "{\"name\": 1}", &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "was made with cannot be read any more"));
    experiment_destroy(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_of_a_minimal_file),
        cmocka_unit_test(everything_in_a_full_file),
        cmocka_unit_test(budgets_keep_their_spelling_wherever_they_stand),
        cmocka_unit_test(objective_and_reference_settle_each_other),
        cmocka_unit_test(a_reference_file_is_read),
        cmocka_unit_test(every_mistake_is_told_with_its_place),
        cmocka_unit_test(the_reference_cell_must_be_measured_at_its_end),
        cmocka_unit_test(an_unknown_device_names_the_known_ones),
        cmocka_unit_test(a_bad_template_is_told),
        cmocka_unit_test(all_mistakes_are_reported_at_once),
        cmocka_unit_test(texts_that_are_no_experiment),
        cmocka_unit_test(a_method_shows_all_settings_in_force),
        cmocka_unit_test(what_may_differ_from_an_archive),
        cmocka_unit_test(differences_from_an_archive_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
