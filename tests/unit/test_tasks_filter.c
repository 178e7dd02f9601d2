/* A filter of the tasks' texts: what is counted, what is left out, and that the cache holds its answers and
 * no others'. */
#include "io/tasks/tasks.h"

#include "io/file.h"
#include "tests/support/tasks_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- helpers */

struct world {
    char root[64], tasks[80], cache[80];
    struct tokenizer *tokenizer;
    struct tasks_settings settings;
};

static int world_open(void **state) {
    static struct world world;
    world = (struct world){.root = "/tmp/adapt-filter-XXXXXX"};
    if (!mkdtemp(world.root)) return 1;
    snprintf(world.tasks, sizeof world.tasks, "%s/tasks", world.root);
    snprintf(world.cache, sizeof world.cache, "%s/cache", world.root);
    setting_defaults(tasks_settings_table, &world.settings);
    world.settings.path = world.tasks;
    *state = &world;
    if (file_make_folder(world.tasks, NULL) || fixture_tokenizer(world.root, true, true)) return 1;
    return tokenizer_load(world.root, &world.tokenizer, NULL);
}

static int world_close(void **state) {
    struct world *world = *state;
    tokenizer_destroy(&world->tokenizer);
    return file_remove_tree(world->root, NULL);
}

/* Inputs "PREFIX 0", "PREFIX 1", ...; outputs "answer 0", ... */
static void add_task(const struct world *world, const char *name, const char *category, const char *prefix,
                     int count) {
    struct text list = {0};
    fixture_instances(&list, prefix, 0, count, false);
    assert_int_equal(fixture_task(world->tasks, name, category, "Do it.", text_string(&list)), 0);
    text_free(&list);
}

/* A filter of two sources: inputs that end with 7, and outputs that hold a 3. */
struct fake {
    struct tasks_filter filter;
    int looks, fail_at; /* 0: never */
};

static int fake_look(void *context, const char *input, const char *output, uint64_t *sources,
                     struct error *err) {
    struct fake *fake = context;
    if (++fake->looks == fake->fail_at) return error_set(err, ERROR_INPUT, "the benchmark is damaged");
    *sources = (uint64_t)(input[strlen(input) - 1] == '7') | (uint64_t)(strchr(output, '3') != NULL) << 1;
    return 0;
}

static int fake_describe(void *context, int source, struct tasks_source *out, struct error *err) {
    (void)err;
    const struct fake *fake = context;
    *out = (struct tasks_source){source ? "three" : "seven", 10 + source, source, fake->looks};
    return 0;
}

static struct fake make_fake(bool drop) {
    return (struct fake){
        .filter = {.drop = drop, .sources = 2, .hash = "h", .look = fake_look, .describe = fake_describe}};
}

static struct task_set *load(struct world *world, struct fake *fake, const char *cache) {
    struct task_set *set;
    struct error err = {0};
    if (fake) fake->filter.context = fake;
    if (task_set_load(&world->settings, world->tokenizer, FIXTURE_END, fake ? &fake->filter : NULL, cache,
                      &set, &err))
        fail_msg("%s", err.message);
    return set;
}

/* The number of an example, from its completion "answer N". */
static int number_of(const struct example *example) {
    char text[64];
    int length = 0;
    for (int i = example->prompt; i < example->length - 1; i++) text[length++] = (char)example->ids[i];
    text[length] = 0;
    int number;
    assert_int_equal(sscanf(text, "answer %d", &number), 1);
    return number;
}

static bool has_three(int number) {
    for (; number; number /= 10)
        if (number % 10 == 3) return true;
    return false;
}

static void assert_same_examples(const struct task_set *left, const struct task_set *right) {
    assert_int_equal(left->count, right->count);
    assert_true(left->supervised == right->supervised);
    for (int k = 0; k < left->count; k++) {
        const struct task *a = &left->tasks[k], *b = &right->tasks[k];
        assert_true(a->training_count == b->training_count && a->validation_count == b->validation_count);
        for (int64_t i = 0; i < a->training_count; i++) {
            assert_int_equal(a->training[i].length, b->training[i].length);
            assert_memory_equal(a->training[i].ids, b->training[i].ids,
                                (size_t)a->training[i].length * sizeof(int32_t));
        }
    }
}

static void assert_same_counts(const struct task_set *left, const struct task_set *right) {
    assert_int_equal(left->sources, right->sources);
    for (int k = 0; k < left->count; k++) {
        assert_true(left->tasks[k].contaminated == right->tasks[k].contaminated);
        assert_memory_equal(left->tasks[k].contaminated_by, right->tasks[k].contaminated_by,
                            (size_t)left->sources * sizeof(int64_t));
    }
    for (int s = 0; s < left->sources; s++) {
        assert_string_equal(left->source[s].name, right->source[s].name);
        assert_true(left->source[s].records == right->source[s].records &&
                    left->source[s].without == right->source[s].without &&
                    left->source[s].found == right->source[s].found);
    }
}

/* ---- counting */

static void counting_changes_nothing_else(void **state) {
    struct world *world = *state;
    add_task(world, "a", "first", "in", 100);
    add_task(world, "b", "first", "other", 40);
    add_task(world, "c", "second", "x", 50);
    struct fake fake = make_fake(false);
    struct task_set *plain = load(world, NULL, NULL), *set = load(world, &fake, NULL);
    assert_int_equal(plain->sources, 0);
    assert_same_examples(plain, set);
    assert_string_equal(plain->hash, set->hash);
    assert_int_equal(set->sources, 2);
    assert_string_equal(set->source[0].name, "seven");
    assert_string_equal(set->source[1].name, "three");
    assert_true(set->source[1].records == 11 && set->source[1].without == 1);
    int64_t trained = 0;
    for (int k = 0; k < set->count; k++) {
        const struct task *task = &set->tasks[k];
        int64_t any = 0, by[2] = {0, 0};
        for (int64_t i = 0; i < task->training_count; i++) {
            int number = number_of(&task->training[i]);
            by[0] += number % 10 == 7;
            by[1] += has_three(number);
            any += number % 10 == 7 || has_three(number);
        }
        assert_true(any > 0 && any < by[0] + by[1]); /* 37 is in both */
        assert_int_equal(task->contaminated, any);
        assert_int_equal(task->contaminated_by[0], by[0]);
        assert_int_equal(task->contaminated_by[1], by[1]);
        trained += task->training_count;
    }
    assert_int_equal(fake.looks, trained); /* at what is trained on, once */
    task_set_destroy(&plain);
    task_set_destroy(&set);
}

/* ---- dropping */

static void dropped_instances_are_in_no_pool(void **state) {
    struct world *world = *state;
    add_task(world, "a", "first", "in", 100);
    add_task(world, "b", "first", "other", 40);
    add_task(world, "c", "second", "x", 50);
    struct fake fake = make_fake(true);
    struct task_set *plain = load(world, NULL, NULL), *set = load(world, &fake, NULL);
    assert_string_not_equal(plain->hash, set->hash);
    assert_int_equal(fake.looks, 190); /* at every instance, once */
    static const int64_t instances[] = {140, 50};
    for (int k = 0; k < set->count; k++) {
        const struct task *task = &set->tasks[k];
        int64_t any = 0, by[2] = {0, 0};
        for (int file = 0; file < (k ? 1 : 2); file++) {
            int count = k ? 50 : file ? 40 : 100;
            for (int number = 0; number < count; number++) {
                by[0] += number % 10 == 7;
                by[1] += has_three(number);
                any += number % 10 == 7 || has_three(number);
            }
        }
        assert_int_equal(task->instances, instances[k]);
        assert_int_equal(task->contaminated, any);
        assert_int_equal(task->contaminated_by[0], by[0]);
        assert_int_equal(task->contaminated_by[1], by[1]);
        assert_int_equal(task->training_count + task->validation_count, instances[k] - any);
        assert_int_equal(task->validation_count,
                         (instances[k] - any) / 5 < 32 ? (instances[k] - any) / 5 : 32);
        for (int pool = 0; pool < 2; pool++) {
            int64_t count = pool ? task->validation_count : task->training_count;
            for (int64_t i = 0; i < count; i++) {
                int number = number_of(pool ? &task->validation[i] : &task->training[i]);
                assert_false(number % 10 == 7 || has_three(number));
            }
        }
    }
    task_set_destroy(&plain);
    task_set_destroy(&set);
}

/* What is left out makes room: a cap is filled from what is left. */
static void dropping_comes_before_the_cap(void **state) {
    struct world *world = *state;
    add_task(world, "a", "first", "in", 100);
    world->settings.max_examples = 30;
    world->settings.validation_examples = 10;
    struct fake fake = make_fake(true);
    struct task_set *set = load(world, &fake, NULL);
    assert_int_equal(set->tasks[0].training_count, 30);
    assert_int_equal(set->tasks[0].validation_count, 10);
    task_set_destroy(&set);
}

static void a_task_that_is_left_empty_is_told(void **state) {
    struct world *world = *state;
    struct text list = {0};
    for (int i = 0; i < 30; i++)
        text_printf(&list, NULL, "%s{\"id\": \"%d\", \"input\": \"%d7\", \"output\": [\"same\"]}",
                    i ? ", " : "", i, i);
    assert_int_equal(fixture_task(world->tasks, "a", "first", "Do it.", text_string(&list)), 0);
    text_free(&list);
    struct fake fake = make_fake(true);
    struct task_set *set;
    struct error err = {0};
    fake.filter.context = &fake;
    assert_int_equal(
        task_set_load(&world->settings, world->tokenizer, FIXTURE_END, &fake.filter, NULL, &set, &err),
        ERROR_INPUT);
    assert_null(set);
    assert_non_null(strstr(err.message, "task \"first\" has no training example: 30 instances"));
    assert_non_null(strstr(err.message, "30 that repeat a benchmark"));
}

static void a_filter_that_fails_ends_the_loading(void **state) {
    struct world *world = *state;
    add_task(world, "a", "first", "in", 50);
    for (int drop = 0; drop < 2; drop++) {
        struct fake fake = make_fake(drop);
        struct task_set *set;
        struct error err = {0};
        fake.filter.context = &fake;
        fake.fail_at = 20;
        assert_int_equal(task_set_load(&world->settings, world->tokenizer, FIXTURE_END, &fake.filter,
                                       world->cache, &set, &err),
                         ERROR_INPUT);
        assert_null(set);
        assert_non_null(strstr(err.message, "the benchmark is damaged"));
    }
    char **names;
    size_t count;
    assert_int_equal(file_list(world->cache, ".tokens", &names, &count, NULL), 0);
    assert_int_equal(count, 0); /* nothing half made is left */
    file_free_list(names, count);
}

/* ---- cache */

static void the_cache_holds_the_answers(void **state) {
    struct world *world = *state;
    add_task(world, "a", "first", "in", 100);
    add_task(world, "c", "second", "x", 50);
    for (int drop = 0; drop < 2; drop++) {
        struct fake cold = make_fake(drop), warm = make_fake(drop);
        struct task_set *first = load(world, &cold, world->cache), *again = load(world, &warm, world->cache);
        assert_true(cold.looks > 0);
        assert_int_equal(warm.looks, 0);
        assert_same_examples(first, again);
        assert_same_counts(first, again);
        assert_string_equal(first->hash, again->hash);
        task_set_destroy(&first);
        task_set_destroy(&again);
    }
}

static void another_filter_has_other_answers(void **state) {
    struct world *world = *state;
    add_task(world, "a", "first", "in", 100);
    struct fake fakes[] = {make_fake(false), make_fake(true), make_fake(false), make_fake(true)};
    fakes[2].filter.hash = fakes[3].filter.hash = "other";
    char hash[5][65];
    struct task_set *set = load(world, NULL, world->cache);
    memcpy(hash[4], set->hash, 65);
    assert_int_equal(set->sources, 0);
    task_set_destroy(&set);
    for (int i = 0; i < 4; i++) {
        set = load(world, &fakes[i], world->cache);
        assert_true(fakes[i].looks > 0); /* no other filter's cache was taken */
        memcpy(hash[i], set->hash, 65);
        task_set_destroy(&set);
    }
    assert_string_equal(hash[0], hash[4]); /* counting makes no other data */
    assert_string_equal(hash[2], hash[4]);
    assert_string_not_equal(hash[1], hash[4]);
    assert_string_not_equal(hash[3], hash[4]);
    assert_string_not_equal(hash[1], hash[3]);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(counting_changes_nothing_else),        TEST(dropped_instances_are_in_no_pool),
        TEST(dropping_comes_before_the_cap),        TEST(a_task_that_is_left_empty_is_told),
        TEST(a_filter_that_fails_ends_the_loading), TEST(the_cache_holds_the_answers),
        TEST(another_filter_has_other_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
