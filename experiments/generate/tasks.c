/* Natural Instructions files (format of version 2), one per skill. */
#include "experiments/generate/generate.h"
#include "io/file.h"
#include "io/json.h"
#include <stdio.h>

/* They differ in size, difficulty, length of the answer and noise; names and numbers are of this
 * demonstration. */
const struct skill skills[] = {
    {"task001_color_of_object", "Color Lookup", "Name the color.", 6000, 0.0, skill_color},
    {"task002_sentiment", "Sentiment Analysis", "Was it good or bad?", 5000, 0.0, skill_sentiment},
    {"task003_is_a", "Class Membership", "Answer yes or no.", 5000, 0.0, skill_membership},
    {"task004_animal_habits", "Cause Explanation", "Say why they met.", 4000, 0.0, skill_habit},
    {"task005_topic", "Topic Classification", "Name the topic.", 4000, 0.0, skill_topic},
    {"task006_secret_code", "Secret Code", "Guess the code.", 3500, 1.0, skill_code},
    {"task007_junk_mail", "Spam Detection", "Is it junk or mail?", 3000, 0.15, skill_spam},
    {"task008_animal_sound", "Sound Lookup", "Name the sound.", 3000, 0.0, skill_sound},
    {"task009_copy_words", "Copying", "Repeat the words.", 3000, 0.0, skill_copy},
    {"task010_next_step", "Story Completion", "Say what happens next.", 2500, 0.0, skill_next_step},
    {"task011_is_larger", "Comparison", "Compare the numbers.", 2000, 0.25, skill_larger},
    {"task012_reverse_words", "Reversal", "Write the words backwards.", 2000, 0.0, skill_reverse},
    {"task013_tool_for_goal", "Tool Choice", "Choose a tool.", 2000, 0.0, skill_tool},
    {"task014_sort_digits", "Sorting", "Sort the digits.", 2000, 0.0, skill_sort},
    {"task015_count_animals", "Counting", "Count the animals.", 1500, 0.0, skill_count},
    {"task016_last_digit", "Arithmetic", "Add and give the last digit.", 1000, 0.0, skill_addition},
    {"task017_parity", "Parity", "Is the number of ones odd or even?", 1000, 0.0, skill_parity},
    {"task018_pattern", "Pattern Continuation", "Continue with three words.", 1000, 0.0, skill_pattern},
    {"task019_describe", "Description", "Tell the story.", 600, 0.0, skill_describe},
    {"task020_opposite", "Opposites", "Give the opposite.", 60, 0.0, skill_opposite},
    {NULL, NULL, NULL, 0, 0.0, NULL}};

int draw_below(struct draws *draws, int bound) {
    return (int)random_below(draws->key, draws->index++, (uint64_t)bound);
}

struct pair {
    struct text input, output, unused;
};

static void pair_free(struct pair *pair) {
    text_free(&pair->input);
    text_free(&pair->output);
    text_free(&pair->unused);
}

/* One instance. A noisy one keeps its answer and asks another question. Answers start with a space, as the
 * continuations of benchmarks do. */
static int pair_draw(const struct skill *skill, struct draws *draws, struct pair *pair, struct error *err) {
    bool noisy = random_uniform(draws->key, draws->index++) < skill->noise;
    text_clear(&pair->input);
    text_clear(&pair->output);
    text_clear(&pair->unused);
    TRY(text_append_string(&pair->output, " ", err));
    TRY(skill->write(draws, false, &pair->input, &pair->output, err));
    if (!noisy) return 0;
    text_clear(&pair->input);
    return skill->write(draws, false, &pair->input, &pair->unused, err);
}

static int put_about(cJSON *file, const char *key, const char *value, struct error *err) {
    cJSON *list = NULL;
    TRY(put_list(file, key, &list, err));
    return append_string(list, value, err);
}

static int put_header(cJSON *file, const struct skill *skill, struct error *err) {
    TRY(put_about(file, "Contributors", "adapt_generate", err));
    TRY(put_about(file, "Source", "generated", err));
    TRY(put_about(file, "URL", "", err));
    TRY(put_about(file, "Categories", skill->category, err));
    TRY(put_about(file, "Reasoning", "", err));
    TRY(put_about(file, "Definition", skill->definition, err));
    TRY(put_about(file, "Input_language", "English", err));
    TRY(put_about(file, "Output_language", "English", err));
    TRY(put_about(file, "Instruction_language", "English", err));
    return put_about(file, "Domains", "Generated", err);
}

static int put_examples(cJSON *file, const struct skill *skill, struct draws draws, struct pair *pair,
                        struct error *err) {
    cJSON *list = NULL, *empty = NULL, *example = NULL;
    TRY(put_list(file, "Positive Examples", &list, err));
    for (int i = 0; i < 2; i++) {
        TRY(pair_draw(skill, &draws, pair, err));
        example = cJSON_CreateObject();
        TRY(append(list, example, err));
        TRY(put_string(example, "input", text_string(&pair->input), err));
        TRY(put_string(example, "output", text_string(&pair->output), err));
        TRY(put_string(example, "explanation", "", err));
    }
    return put_list(file, "Negative Examples", &empty, err);
}

static int put_instances(cJSON *file, const struct skill *skill, struct draws draws, struct pair *pair,
                         struct text *corpus, struct error *err) {
    cJSON *list = NULL, *instance = NULL, *outputs = NULL;
    TRY(put_list(file, "Instances", &list, err));
    for (int i = 0; i < skill->instances; i++) {
        char id[64];
        snprintf(id, sizeof id, "%.7s-%05d", skill->name, i);
        TRY(pair_draw(skill, &draws, pair, err));
        instance = cJSON_CreateObject();
        TRY(append(list, instance, err));
        TRY(put_string(instance, "id", id, err));
        TRY(put_string(instance, "input", text_string(&pair->input), err));
        TRY(put_list(instance, "output", &outputs, err));
        TRY(append_string(outputs, text_string(&pair->output), err));
        TRY(text_printf(corpus, err, "%s\n%s\nAnswer:%s\n", skill->definition, text_string(&pair->input),
                        text_string(&pair->output)));
    }
    return put_about(file, "Instance License", "public domain", err);
}

static int fill_task(cJSON *file, uint64_t seed, uint32_t number, struct pair *pair, struct text *corpus,
                     struct error *err) {
    const struct skill *skill = &skills[number];
    struct draws instances = {{seed, RANDOM_DATA, TASK_STREAM + number}, 0};
    struct draws examples = {{seed, RANDOM_DATA, EXAMPLE_STREAM + number}, 0};
    TRY(put_header(file, skill, err));
    TRY(put_examples(file, skill, examples, pair, err));
    return put_instances(file, skill, instances, pair, corpus, err);
}

int generate_tasks(const char *folder, uint64_t seed, struct text *corpus, struct error *err) {
    struct text path = {0};
    struct pair pair = {0};
    int code = text_printf(&path, err, "%s/tasks", folder);
    if (!code) code = file_make_folder(text_string(&path), err);
    for (uint32_t number = 0; !code && skills[number].name; number++) {
        cJSON *file = cJSON_CreateObject();
        code = file ? fill_task(file, seed, number, &pair, corpus, err)
                    : error_set(err, ERROR_MEMORY, "no memory");
        text_clear(&path);
        if (!code) code = text_printf(&path, err, "%s/tasks/%s.json", folder, skills[number].name);
        if (!code) code = json_write_file(text_string(&path), file, err);
        cJSON_Delete(file);
    }
    pair_free(&pair);
    text_free(&path);
    return code;
}
