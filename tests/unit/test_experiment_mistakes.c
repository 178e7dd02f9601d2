/* Every mistake in an experiment file, with its place and its words. */
#include "tests/support/experiment_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const char path[] = EXPERIMENT_PARTS_PATH;

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
     "evaluation.benchmarks.boolq: not a path (the benchmark's JSON-lines file, or {\"path\": FILE, \"exemplars\": FILE}, is expected)"},
    {REST, "\"evaluation\": {\"benchmarks\": {\"boolq\": \"a\", \"boolq\": \"b\"}}",
     "evaluation.benchmarks.boolq: the key appears more than once"},
    {REST, "\"evaluation\": {\"limit\": -1}",
     "evaluation.limit: -1, where a whole number from 0 to 1000000000 is expected"},
    {REST, "\"evaluation\": {\"bench\": {}}", "evaluation.bench: unknown key"},
    {REST, "\"evaluation\": {\"decontaminate\": {\"ngram\": 0}}",
     "evaluation.decontaminate.ngram: 0, where a whole number from 1 to 100 is expected"},
    {REST, "\"evaluation\": {\"decontaminate\": {\"n_gram\": 13}}",
     "evaluation.decontaminate.n_gram: unknown key (did you mean \"ngram\"?)"},
    {REST, "\"evaluation\": {\"decontaminate\": {\"action\": \"remove\"}}",
     "evaluation.decontaminate.action: \"remove\", where one of \"off\", \"count\", \"drop\" is expected"},
    {REST, "\"evaluation\": {\"decontaminate\": \"drop\"}",
     "evaluation.decontaminate: a string, where an object is expected"},
    {REST, "\"evaluation\": {\"at\": [\"half\"]}",
     "evaluation.at[0]: \"end\", a share of the budget above 0 and below 1, or {\"share\": 0.5, \"limit\": 50}, is expected"},
    {REST, "\"evaluation\": {\"at\": [0]}",
     "evaluation.at[0]: \"end\", a share of the budget above 0 and below 1, or {\"share\": 0.5, \"limit\": 50}, is expected"},
    {REST, "\"evaluation\": {\"at\": [\"end\", 0.5]}", "evaluation.at[1]: 0.5 does not come after 1"},
    {REST, "\"evaluation\": {\"at\": [{\"share\": 0.5, \"limits\": 3}]}",
     "evaluation.at[0].limits: unknown key (did you mean \"limit\"?)"},
    {REST, "\"evaluation\": {\"at\": \"end\"}",
     "evaluation.at: not a list of times ([0.5, \"end\"] is expected)"},
    {REST, "\"evaluation\": {\"benchmarks\": {\"gsm8k\": {\"exemplars\": \"f\"}}}",
     "evaluation.benchmarks.gsm8k: not a path (the benchmark's JSON-lines file, or {\"path\": FILE, \"exemplars\": FILE}, is expected)"},
    {REST, "\"evaluation\": {\"chat_template\": \"chatlm\"}",
     "evaluation.chat_template: \"chatlm\", where one of \"none\", \"chatml\", \"llama3\", \"gemma\" is expected"},
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
        struct experiment_parts parts = experiment_parts_good;
        const char **part[] = {&parts.name,    &parts.models,  &parts.tasks,
                               &parts.budgets, &parts.methods, &parts.rest};
        *part[mistakes[i].part] = mistakes[i].text;
        char message[2048];
        snprintf(message, sizeof message, "%s: %s", path, mistakes[i].message);
        experiment_parts_refused(&parts, message);
    }
}

static void the_reference_cell_must_be_measured_at_its_end(void **state) {
    (void)state;
    struct experiment_parts parts = experiment_parts_good;
    parts.methods = "\"methods\": [{\"name\": \"uniform\"}, {\"name\": \"adapt\"}]";
    parts.rest = "\"evaluation\": {\"validation_at\": [0, 0.5]}";
    experiment_parts_refused(
        &parts, "/somewhere/e.json: evaluation.validation_at: methods[1] compares with the final "
                "losses of \"uniform\", so "
                "the list must end with 1");
}

static void an_unknown_device_names_the_known_ones(void **state) {
    (void)state;
    struct experiment_parts parts = experiment_parts_good;
    struct text text = {0};
    struct error err = {0};
    struct experiment *e;
    parts.rest = "\"device\": \"gpu\"";
    experiment_parts_write(&parts, &text);
    assert_int_equal(experiment_parse(path, text_string(&text), text.length, &e, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "device: \"gpu\" is not a device of this build (one of "));
    assert_non_null(strstr(err.message, "\"cpu\""));
    text_free(&text);
}

static void a_bad_template_is_told(void **state) {
    (void)state;
    static const char *const templates[] = {"no place", "{input", "{output}{input}"};
    for (int i = 0; i < 3; i++) {
        struct experiment_parts parts = experiment_parts_good;
        char tasks[128];
        struct text text = {0};
        struct error err = {0};
        struct experiment *e;
        snprintf(tasks, sizeof tasks, "\"tasks\": {\"path\": \"d\", \"template\": \"%s\"}", templates[i]);
        parts.tasks = tasks;
        experiment_parts_write(&parts, &text);
        assert_int_equal(experiment_parse(path, text_string(&text), text.length, &e, &err), ERROR_INPUT);
        assert_ptr_equal(strstr(err.message, "/somewhere/e.json: tasks.template: "), err.message);
        text_free(&text);
    }
}

static void all_mistakes_are_reported_at_once(void **state) {
    (void)state;
    experiment_text_refused(
        "{\"name\": \"x\", \"models\": [{\"name\": \"m\"}], \"tasks\": {}, \"budgets\": [2], "
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
    experiment_text_refused(
        "[]", "/somewhere/e.json: not an object (an experiment, {\"name\": ..., \"models\": [...], "
              "...}, is expected)");
    experiment_text_refused("", "/somewhere/e.json: empty, where a JSON value is expected");
    struct error err = {0};
    struct experiment *e;
    assert_int_equal(experiment_parse(path, "{\"name\": \"x\",}", 14, &e, &err), ERROR_INPUT);
    assert_ptr_equal(strstr(err.message, "/somewhere/e.json:1:"), err.message);
    assert_int_equal(experiment_load("/nowhere/e.json", &e, &err), ERROR_IO);
    assert_non_null(strstr(err.message, "/nowhere/e.json"));
    assert_null(e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mistake_is_told_with_its_place),
        cmocka_unit_test(the_reference_cell_must_be_measured_at_its_end),
        cmocka_unit_test(an_unknown_device_names_the_known_ones),
        cmocka_unit_test(a_bad_template_is_told),
        cmocka_unit_test(all_mistakes_are_reported_at_once),
        cmocka_unit_test(texts_that_are_no_experiment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
