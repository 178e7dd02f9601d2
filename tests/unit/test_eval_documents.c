/* Records to documents: the rendered examples of the reference byte for byte, its traps, and what is refused.
 */
#include "eval/benchmarks/benchmark.h"
#include "eval/evaluate.h"
#include "tests/support/eval_file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct fixture {
    char folder[EVAL_PATH_BYTES], path[EVAL_PATH_BYTES];
    struct arena *arena;
    struct document_set set;
    struct error err;
};

static int setup(void **state) {
    struct fixture *f;
    assert_int_equal(memory_alloc(&f, 1, sizeof *f, NULL), 0);
    eval_folder_make(f->folder);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    document_set_free(&f->set);
    arena_destroy(&f->arena);
    eval_folder_remove(f->folder);
    memory_free(f);
    return 0;
}

static int load_bytes(struct fixture *f, const char *name, const char *bytes, size_t length,
                      long long limit) {
    document_set_free(&f->set);
    arena_destroy(&f->arena);
    assert_int_equal(arena_create(&f->arena, NULL), 0);
    eval_file_write(f->folder, "records.jsonl", bytes, length, f->path);
    f->err = (struct error){0};
    return document_set_load(benchmark_find(name), f->path, NULL, 0, limit, f->arena, &f->set, &f->err);
}

static int load(struct fixture *f, const char *name, const char *text) {
    return load_bytes(f, name, text, strlen(text), 0);
}

static const struct document *one(struct fixture *f, const char *name, const char *text) {
    if (load(f, name, text)) fail_msg("%s", f->err.message);
    assert_int_equal(f->set.count, 1);
    return &f->set.documents[0];
}

static int check(const char *name, const char *path, int64_t *records, struct error *err) {
    struct eval_task task = {name, path, NULL};
    struct eval_settings settings;
    setting_defaults(eval_settings_table, &settings);
    return eval_check(&task, &settings, records, err);
}

/* The message is "PATH:LINE: " and `expected`. */
static void refuses(struct fixture *f, const char *name, const char *text, int line, const char *expected) {
    char message[1024];
    assert_int_equal(load(f, name, text), ERROR_INPUT);
    snprintf(message, sizeof message, "%.200s:%d:%.500s", f->path, line, expected);
    assert_string_equal(f->err.message, message);
    assert_null(f->set.documents);
}

#define ARC                                                                                                  \
    "{\"id\":\"X_1\",\"question\":\"Which object conducts electricity "                                      \
    "best?\",\"choices\":{\"text\":[\"wood\","                                                               \
    "\"copper\",\"glass\",\"wool\"],\"label\":[\"A\",\"B\",\"C\",\"D\"]},\"answerKey\":\"B\"}"

static void arc_challenge_renders(void **state) {
    const struct document *d = one(*state, "arc_challenge", ARC "\n");
    assert_string_equal(d->id, "X_1");
    assert_int_equal(d->requests, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(d->context[i], "Question: Which object conducts electricity best?\nAnswer:");
    }
    assert_string_equal(d->continuation[1], " copper");
    assert_int_equal(d->points[1], 6);
    assert_int_equal(d->gold, 1);
    assert_string_equal(d->target, "1");
    assert_string_equal(
        d->json, "{\"id\": \"X_1\", \"question\": \"Which object conducts electricity best?\", \"choices\": "
                 "{\"text\": [\"wood\", \"copper\", \"glass\", \"wool\"], \"label\": [\"A\", \"B\", \"C\", "
                 "\"D\"]}, \"answerKey\": \"B\"}");
}

static void arc_challenge_traps(void **state) {
    /* Labels 1..4; five choices; lengths in code points; text verbatim, CRLF and all. */
    const struct document *d =
        one(*state, "arc_challenge",
            "{\"question\":\"a\\r\\n{{b}} &amp;\",\"choices\":{\"text\":[\"w\",\"\xc3\xa9\xe2\x82\xac "
            "\",\"x\",\"y\",\"z\"],\"label\":[\"1\",\"2\",\"3\",\"4\",\"5\"]},\"answerKey\":\"4\"}");
    assert_string_equal(d->id, "0");
    assert_int_equal(d->gold, 3);
    assert_int_equal(d->requests, 5);
    assert_string_equal(d->context[4], "Question: a\r\n{{b}} &amp;\nAnswer:");
    assert_string_equal(d->continuation[1], " \xc3\xa9\xe2\x82\xac ");
    assert_int_equal(d->points[1], 3);
}

static void arc_challenge_refuses(void **state) {
    struct fixture *f = *state;
    refuses(f, "arc_challenge", ARC "\n\n{\"id\":\"Y\"}\n", 3, " question: missing (a string expected)");
    refuses(f, "arc_challenge", "{\"question\":7}", 1, " question: a number (a string expected)");
    refuses(f, "arc_challenge", "{\"id\":[],\"question\":\"q\"}", 1,
            " id: a list (a string or a number expected)");
    refuses(f, "arc_challenge", "{\"question\":\"q\",\"choices\":[]}", 1,
            " choices: a list (an object expected)");
    refuses(f, "arc_challenge", "{\"question\":\"q\"}", 1, " choices: missing (an object expected)");
    refuses(f, "arc_challenge", "{\"question\":\"q\",\"choices\":{\"label\":[\"A\"]}}", 1,
            " choices.text: missing (a list of strings expected)");
    refuses(f, "arc_challenge",
            "{\"question\":\"q\",\"choices\":{\"text\":[\"a\",null],\"label\":[\"A\",\"B\"]}}", 1,
            " choices.text[1]: null (a string expected)");
    refuses(f, "arc_challenge", "{\"question\":\"q\",\"choices\":{\"text\":[],\"label\":[]}}", 1,
            " choices.text: 0 strings (at least 2 expected)");
    refuses(f, "arc_challenge",
            "{\"question\":\"q\",\"choices\":{\"text\":[\"a\",\"b\"],\"label\":[\"A\",\"B\",\"C\"]},"
            "\"answerKey\":\"A\"}",
            1, " choices.label: 3 labels for 2 texts (as many expected)");
    refuses(f, "arc_challenge",
            "{\"question\":\"q\",\"choices\":{\"text\":[\"a\",\"b\"],\"label\":[\"A\",\"B\"]},\"answerKey\":"
            "\"1\"}",
            1, " answerKey: \"1\" (one of choices.label expected)");
}

#define HELLASWAG(activity, before, after, endings, label)                                                   \
    "{\"ind\":7,\"activity_label\":\"" activity "\",\"ctx_a\":\"" before "\",\"ctx_b\":\"" after             \
    "\",\"ctx\":\"unused\","                                                                                 \
    "\"endings\":[" endings                                                                                  \
    "],\"source_id\":\"activitynet~v_x\",\"split\":\"val\",\"split_type\":\"indomain\","                     \
    "\"label\":\"" label "\"}"

static void hellaswag_renders(void **state) {
    const struct document *d = one(*state, "hellaswag",
                                   HELLASWAG("Baking", "A woman opens an oven.", "she",
                                             "\"removes a tray.\",\"sings.\",\"swims.\",\"leaves.\"", "0"));
    assert_int_equal(d->requests, 4);
    assert_string_equal(d->context[0], "Baking: A woman opens an oven. She");
    assert_string_equal(d->continuation[0], " removes a tray.");
    assert_int_equal(d->points[0], 15);
    assert_int_equal(d->gold, 0);
    /* The fields of preprocessing come last. */
    const char *added =
        strstr(d->json, ", \"label\": \"0\", \"query\": \"Baking: A woman opens an oven. She\", \"choices\": "
                        "[\"removes a tray.\", \"sings.\", \"swims.\", \"leaves.\"], \"gold\": 0}");
    assert_non_null(added);
    assert_string_equal(d->id, "0"); /* `ind` is not unique */
}

static void hellaswag_cleans(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *raw, *clean;
    } cases[] = {
        {"[header] How to x [title] Do y. [substeps] Foo.", " How to x. Do y. Foo."},
        {"[title] begins.", " begins."}, /* no space before it: step 3 handles it */
        {"  a   b    c\\t\\u00a0", "a  b  c"},
        {"a [not\\nclosed] b", "a [not\nclosed] b"},
        {"a [[b] c] d []e [", "a c] d e ["},
        {"x [title] [title] y", "x. . y"},
        {"ends [here]", "ends "},
        {"[all]", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 "{\"activity_label\":\"A\",\"ctx_a\":\"b.\",\"ctx_b\":\"\",\"endings\":[\"x\",\"%s\"],"
                 "\"label\":\"1\"}",
                 cases[i].raw);
        const struct document *d = one(f, "hellaswag", text);
        assert_int_equal(d->continuation[1][0], ' ');
        assert_string_equal(d->continuation[1] + 1, cases[i].clean);
        assert_int_equal(d->points[1], strlen(cases[i].clean));
    }
}

static void hellaswag_traps(void **state) {
    struct fixture *f = *state;
    const struct document *d = one(f, "hellaswag", HELLASWAG("A", "B.", "he Is At NASA", "\"x\",\"y\"", "1"));
    assert_string_equal(d->context[0], "A: B. He is at nasa");
    d = one(f, "hellaswag", HELLASWAG("A", "B.", "", "\"x\",\"y\"", "1"));
    assert_string_equal(d->context[0], "A: B."); /* step 1 removes the space that an empty ctx_b leaves */
    d = one(f, "hellaswag", HELLASWAG("A", "B. [step]", "", "\"x\",\"y\"", "1"));
    assert_string_equal(d->context[0], "A: B. "); /* step 3 comes after it */
    d = one(f, "hellaswag", HELLASWAG("A", "", "\xc3\x89T\xc3\x89", "\"x\",\"y\"", "1"));
    assert_string_equal(d->context[0], "A: \xc3\x89t\xc3\xa9"); /* "A:  E": two spaces become one */
    d = one(f, "hellaswag",
            HELLASWAG("A", "b", "\xc3\x9f \xce\x91\xce\xa3 \xce\xa3\xce\x91 \xc4\xb0", "\"x\",\"y\"", "1"));
    assert_string_equal(d->context[0],
                        "A: b Ss \xce\xb1\xcf\x82 \xcf\x83\xce\xb1 i\xcc\x87"); /* as Python has it */
    refuses(f, "hellaswag", HELLASWAG("A", "b", "c", "\"x\",\"y\"", "2"), 1,
            " label: \"2\" (one of \"0\"..\"1\" expected)");
    refuses(f, "hellaswag", HELLASWAG("A", "b", "c", "\"x\",\"y\"", ""), 1,
            " label: \"\" (one of \"0\"..\"1\" expected)");
    refuses(f, "hellaswag", HELLASWAG("A", "b", "c", "\"x\",3", "0"), 1,
            " endings[1]: a number (a string expected)");
    refuses(f, "hellaswag", "{\"activity_label\":\"a\",\"ctx_b\":\"c\"}", 1,
            " ctx_a: missing (a string expected)");
}

static void winogrande_renders(void **state) {
    struct fixture *f = *state;
    const struct document *d =
        one(f, "winogrande",
            "{\"sentence\":\"Ann thanked Sue because _ had lent a pen.\",\"option1\":\"Ann\","
            "\"option2\":\"Sue\",\"answer\":\"2\"}");
    assert_int_equal(d->requests, 2);
    assert_string_equal(d->context[0], "Ann thanked Sue because Ann");
    assert_string_equal(d->context[1], "Ann thanked Sue because Sue");
    assert_string_equal(d->continuation[0], " had lent a pen.");
    assert_string_equal(d->continuation[1], " had lent a pen.");
    assert_int_equal(d->gold, 1);
    assert_string_equal(d->target, "had lent a pen.");
    assert_null(benchmark_find("winogrande")->metrics[1].name); /* acc only */

    /* The first blank counts; the rest gets its space whatever it begins with. */
    d = one(f, "winogrande",
            "{\"sentence\":\"_'s _ book. \",\"option1\":\"A\",\"option2\":\"B\",\"answer\":\"1\"}");
    assert_string_equal(d->context[1], "B");
    assert_string_equal(d->continuation[1], " 's _ book.");
    assert_int_equal(d->gold, 0);
    refuses(f, "winogrande",
            "{\"sentence\":\"no blank\",\"option1\":\"A\",\"option2\":\"B\",\"answer\":\"1\"}", 1,
            " sentence: no _ in it (a blank for the options expected)");
    refuses(f, "winogrande", "{\"sentence\":\"_\",\"option1\":\"A\",\"option2\":\"B\",\"answer\":\"\"}", 1,
            " answer: \"\" (\"1\" or \"2\" expected)");
    refuses(f, "winogrande", "{\"sentence\":\"_\",\"option1\":\"A\",\"option2\":\"B\",\"answer\":1}", 1,
            " answer: a number (a string expected)");
    refuses(f, "winogrande", "{\"sentence\":\"_\",\"option1\":\"A\",\"answer\":\"1\"}", 1,
            " option2: missing (a string expected)");
}

static void piqa_renders(void **state) {
    struct fixture *f = *state;
    const struct document *d = one(f, "piqa",
                                   "{\"goal\":\"Keep apples from browning\",\"sol1\":\"Add lemon "
                                   "juice.\",\"sol2\":\"Add ink. \\n\",\"label\":0}");
    assert_string_equal(d->context[0], "Question: Keep apples from browning\nAnswer:");
    assert_string_equal(d->continuation[0], " Add lemon juice.");
    assert_string_equal(d->continuation[1], " Add ink. \n"); /* not stripped, and counted */
    assert_int_equal(d->points[1], 10);
    assert_int_equal(d->gold, 0);
    refuses(f, "piqa", "{\"goal\":\"g\",\"sol1\":\"a\",\"sol2\":\"b\",\"label\":2}", 1,
            " label: 2 (a whole number in 0..1 expected)");
    refuses(f, "piqa", "{\"goal\":\"g\",\"sol1\":\"a\",\"sol2\":\"b\",\"label\":0.5}", 1,
            " label: 0.5 (a whole number in 0..1 expected)");
    refuses(f, "piqa", "{\"goal\":\"g\",\"sol1\":\"a\",\"sol2\":\"b\",\"label\":\"1\"}", 1,
            " label: a string (a whole number expected)");
}

static void boolq_renders(void **state) {
    struct fixture *f = *state;
    const struct document *d =
        one(f, "boolq",
            "{\"question\":\"is copper a metal\",\"passage\":\"Copper -- Copper is a chemical "
            "element.\",\"idx\":12,\"label\":1}");
    assert_string_equal(d->context[0],
                        "Copper -- Copper is a chemical element.\nQuestion: is copper a metal?\nAnswer:");
    assert_string_equal(d->continuation[0], " no");
    assert_string_equal(d->continuation[1], " yes");
    assert_int_equal(d->gold, 1);
    assert_string_equal(d->id, "12");
    d = one(f, "boolq", "{\"question\":\"is it?\",\"passage\":\"p\",\"idx\":0,\"label\":0}");
    assert_string_equal(d->context[0], "p\nQuestion: is it??\nAnswer:"); /* always appended */
    refuses(f, "boolq", "{\"question\":\"q\",\"passage\":\"p\",\"idx\":0,\"label\":true}", 1,
            " label: true or false (a whole number expected)");
    refuses(f, "boolq", "{\"question\":\"q\",\"passage\":\"p\",\"answer\":true}", 1,
            " label: missing (a whole number expected)");
}

#define BOOLQ(idx) "{\"question\":\"q\",\"passage\":\"p\",\"idx\":" idx ",\"label\":1}"

static void reads_files(void **state) {
    struct fixture *f = *state;
    /* Blank lines and CRLF are no records; a last line without its newline is one; ids and limits. */
    static const char text[] = BOOLQ("3") "\r\n \t\n" BOOLQ("4") "\n\n" BOOLQ("5");
    assert_int_equal(load(f, "boolq", text), 0);
    assert_int_equal(f->set.count, 3);
    assert_int_equal(f->set.documents[1].line, 3);
    assert_int_equal(f->set.documents[2].index, 2);
    char whole[65];
    memcpy(whole, f->set.data_hash, sizeof whole);
    assert_int_equal(load_bytes(f, "boolq", text, strlen(text), 2), 0);
    assert_int_equal(f->set.count, 2);
    assert_string_equal(f->set.documents[1].id, "4");
    assert_string_equal(f->set.data_hash, whole); /* of the file, not of what was read */

    int64_t records;
    assert_int_equal(check("boolq", f->path, &records, &f->err), 0);
    assert_int_equal(records, 3);

    refuses(f, "boolq", BOOLQ("3") "\n" BOOLQ("4") "\n" BOOLQ("3") "\n", 3,
            " the id \"3\" stands on line 1 too (each record once expected)");
    refuses(f, "boolq", BOOLQ("3") "\n[1]\n", 2, " not a JSON object (one record a line expected)");
    assert_int_equal(load(f, "boolq", BOOLQ("3") "\n{\"a\":}\n"), ERROR_INPUT);
    assert_non_null(strstr(f->err.message, "records.jsonl:2:6: syntax error"));
    refuses(f, "boolq", BOOLQ("3") "\n{\"a\":\"\xff\"}\n", 2, "7: invalid UTF-8 in a string");
    assert_int_equal(load(f, "boolq", BOOLQ("3") "\n{\"question\":\"q"), ERROR_INPUT);
    assert_non_null(strstr(f->err.message, "records.jsonl:2:"));

    assert_int_equal(load(f, "boolq", ""), ERROR_INPUT);
    assert_non_null(strstr(f->err.message, "records.jsonl: the file is empty"));
    assert_int_equal(load(f, "boolq", "\n \n"), ERROR_INPUT);
    assert_non_null(strstr(f->err.message, "records.jsonl: no records"));
    assert_int_equal(check("boolq", "/nowhere/records.jsonl", &records, &f->err), ERROR_INPUT);
    assert_non_null(strstr(f->err.message, "/nowhere/records.jsonl: no such file"));
}

static void names_benchmarks(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *name, *category, *headline;
    } known[] = {{"arc_challenge", "reasoning", "acc_norm"},
                 {"hellaswag", "reasoning", "acc_norm"},
                 {"winogrande", "reasoning", "acc"},
                 {"piqa", "reasoning", "acc"},
                 {"gsm8k", "reasoning", "exact_match"},
                 {"bbh", "reasoning", "exact_match"},
                 {"boolq", "reading comprehension", "acc"},
                 {"drop", "reading comprehension", "f1"},
                 {"humaneval", "code", "pass@1"},
                 {"mbpp", "code", "pass_at_1"},
                 {"ifeval", "instruction following", "prompt_level_strict_acc"}};
    const char *const *names = eval_names();
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        assert_string_equal(names[i], known[i].name);
        assert_string_equal(benchmark_find(known[i].name)->name, known[i].name);
        assert_string_equal(eval_category(known[i].name), known[i].category);
        assert_string_equal(eval_headline(known[i].name), known[i].headline);
    }
    assert_null(eval_category("mmlu"));
    assert_null(eval_headline("mmlu"));
    int64_t records;
    assert_int_equal(check("winograde", "x", &records, &f->err), ERROR_INPUT);
    assert_string_equal(f->err.message, "unknown benchmark \"winograde\" (did you mean \"winogrande\"?)");
    assert_int_equal(check("xyzzy-quux", "x", &records, &f->err), ERROR_INPUT);
    assert_non_null(strstr(f->err.message, "arc_challenge, hellaswag, winogrande, piqa, gsm8k, bbh, boolq"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(arc_challenge_renders, setup, teardown),
        cmocka_unit_test_setup_teardown(arc_challenge_traps, setup, teardown),
        cmocka_unit_test_setup_teardown(arc_challenge_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(hellaswag_renders, setup, teardown),
        cmocka_unit_test_setup_teardown(hellaswag_cleans, setup, teardown),
        cmocka_unit_test_setup_teardown(hellaswag_traps, setup, teardown),
        cmocka_unit_test_setup_teardown(winogrande_renders, setup, teardown),
        cmocka_unit_test_setup_teardown(piqa_renders, setup, teardown),
        cmocka_unit_test_setup_teardown(boolq_renders, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_files, setup, teardown),
        cmocka_unit_test_setup_teardown(names_benchmarks, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
