/* N-grams and the overlap with benchmarks: what is the same word, and every answer against a search of
 * strings. */
#include "eval/overlap/ngrams.h"
#include "eval/overlap/overlap.h"

#include "base/random.h"
#include "base/text.h"
#include "io/file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- words */

static struct ngrams ngrams_of(const char *text, int words) {
    struct ngrams out = {.words = words};
    struct error err = {0};
    if (ngrams_append(&out, text, strlen(text), &err)) fail_msg("%s", err.message);
    return out;
}

static bool same_words(const char *left, const char *right, size_t *count) {
    struct ngrams a = ngrams_of(left, 1), b = ngrams_of(right, 1);
    bool same = a.count == b.count && (!a.count || !memcmp(a.gram, b.gram, a.count * sizeof *a.gram));
    *count = a.count;
    ngrams_free(&a);
    ngrams_free(&b);
    return same;
}

static void what_is_the_same_word(void **state) {
    (void)state;
    static const struct {
        const char *left, *right;
        size_t words;
    } same[] = {
        {"", " \t\n.,;!?-_'\"", 0},
        {"Hello, World", "hello world", 2},
        {"hello...world--again", "(hello) [world] {again}", 3},
        {"x_1-y", "X 1 Y", 3},
        {"don't", "DON T", 2},
        {"don\u2019t", "don't", 2},                      /* typographic apostrophe */
        {"\u00e9t\u00e9", "E\u0301TE\u0301", 1},         /* composed or not */
        {"\ufb01ne", "FINE", 1},                         /* ligature */
        {"stra\u00dfe", "STRASSE", 1},                   /* full case folding */
        {"\uff21\uff22\uff23\uff11", "abc1", 1},         /* full width */
        {"con\u00adtam\u200binated", "contaminated", 1}, /* soft hyphen, zero width space: ignorable */
        {"\u0391\u0399\u03a3", "\u03b1\u03b9\u03c2", 1}, /* final sigma */
        {"caf\u00e9, na\u00efve \u2014 r\u00e9sum\u00e9", "CAF\u00c9 NA\u00cfVE R\u00c9SUM\u00c9", 3},
        {"a\u00a0b\u3000c", "a b c", 3}, /* other spaces */
        {"\u2460 \u00bd", "1 1 2", 3},   /* circled one, one half with its stroke */
        {"=\u0338 a", "a", 1},           /* a mark makes no word */
        {"\u0939\u093f\u0928\u094d\u0926\u0940", "\u0939\u093f\u0928\u094d\u0926\u0940",
         1}, /* marks within one */
        {"good \xff\xfe"
         "bad good",
         "good good", 2}, /* what is not UTF-8 is no word */
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        size_t count;
        if (!same_words(same[i].left, same[i].right, &count))
            fail_msg("\"%s\" and \"%s\" should have the same words", same[i].left, same[i].right);
        if (count != same[i].words)
            fail_msg("\"%s\" has %zu words, %zu expected", same[i].left, count, same[i].words);
    }
    static const char *const different[][2] = {{"a b", "b a"},  {"ab", "a b"}, {"a", "a a"},
                                               {"e", "\u00e9"}, {"1", "2"},    {"a b c", "a b"}};
    for (size_t i = 0; i < sizeof different / sizeof *different; i++) {
        size_t count;
        if (same_words(different[i][0], different[i][1], &count))
            fail_msg("\"%s\" and \"%s\" should differ", different[i][0], different[i][1]);
    }
}

static void words_of_any_length(void **state) {
    (void)state;
    size_t count;
    for (int length = 250; length < 262; length++) { /* around the length of the word buffer */
        char a[600], b[600];
        memset(a, 'x', (size_t)length);
        memset(b, 'X', (size_t)length);
        strcpy(a + length, " end");
        strcpy(b + length, "\nEND");
        assert_true(same_words(a, b, &count));
        assert_int_equal(count, 2);
        b[length - 1] = 'y';
        assert_false(same_words(a, b, &count));
    }
}

static void n_grams_are_words_in_a_row(void **state) {
    (void)state;
    static const char text[] = "One two three, four: five";
    const int lengths[] = {1, 2, 3, 4, 5, 6, NGRAMS_WORDS_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct ngrams found = ngrams_of(text, lengths[i]);
        assert_int_equal(found.count, lengths[i] > 5 ? 0 : 6 - lengths[i]);
        ngrams_free(&found);
    }
    struct ngrams all = ngrams_of(text, 3), part = ngrams_of("TWO three four", 3);
    assert_int_equal(part.count, 1);
    assert_true(all.gram[1] == part.gram[0] && all.gram[0] != part.gram[0] && all.gram[2] != part.gram[0]);
    /* appended texts do not run into each other */
    struct error err = {0};
    assert_int_equal(ngrams_append(&part, "a b", 3, &err), 0);
    assert_int_equal(ngrams_append(&part, "c d e", 5, &err), 0);
    assert_int_equal(part.count, 2);
    ngrams_clear(&part);
    assert_int_equal(part.count, 0);
    ngrams_free(&all);
    ngrams_free(&part);
}

/* ---- files */

struct world {
    char root[64], path[4][128];
};

static int world_open(void **state) {
    static struct world world;
    strcpy(world.root, "/tmp/adapt-overlap-XXXXXX");
    if (!mkdtemp(world.root)) return 1;
    for (int i = 0; i < 4; i++) snprintf(world.path[i], sizeof world.path[i], "%s/%d.jsonl", world.root, i);
    *state = &world;
    return 0;
}

static int world_close(void **state) {
    struct world *world = *state;
    return file_remove_tree(world->root, NULL);
}

static void write_file(const char *path, const char *text) {
    struct error err = {0};
    if (file_write(path, text, strlen(text), &err)) fail_msg("%s", err.message);
}

static struct overlap *make(int words) {
    struct overlap *overlap;
    struct error err = {0};
    if (overlap_create(words, &overlap, &err)) fail_msg("%s", err.message);
    return overlap;
}

static void add(struct overlap *overlap, const char *path, long long limit) {
    struct error err = {0};
    if (overlap_add(overlap, "gsm8k", path, limit, &err)) fail_msg("%s", err.message);
}

static uint64_t look(struct overlap *overlap, const char *first, const char *second) {
    const char *const texts[] = {first, second};
    struct error err = {0};
    uint64_t found;
    if (overlap_look(overlap, texts, second ? 2 : 1, &found, &err)) fail_msg("%s", err.message);
    return found;
}

static void check_records(const struct overlap *overlap, int index, int64_t all, int64_t without,
                          int64_t found) {
    struct overlap_records records = overlap_records(overlap, index);
    if (records.all != all || records.without != without || records.found != found)
        fail_msg("benchmark %d: %lld records, %lld without, %lld found; %lld, %lld, %lld expected", index,
                 (long long)records.all, (long long)records.without, (long long)records.found, (long long)all,
                 (long long)without, (long long)found);
}

/* ---- benchmarks */

static void every_string_of_a_record_counts(void **state) {
    struct world *world = *state;
    write_file(
        world->path[0],
        "{\"question\": \"one two three four\", \"choices\": {\"text\": [\"a b c\", \"red green blue\"], "
        "\"label\": [\"A\", \"B\"]}, \"n\": 1, \"x\": null}\n"
        "\n"
        "{\"question\": \"too short\", \"answer\": \"\", \"one two three\": \"key\"}\n"
        "{\"list\": [[{\"deep\": \"sun, MOON & stars\"}]]}\n");
    write_file(world->path[1], "{\"text\": \"two three four\"}\n{\"text\": \"nothing like it\"}\n");
    struct overlap *overlap = make(3);
    assert_int_equal(look(overlap, "one two three", NULL), 0); /* nothing was added yet */
    add(overlap, world->path[0], 0);
    add(overlap, world->path[1], 0);
    check_records(overlap, 0, 3, 1, 0);
    check_records(overlap, 1, 2, 0, 0);
    assert_int_equal(look(overlap, "", NULL), 0);
    assert_int_equal(look(overlap, "one two", "three four"), 0); /* each text by itself */
    assert_int_equal(look(overlap, "four a b", NULL), 0);        /* so are the record's strings */
    assert_int_equal(look(overlap, "zero ONE two... three five", NULL), 1);
    check_records(overlap, 0, 3, 1, 1);
    assert_int_equal(look(overlap, "unlike it", "two three four"), 3); /* in both benchmarks */
    check_records(overlap, 0, 3, 1, 1);
    check_records(overlap, 1, 2, 0, 1);
    assert_int_equal(look(overlap, "the sun moon stars", NULL), 1);
    assert_int_equal(look(overlap, "red green blue", NULL), 1);
    check_records(overlap, 0, 3, 1, 2);
    overlap_destroy(&overlap);
    assert_null(overlap);
    overlap_destroy(&overlap);
}

static void only_records_that_are_evaluated_count(void **state) {
    struct world *world = *state;
    char folder[80], path[128];
    snprintf(folder, sizeof folder, "%s/parts", world->root);
    assert_int_equal(file_make_folder(folder, NULL), 0);
    static const char *const names[] = {"b.jsonl", "a.jsonl", "ignored.txt"};
    for (int i = 0; i < 3; i++) {
        char text[256];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        snprintf(text, sizeof text, "{\"t\": \"first of %c\"}\n{\"t\": \"second of %c\"}\n", names[i][0],
                 names[i][0]);
        write_file(path, text);
    }
    struct overlap *overlap = make(3);
    add(overlap, folder, 1); /* the first of each file */
    add(overlap, folder, 0);
    check_records(overlap, 0, 2, 0, 0);
    check_records(overlap, 1, 4, 0, 0);
    assert_int_equal(look(overlap, "first of a", NULL), 3);
    assert_int_equal(look(overlap, "second of b", NULL), 2);
    assert_int_equal(look(overlap, "first of i", NULL), 0);
    check_records(overlap, 0, 2, 0, 1);
    check_records(overlap, 1, 4, 0, 2);
    overlap_destroy(&overlap);
}

static void what_cannot_be_added_is_told(void **state) {
    struct world *world = *state;
    char folder[80];
    struct error err = {0};
    struct overlap *overlap;
    assert_int_equal(overlap_create(0, &overlap, &err), ERROR_INPUT);
    assert_null(overlap);
    assert_int_equal(overlap_create(NGRAMS_WORDS_MAX + 1, &overlap, &err), ERROR_INPUT);
    overlap = make(2);
    snprintf(folder, sizeof folder, "%s/empty", world->root);
    assert_int_equal(file_make_folder(folder, NULL), 0);
    assert_int_equal(overlap_add(overlap, "gsm8k", folder, 0, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "empty: holds no *.jsonl files"));
    assert_int_equal(overlap_add(overlap, "gsm8k", "/no/such/file", 0, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "/no/such/file"));
    write_file(world->path[0], "{\"a\": \"one two\"}\n[]\n");
    assert_int_equal(overlap_add(overlap, "gsm8k", world->path[0], 0, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "0.jsonl:2: "));
    overlap_destroy(&overlap);
    overlap = make(2);
    write_file(world->path[0], "{\"a\": \"one two\"}\n");
    for (int i = 0; i < OVERLAP_BENCHMARKS_MAX; i++) add(overlap, world->path[0], 0);
    assert_int_equal(overlap_add(overlap, "gsm8k", world->path[0], 0, &err), ERROR_UNSUPPORTED);
    assert_true(look(overlap, "one two", NULL) == UINT64_MAX);
    overlap_destroy(&overlap);
}

static void content_is_what_is_hashed(void **state) {
    struct world *world = *state;
    struct error err = {0};
    char first[65], again[65], other[65], folder[65];
    write_file(world->path[0], "{\"a\": 1}\n");
    write_file(world->path[1], "{\"a\": 1}\n");
    assert_int_equal(overlap_content(world->path[0], first, &err), 0);
    assert_int_equal(overlap_content(world->path[1], again, &err), 0);
    assert_int_equal(strlen(first), 64);
    assert_string_equal(first, again);
    assert_int_equal(overlap_content(world->root, folder, &err), 0);
    assert_string_not_equal(first, folder);
    write_file(world->path[1], "{\"a\": 2}\n");
    assert_int_equal(overlap_content(world->path[1], other, &err), 0);
    assert_string_not_equal(first, other);
    assert_int_equal(overlap_content(world->root, other, &err), 0);
    assert_string_not_equal(folder, other);
    assert_int_equal(overlap_content("/no/such/file", other, &err), ERROR_INPUT);
}

/* ---- by strings */

enum { BENCHMARKS = 3, RECORDS = 40, TEXTS = 200, BYTES = 1200 };

/* Random words of a small vocabulary, so that n-grams recur; in capitals and with other separators now and
 * then. */
static void make_text(uint64_t seed, int kind, int index, int words, int vocabulary, char *out) {
    static const char *const separators[] = {" ", "  ", ", ", ". ", " - ", "; "};
    struct random_key key = {.seed = seed, .purpose = RANDOM_TEST, .stream = (uint32_t)(kind * 1000 + index)};
    out[0] = 0;
    for (int i = 0; i < words; i++) {
        int word = (int)(random_uniform(key, (uint64_t)(3 * i)) * vocabulary);
        int separator = (int)(random_uniform(key, (uint64_t)(3 * i + 1)) * 6);
        char initial = random_uniform(key, (uint64_t)(3 * i + 2)) < 0.1 ? 'W' : 'w';
        sprintf(out + strlen(out), "%s%c%d", i ? separators[separator] : "", initial, word);
    }
}

/* The words in lower case, each between single blanks: " w1 w2 ". */
static void plain(const char *text, char *out) {
    size_t length = 0;
    out[length++] = ' ';
    for (; *text; text++) {
        bool is_word = (*text >= 'a' && *text <= 'z') || (*text >= '0' && *text <= '9') || *text == 'W';
        if (is_word)
            out[length++] = *text == 'W' ? 'w' : *text;
        else if (out[length - 1] != ' ')
            out[length++] = ' ';
    }
    if (out[length - 1] != ' ') out[length++] = ' ';
    out[length] = 0;
}

/* Whether n words in a row of `text` stand in `record`, both plain. */
static bool shares(const char *text, const char *record, int n) {
    for (const char *begin = text; begin[1]; begin = strchr(begin + 1, ' ')) {
        const char *end = begin;
        int words = 0;
        while (words < n && end[1]) {
            end = strchr(end + 1, ' ');
            words++;
        }
        if (words < n) return false;
        char piece[BYTES];
        snprintf(piece, sizeof piece, "%.*s", (int)(end - begin + 1), begin);
        if (strstr(record, piece)) return true;
    }
    return false;
}

static void answers_are_those_of_a_search(void **state) {
    struct world *world = *state;
    static char record[BENCHMARKS][RECORDS][BYTES], text[BYTES], words[BYTES];
    static const struct {
        int ngram, vocabulary;
    } cases[] = {{1, 4000}, {2, 120}, {3, 30}, {5, 9}, {8, 4}, {13, 2}, {40, 1}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        int n = cases[c].ngram, hits = 0;
        bool found[BENCHMARKS][RECORDS] = {{false}};
        struct overlap *overlap = make(n);
        for (int b = 0; b < BENCHMARKS; b++) {
            struct text file = {0};
            for (int r = 0; r < RECORDS; r++) {
                make_text(c, b, r, r % 37 * (b + 1) / 2, cases[c].vocabulary, text);
                plain(text, record[b][r]);
                assert_int_equal(text_printf(&file, NULL, "{\"t\": \"%s\"}\n", text), 0);
            }
            write_file(world->path[b], text_string(&file));
            text_free(&file);
            add(overlap, world->path[b], 0);
        }
        for (int t = 0; t < TEXTS; t++) {
            make_text(c, BENCHMARKS, t, t % 50, cases[c].vocabulary, text);
            plain(text, words);
            uint64_t expected = 0;
            for (int b = 0; b < BENCHMARKS; b++) {
                for (int r = 0; r < RECORDS; r++) {
                    if (!shares(words, record[b][r], n)) continue;
                    expected |= (uint64_t)1 << b;
                    found[b][r] = true;
                }
            }
            uint64_t bits = look(overlap, text, NULL);
            if (bits != expected)
                fail_msg("n = %d, \"%s\": %llx, %llx expected", n, text, (unsigned long long)bits,
                         (unsigned long long)expected);
            hits += bits != 0;
        }
        for (int b = 0; b < BENCHMARKS; b++) {
            int64_t count = 0, without = 0;
            for (int r = 0; r < RECORDS; r++) {
                count += found[b][r];
                without += !shares(record[b][r], record[b][r], n);
            }
            check_records(overlap, b, RECORDS, without, count);
        }
        if (hits == 0 || hits == TEXTS)
            fail_msg("n = %d: %d of %d texts found: nothing was tried", n, hits, TEXTS);
        overlap_destroy(&overlap);
    }
}

/* The table grows many times over: everything that was entered is found, in whatever order it grew. */
static void a_large_index(void **state) {
    struct world *world = *state;
    enum { LINES = 4000, WORDS = 40 };
    struct text file = {0};
    for (int i = 0; i < LINES; i++) {
        text_printf(&file, NULL, "{\"t\": \"");
        for (int w = 0; w < WORDS; w++) text_printf(&file, NULL, "r%dw%d ", i, w);
        text_printf(&file, NULL, "\"}\n");
    }
    write_file(world->path[0], text_string(&file));
    text_free(&file);
    struct overlap *overlap = make(13);
    add(overlap, world->path[0], 0);
    for (int i = 0; i < LINES; i += 2) {
        char text[512];
        int length = 0, first = i % (WORDS - 12);
        for (int w = first; w < first + 13; w++)
            length += snprintf(text + length, sizeof text - (size_t)length, "R%dw%d ", i, w);
        assert_int_equal(look(overlap, text, NULL), 1);
        text[strlen(text) - 2] ^= 1; /* another last word */
        assert_int_equal(look(overlap, text, NULL), 0);
    }
    check_records(overlap, 0, LINES, 0, LINES / 2);
    overlap_destroy(&overlap);
}

/* ---- choices */

static void a_question_counts_with_the_choices_inside_it(void **state) {
    struct world *world = *state;
    struct error err = {0};
    write_file(world->path[0],
               "{\"sentence\": \"The trophy does not fit into the case as _ is far too large to go in.\", "
               "\"option1\": \"the trophy\", \"option2\": \"the case\", \"answer\": \"1\"}\n");
    write_file(world->path[1],
               "{\"goal\": \"open a jar\", \"sol1\": \"turn the lid\", \"sol2\": \"turn the jar\", "
               "\"label\": 0}\n");
    write_file(world->path[2], "{\"goal\": \"open a jar\"}\n");
    struct overlap *overlap = make(6);
    assert_int_equal(overlap_add(overlap, "winogrande", world->path[0], 0, &err), 0);
    assert_int_equal(overlap_add(overlap, "piqa", world->path[1], 0, &err), 0);
    assert_int_equal(look(overlap, "fit into the case as is far", NULL), 1);
    assert_int_equal(look(overlap, "the case as the trophy is far", NULL), 1);
    assert_int_equal(look(overlap, "the case as the case is far", NULL), 1);
    assert_int_equal(look(overlap, "the case as the dog is far", NULL), 0);
    assert_int_equal(look(overlap, "open a jar answer turn the lid", NULL),
                     0); /* "Answer:" is the prompt's */
    assert_int_equal(look(overlap, "open a jar turn the lid", NULL), 0);
    check_records(overlap, 0, 1, 0, 1);
    check_records(overlap, 1, 1, 1, 0);
    assert_int_equal(overlap_add(overlap, "piqa", world->path[2], 0, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "2.jsonl:1: sol1: missing"));
    assert_int_equal(overlap_add(overlap, "no_such", world->path[1], 0, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "no_such"));
    overlap_destroy(&overlap);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_the_same_word),
        cmocka_unit_test(words_of_any_length),
        cmocka_unit_test(n_grams_are_words_in_a_row),
        cmocka_unit_test_setup_teardown(every_string_of_a_record_counts, world_open, world_close),
        cmocka_unit_test_setup_teardown(only_records_that_are_evaluated_count, world_open, world_close),
        cmocka_unit_test_setup_teardown(what_cannot_be_added_is_told, world_open, world_close),
        cmocka_unit_test_setup_teardown(content_is_what_is_hashed, world_open, world_close),
        cmocka_unit_test_setup_teardown(answers_are_those_of_a_search, world_open, world_close),
        cmocka_unit_test_setup_teardown(a_large_index, world_open, world_close),
        cmocka_unit_test_setup_teardown(a_question_counts_with_the_choices_inside_it, world_open,
                                        world_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
