/* Task sets: rendering and tokens, pools that do not depend on order, bad input named, and a cache that is
 * never trusted blindly. */
#include "io/tasks/tasks.h"

#include "io/file.h"
#include "io/tasks/tasks_survey.h"
#include "io/tasks/template.h"
#include "tests/support/tasks_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* ---- helpers */

/* A scratch folder with a tokenizer, and task files in a folder below. */
struct world {
    char root[64], tasks[80], cache[80];
    struct tokenizer *tokenizer;
    struct tasks_settings settings;
};

static void world_open(struct world *world, bool begins) {
    *world = (struct world){0};
    strcpy(world->root, "/tmp/adapt-tasks-XXXXXX");
    assert_non_null(mkdtemp(world->root));
    snprintf(world->tasks, sizeof world->tasks, "%s/tasks", world->root);
    snprintf(world->cache, sizeof world->cache, "%s/cache", world->root);
    struct error err = {0};
    assert_int_equal(file_make_folder(world->tasks, &err), 0);
    assert_int_equal(fixture_tokenizer(world->root, begins, true), 0);
    if (tokenizer_load(world->root, &world->tokenizer, &err)) fail_msg("%s", err.message);
    setting_defaults(tasks_settings_table, &world->settings);
    world->settings.path = world->tasks;
}

static void world_close(struct world *world) {
    tokenizer_destroy(&world->tokenizer);
    assert_int_equal(file_remove_tree(world->root, NULL), 0);
}

static void add_task(const struct world *world, const char *name, const char *category, const char *prefix,
                     int count, bool backwards) {
    struct text list = {0};
    fixture_instances(&list, prefix, 0, count, backwards);
    assert_int_equal(fixture_task(world->tasks, name, category, "Do it.", text_string(&list)), 0);
    text_free(&list);
}

static void add_raw(const struct world *world, const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", world->tasks, name);
    assert_int_equal(file_write(path, text, strlen(text), NULL), 0);
}

static struct task_set *load(struct world *world, const char *cache) {
    struct task_set *set;
    struct error err = {0};
    if (task_set_load(&world->settings, world->tokenizer, FIXTURE_END, NULL, cache, &set, &err))
        fail_msg("%s", err.message);
    return set;
}

static void refuse(struct world *world, const char *cache, int code, const char *expected) {
    struct task_set *set;
    struct error err = {0};
    assert_int_equal(task_set_load(&world->settings, world->tokenizer, FIXTURE_END, NULL, cache, &set, &err),
                     code);
    assert_null(set);
    if (!strstr(err.message, expected)) fail_msg("\"%s\" should contain \"%s\"", err.message, expected);
}

/* The supervised part of an example as text; its last token must be `end`. */
static const char *completion(const struct example *example, int32_t end) {
    static char text[4096];
    int length = 0;
    assert_int_equal(example->ids[example->length - 1], end);
    for (int i = example->prompt; i < example->length - 1; i++) text[length++] = (char)example->ids[i];
    text[length] = 0;
    return text;
}

/* A prompt as text, special tokens as their texts. */
static const char *prompt(const struct example *example) {
    static char text[4096];
    int length = 0;
    for (int i = 0; i < example->prompt; i++) {
        int32_t id = example->ids[i];
        if (id < 256) {
            text[length++] = (char)id;
        } else {
            length += sprintf(text + length, "%s", fixture_token_texts[id - FIXTURE_BEGIN]);
        }
    }
    text[length] = 0;
    return text;
}

static void assert_same_sets(const struct task_set *left, const struct task_set *right) {
    assert_int_equal(left->count, right->count);
    assert_true(left->supervised == right->supervised);
    assert_string_equal(left->hash, right->hash);
    for (int k = 0; k < left->count; k++) {
        const struct task *a = &left->tasks[k], *b = &right->tasks[k];
        assert_string_equal(a->name, b->name);
        assert_string_equal(a->category, b->category);
        assert_true(a->training_count == b->training_count && a->validation_count == b->validation_count);
        assert_true(a->training_supervised == b->training_supervised && a->instances == b->instances);
        assert_true(a->cut == b->cut && a->dropped == b->dropped && a->bad == b->bad);
        for (int pool = 0; pool < 2; pool++) {
            const struct example *x = pool ? a->validation : a->training,
                                 *y = pool ? b->validation : b->training;
            for (int64_t i = 0; i < (pool ? a->validation_count : a->training_count); i++) {
                assert_int_equal(x[i].length, y[i].length);
                assert_int_equal(x[i].prompt, y[i].prompt);
                assert_memory_equal(x[i].ids, y[i].ids, (size_t)x[i].length * sizeof *x[i].ids);
            }
        }
    }
}

/* ---- content */

static void groups_and_tokenises(void **state) {
    (void)state;
    for (int by = TASKS_BY_CATEGORY; by <= TASKS_BY_FILE; by++) {
        struct world world;
        world_open(&world, true);
        add_task(&world, "task3", "Alpha", "three", 10, false);
        add_task(&world, "task1", "Beta", "one", 20, false);
        add_task(&world, "task2", "Alpha", "two", 30, false);
        add_task(&world, "task10", NULL, "ten", 10, false);
        world.settings.group_by = by;
        world.settings.validation_examples = 4;
        struct task_set *set = load(&world, NULL);
        static const struct {
            const char *name, *category;
            int instances, validation;
        } expected[2][4] = {{{"Alpha", "Alpha", 40, 4}, {"Beta", "Beta", 20, 4}, {"task10", "task10", 10, 2}},
                            {{"task1", "Beta", 20, 4},
                             {"task10", "task10", 10, 2},
                             {"task2", "Alpha", 30, 4},
                             {"task3", "Alpha", 10, 2}}};
        assert_int_equal(set->count, by == TASKS_BY_CATEGORY ? 3 : 4);
        int64_t supervised = 0;
        for (int k = 0; k < set->count; k++) {
            const struct task *task = &set->tasks[k];
            assert_string_equal(task->name, expected[by][k].name);
            assert_string_equal(task->category, expected[by][k].category);
            assert_int_equal(task->instances, expected[by][k].instances);
            assert_int_equal(task->validation_count, expected[by][k].validation);
            assert_int_equal(task->training_count, expected[by][k].instances - expected[by][k].validation);
            int64_t tokens = 0;
            for (int64_t i = 0; i < task->training_count; i++) {
                const struct example *example = &task->training[i];
                char input[64], wanted[64];
                int number;
                assert_int_equal(
                    sscanf(prompt(example), "<|begin_of_text|>Do it.\n\n%63s %d", input, &number), 2);
                snprintf(wanted, sizeof wanted, "answer %d", number);
                assert_string_equal(completion(example, FIXTURE_END), wanted);
                tokens += example->length - example->prompt;
            }
            assert_true(tokens == task->training_supervised);
            supervised += tokens;
        }
        assert_true(set->supervised == supervised);
        /* within a task: files by name, instances in the file's order */
        const struct task *alpha = &set->tasks[0];
        if (by == TASKS_BY_CATEGORY) {
            assert_non_null(strstr(prompt(&alpha->training[0]), "two "));
            assert_non_null(strstr(prompt(&alpha->training[alpha->training_count - 1]), "three "));
        }
        task_set_destroy(&set);
        assert_null(set);
        world_close(&world);
    }
}

static void renders_chats(void **state) {
    (void)state;
    struct world world;
    world_open(&world, true);
    add_task(&world, "t", "C", "in", 10, false);
    world.settings.chat = TEMPLATE_GEMMA;
    struct task_set *set = load(&world, NULL);
    const struct example *example = &set->tasks[0].training[0];
    int number;
    char tail[64];
    assert_int_equal(sscanf(prompt(example),
                            "<bos><start_of_turn>user\nDo it.\n\nin %d<end_of_turn>\n<start_of_turn>%63s",
                            &number, tail),
                     2);
    assert_string_equal(tail, "model");
    assert_int_equal(example->ids[0], FIXTURE_BOS); /* once: the post-processor must not add its own */
    assert_int_equal(example->ids[1], FIXTURE_START_OF_TURN);
    char wanted[32];
    snprintf(wanted, sizeof wanted, "answer %d", number);
    assert_string_equal(completion(example, FIXTURE_END_OF_TURN), wanted);
    task_set_destroy(&set);
    world_close(&world);
}

static void cuts_and_drops(void **state) {
    (void)state;
    struct world world;
    world_open(&world, true);
    struct text list = {0};
    fixture_instances(&list, "in", 0, 20, false);
    text_append_string(&list, ",{\"input\": \"short\", \"output\": [\"0123456789012345678\"]}",
                       NULL); /* 20 with its end */
    text_append_string(&list, ",{\"input\": \"short too\", \"output\": [\"01234567890123456789\"]}",
                       NULL); /* 21 */
    assert_int_equal(fixture_task(world.tasks, "t", "C", "Do it.", text_string(&list)), 0);
    text_free(&list);
    world.settings.max_tokens = 21;
    world.settings.validation_examples = 3;
    struct task_set *set = load(&world, NULL);
    const struct task *task = &set->tasks[0];
    assert_int_equal(task->instances, 22);
    assert_int_equal(task->dropped, 1);
    assert_int_equal(task->cut, 21); /* the shortest whole prompt has 14 tokens, its completion 9 */
    assert_int_equal(task->training_count + task->validation_count, 21);
    bool seen_tight = false;
    for (int64_t i = 0; i < task->training_count + task->validation_count; i++) {
        const struct example *example =
            i < task->training_count ? &task->training[i] : &task->validation[i - task->training_count];
        assert_true(example->length <= 21);
        assert_int_equal(example->ids[0], FIXTURE_BEGIN);
        if (example->prompt == 1) {
            seen_tight = true;
        } else { /* the end of the prompt survives */
            assert_int_equal(example->length, 21);
            assert_int_equal(example->ids[example->prompt - 1], '\n');
        }
    }
    assert_true(seen_tight);
    task_set_destroy(&set);

    /* of a chat, the beginning of the user's turn stays */
    world.settings.chat = TEMPLATE_CHATML;
    world.settings.max_tokens = 40;
    set = load(&world, NULL);
    char wanted[] = "<|im_start|>user\n";
    assert_true(set->tasks[0].cut > 0);
    const char *text = prompt(&set->tasks[0].training[0]);
    assert_int_equal(strncmp(text, wanted, strlen(wanted)), 0);
    assert_non_null(strstr(text, "<|im_end|>\n<|im_start|>assistant\n"));
    task_set_destroy(&set);
    world_close(&world);
}

/* ---- pools */

static void splits_by_hash(void **state) {
    (void)state;
    uint64_t inputs[20];
    unsigned char pool[20];
    struct error err = {0};
    for (int i = 0; i < 20; i++) inputs[i] = (uint64_t)((i * 7) % 20) * 100;
    assert_int_equal(survey_split(inputs, 20, 3, 0, pool, &err), 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(pool[i], inputs[i] < 300 ? SURVEY_VALIDATION : SURVEY_TRAINING);
    assert_int_equal(survey_split(inputs, 20, 100, 5, pool, &err),
                     0); /* a fifth at most; five for training */
    for (int i = 0; i < 20; i++) {
        int expected = inputs[i] < 400   ? SURVEY_VALIDATION
                       : inputs[i] < 900 ? SURVEY_TRAINING
                                         : SURVEY_UNUSED;
        assert_int_equal(pool[i], expected);
    }
    /* equal inputs stay together, and a group too large for validation lets smaller ones pass */
    static const uint64_t repeated[15] = {1, 1, 1, 1, 2, 2, 3, 4, 4, 5, 5, 5, 6, 6, 6};
    static const unsigned char expected[15] = {1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1};
    assert_int_equal(survey_split(repeated, 15, 10, 0, pool, &err), 0);
    assert_memory_equal(pool, expected, sizeof expected);
    assert_int_equal(survey_split(repeated, 0, 10, 0, pool, &err), 0);
    assert_int_equal(survey_split(repeated, 4, 10, 0, pool, &err), 0);
    for (int i = 0; i < 4; i++) assert_int_equal(pool[i], SURVEY_TRAINING);
}

static bool among(const struct example *example, const struct example *pool, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        if (pool[i].length == example->length && pool[i].prompt == example->prompt &&
            !memcmp(pool[i].ids, example->ids, (size_t)example->length * sizeof *example->ids)) {
            return true;
        }
    }
    return false;
}

static void split_does_not_depend_on_order(void **state) {
    (void)state;
    struct world forward, backward;
    world_open(&forward, true);
    world_open(&backward, true);
    add_task(&forward, "a", "C", "x", 60, false);
    add_task(&forward, "b", "C", "y", 60, false);
    add_task(&backward, "b", "C", "x", 60, true); /* other file names, and the other way round */
    add_task(&backward, "a", "C", "y", 60, true);
    struct task_set *left = load(&forward, NULL), *right = load(&backward, NULL);
    const struct task *a = &left->tasks[0], *b = &right->tasks[0];
    assert_int_equal(a->validation_count, 24);
    assert_int_equal(b->validation_count, 24);
    for (int64_t i = 0; i < 24; i++) assert_true(among(&a->validation[i], b->validation, 24));
    for (int64_t i = 0; i < 24; i++) assert_false(among(&a->validation[i], b->training, b->training_count));
    task_set_destroy(&left);
    task_set_destroy(&right);
    world_close(&forward);
    world_close(&backward);
}

static void no_text_is_in_both_pools(void **state) {
    (void)state;
    struct world world;
    world_open(&world, false);
    add_task(&world, "a", "C", "x", 50,
             false); /* two files with the same content, and a third with half of it */
    add_task(&world, "b", "C", "x", 50, true);
    add_task(&world, "c", "C", "x", 25, false);
    struct task_set *set = load(&world, NULL);
    const struct task *task = &set->tasks[0];
    assert_int_equal(task->instances, 125);
    assert_true(task->validation_count > 20 && task->validation_count <= 25);
    for (int64_t i = 0; i < task->validation_count; i++) {
        assert_false(among(&task->validation[i], task->training, task->training_count));
    }
    task_set_destroy(&set);

    world.settings.max_examples = 7;
    set = load(&world, NULL);
    assert_int_equal(set->tasks[0].training_count, 7);
    task_set_destroy(&set);
    world_close(&world);
}

static void reads_split_files(void **state) {
    (void)state;
    struct world world;
    world_open(&world, false);
    add_task(&world, "a", "A", "x", 10, false);
    add_task(&world, "b", "B", "x", 10, false);
    add_task(&world, "c", "C", "x", 10, false);
    char split[128];
    snprintf(split, sizeof split, "%s/split.txt", world.root);
    world.settings.split = split;
    assert_int_equal(file_write(split, "c\r\n\n  a ", 9, NULL), 0);
    struct task_set *set = load(&world, NULL);
    assert_int_equal(set->count, 2);
    assert_string_equal(set->tasks[0].name, "A");
    assert_string_equal(set->tasks[1].name, "C");
    task_set_destroy(&set);
    assert_int_equal(file_write(split, "a\nmissing\n", 10, NULL), 0);
    refuse(&world, NULL, ERROR_INPUT, "split.txt:2: there is no task file ");
    assert_int_equal(file_write(split, "a\nb\na\n", 6, NULL), 0);
    refuse(&world, NULL, ERROR_INPUT, "names \"a\" more than once");
    assert_int_equal(file_write(split, "\n", 1, NULL), 0);
    refuse(&world, NULL, ERROR_INPUT, "names no tasks");
    world_close(&world);
}

/* ---- bad input */

static void names_bad_input(void **state) {
    (void)state;
    struct world world;
    world_open(&world, false);
    refuse(&world, NULL, ERROR_INPUT, "holds no *.json files");
    world.settings.path = "/nonexistent";
    refuse(&world, NULL, ERROR_IO, "/nonexistent");
    world.settings.path = NULL;
    refuse(&world, NULL, ERROR_INPUT, "tasks.path is required");
    world.settings.path = world.tasks;
    add_task(&world, "good", "G", "x", 10, false);
    world.settings.prompt = "{inptu}";
    refuse(&world, NULL, ERROR_INPUT, "unknown placeholder \"{inptu}\"");
    world.settings.prompt = "{input}";

    static const struct {
        const char *text, *expected;
    } bad[] = {
        {"{\"Instances\": [{\"input\": \"a\", \"out",
         "bad.json:1:31: the string that begins here is never closed"},
        {"{\"Definition\": []}", "bad.json: has no \"Instances\""},
        {"{\"Instances\": \"none\"}", "bad.json:1:15: \"Instances\" is not a list"},
        {"{\"Instances\": [{\"input\": \"\xe9t\xe9\", \"output\": [\"b\"]}]}",
         "bad.json: instance 1, at 1:27: invalid UTF-8"},
        {"{\"Instances\": [{\"input\": [], \"output\": [\"b\"]}]}",
         "bad.json: instance 1 (line 1): \"input\" is not a string"},
        {"{\"Instances\": [], \"Categories\": [\"Empty\"]}",
         "task \"Empty\" has no training example: 0 instances"},
        {"{\"Instances\": [{\"input\": \"a\", \"output\": [\"b\"]}], \"Categories\": [\"One\"]}",
         "task \"One\" has no validation example: 1 instances"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        add_raw(&world, "bad.json", bad[i].text);
        refuse(&world, NULL, ERROR_INPUT, bad[i].expected);
    }
    add_raw(&world, "bad.json", "");
    refuse(&world, NULL, ERROR_INPUT, "bad.json:1:1: a Natural Instructions file is one JSON object");
    world_close(&world);
}

static void stops_at_or_skips_bad_instances(void **state) {
    (void)state;
    struct world world;
    world_open(&world, false);
    struct text list = {0};
    fixture_instances(&list, "in", 1, 16, false);
    text_append_string(&list, ",\n{\"id\": \"17\", \"input\": \"in 17\"}", NULL);
    fixture_instances(&list, "in", 18, 3, false);
    assert_int_equal(fixture_task(world.tasks, "t", "C", "Do it.", text_string(&list)), 0);
    text_free(&list);
    refuse(&world, NULL, ERROR_INPUT,
           "t.json: instance 17 (line 19): no \"output\" (\"on_bad_instance\": \"skip\"");
    world.settings.on_bad_instance = TASKS_BAD_SKIP;
    struct task_set *set = load(&world, NULL);
    assert_int_equal(set->tasks[0].bad, 1);
    assert_int_equal(set->tasks[0].instances, 20);
    assert_int_equal(set->tasks[0].training_count + set->tasks[0].validation_count, 19);
    task_set_destroy(&set);
    world.settings.max_tokens = 3;
    refuse(&world, NULL, ERROR_INPUT,
           "task \"C\" has no training example: 20 instances, of which 1 malformed and 19 with completions "
           "that do not fit");
    world_close(&world);
}

/* ---- cache */

/* The single cache file's path. */
static const char *cache_file(const struct world *world) {
    static char path[512];
    char **names;
    size_t count;
    assert_int_equal(file_list(world->cache, "", &names, &count, NULL), 0);
    assert_int_equal(count, 1);
    snprintf(path, sizeof path, "%s/%s", world->cache, names[0]);
    file_free_list(names, count);
    return path;
}

static void caches(void **state) {
    (void)state;
    struct world world;
    world_open(&world, true);
    add_task(&world, "a", "A", "x", 40, false);
    add_task(&world, "b", "B", "y", 40, false);
    struct task_set *plain = load(&world, NULL), *built = load(&world, world.cache);
    assert_same_sets(plain, built);
    const char *path = cache_file(&world);
    assert_non_null(strstr(path, plain->hash));
    struct stat before, after;
    assert_int_equal(stat(path, &before), 0);
    struct task_set *mapped = load(&world, world.cache);
    assert_same_sets(plain, mapped);
    assert_int_equal(stat(cache_file(&world), &after), 0);
    assert_true(before.st_ino == after.st_ino); /* not written again */
    task_set_destroy(&built);
    task_set_destroy(&mapped);

    /* every byte counts: flip one at a time, cut, lengthen, empty; each time the set is the same and the file
     * new */
    struct text content = {0};
    assert_int_equal(file_read(path, 1 << 24, &content, NULL), 0);
    size_t places[40], number = 0;
    for (size_t i = 0; i < 30; i++) places[number++] = content.length * i / 30;
    for (size_t i = 1; i <= 10; i++) places[number++] = content.length - 16 * i;
    for (size_t i = 0; i < number + 3; i++) {
        struct text damaged = {0};
        assert_int_equal(text_append(&damaged, content.data, content.length, NULL), 0);
        size_t length = damaged.length;
        if (i < number) damaged.data[places[i]] ^= 0x10;
        if (i == number) length -= 8;
        if (i == number + 1) length = 0;
        if (i == number + 2) {
            text_append(&damaged, "12345678", 8, NULL);
            length += 8;
        }
        assert_int_equal(file_write(path, damaged.data, length, NULL), 0);
        struct task_set *rebuilt = load(&world, world.cache);
        assert_same_sets(plain, rebuilt);
        task_set_destroy(&rebuilt);
        struct text now = {0};
        assert_int_equal(file_read(cache_file(&world), 1 << 24, &now, NULL), 0);
        assert_int_equal(now.length, content.length);
        assert_memory_equal(now.data, content.data, content.length);
        text_free(&now);
        text_free(&damaged);
    }
    text_free(&content);
    task_set_destroy(&plain);
    world_close(&world);
}

static void key_covers_everything(void **state) {
    (void)state;
    struct world world;
    world_open(&world, true);
    add_task(&world, "a", "A", "x", 40, false);
    enum { CHANGES = 12 };
    char hashes[CHANGES][65];
    for (int change = 0; change < CHANGES; change++) {
        struct tasks_settings kept = world.settings;
        int32_t end = FIXTURE_END;
        switch (change) {
        case 1: world.settings.group_by = TASKS_BY_FILE; break;
        case 2: world.settings.validation_examples = 3; break;
        case 3: world.settings.max_tokens = 77; break;
        case 4: world.settings.max_examples = 9; break;
        case 5: world.settings.prompt = "{definition}\n{input}\n{examples}"; break;
        case 6: world.settings.chat = TEMPLATE_CHATML; break;
        case 7: world.settings.on_bad_instance = TASKS_BAD_SKIP; break;
        case 8: end = FIXTURE_EOT; break;
        case 9: add_task(&world, "a", "A", "z", 40, false); break;
        case 10: add_task(&world, "b", "B", "z", 40, false); break;
        case 11: /* another tokenizer */
            tokenizer_destroy(&world.tokenizer);
            assert_int_equal(fixture_tokenizer(world.root, false, true), 0);
            assert_int_equal(tokenizer_load(world.root, &world.tokenizer, NULL), 0);
            break;
        default: break;
        }
        struct task_set *set;
        struct error err = {0};
        if (task_set_load(&world.settings, world.tokenizer, end, NULL, NULL, &set, &err))
            fail_msg("%s", err.message);
        memcpy(hashes[change], set->hash, 65);
        assert_int_equal(strlen(set->hash), 64);
        for (int other = 0; other < change; other++) assert_string_not_equal(hashes[change], hashes[other]);
        task_set_destroy(&set);
        world.settings = kept;
    }
    world_close(&world);
}

static void names_an_unwritable_cache(void **state) {
    (void)state;
    struct world world;
    world_open(&world, true);
    add_task(&world, "a", "A", "x", 40, false);
    char file[128], below[160];
    snprintf(file, sizeof file, "%s/occupied", world.root);
    snprintf(below, sizeof below, "%s/cache", file);
    assert_int_equal(file_write(file, "x", 1, NULL), 0);
    refuse(&world, file, ERROR_INPUT, "occupied: exists and is not a folder");
    refuse(&world, below, ERROR_IO, "occupied/cache: cannot make the folder");
    if (geteuid() == 0) { /* root may write anywhere but here */
        refuse(&world, "/proc/self", ERROR_IO, "cannot create");
    } else {
        assert_int_equal(file_make_folder(world.cache, NULL), 0);
        assert_int_equal(chmod(world.cache, 0500), 0);
        refuse(&world, world.cache, ERROR_IO, "cannot create: Permission denied");
    }
    world_close(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_and_tokenises),
        cmocka_unit_test(renders_chats),
        cmocka_unit_test(cuts_and_drops),
        cmocka_unit_test(splits_by_hash),
        cmocka_unit_test(split_does_not_depend_on_order),
        cmocka_unit_test(no_text_is_in_both_pools),
        cmocka_unit_test(reads_split_files),
        cmocka_unit_test(names_bad_input),
        cmocka_unit_test(stops_at_or_skips_bad_instances),
        cmocka_unit_test(caches),
        cmocka_unit_test(key_covers_everything),
        cmocka_unit_test(names_an_unwritable_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
