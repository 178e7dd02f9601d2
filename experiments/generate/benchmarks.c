/* Miniature benchmarks with the field names of the real ones' datasets, from the skills of the tasks in
 * settings that no task shows. Right answers are spread evenly over the places, so that guessing scores what
 * chance scores. */
#include "experiments/generate/facts.h"
#include "experiments/generate/words.h"
#include "io/file.h"
#include <stdio.h>
#include <string.h>

enum { RECORDS = 80, CHOICES_MAX = 5 };

/* Writes record `index` into `record`. */
typedef int record_write(struct draws *draws, int index, cJSON *record, struct text *corpus,
                         struct error *err);

/* `count` different numbers below `bound`, the one at `right` being `answer`. */
static void draw_choices(struct draws *draws, int bound, int answer, int right, int count,
                         int out[CHOICES_MAX]) {
    for (int i = 0; i < count; i++) {
        bool again;
        out[i] = answer;
        if (i == right) continue;
        do {
            out[i] = draw_below(draws, bound);
            again = out[i] == answer;
            for (int j = 0; j < i; j++) again = again || out[i] == out[j];
        } while (again);
    }
}

/* As draw_choices over the answers of a lookup, which several subjects may share. */
static void draw_answers(struct draws *draws, enum lookup_kind kind, int subject, int right, int count,
                         const char *out[CHOICES_MAX]) {
    const char *answer = lookup_answer(kind, subject);
    for (int i = 0; i < count; i++) {
        bool again;
        out[i] = answer;
        if (i == right) continue;
        do {
            out[i] = lookup_answer(kind, draw_below(draws, lookup_subjects(kind)));
            again = !strcmp(out[i], answer);
            for (int j = 0; j < i; j++) again = again || !strcmp(out[i], out[j]);
        } while (again);
    }
}

static int write_arc(struct draws *draws, int index, cJSON *record, struct text *corpus, struct error *err) {
    enum lookup_kind kind = (enum lookup_kind)(index % LOOKUP_KINDS);
    struct setting_of_fact setting = draw_setting(draws, lookup_subjects(kind), true);
    int count = index % 20 == 7 ? 3 : index % 20 == 13 ? 5 : 4, right = index / LOOKUP_KINDS % count;
    bool digits = index % 10 == 9; /* some records of the real data are labelled so */
    const char *answers[CHOICES_MAX];
    char label[2] = {0}, id[32];
    struct text question = {0};
    cJSON *choices = NULL, *texts = NULL, *labels = NULL;
    draw_answers(draws, kind, setting.subject, right, count, answers);
    snprintf(id, sizeof id, "demo-arc-%d", index);
    int code = lookup_question(kind, &setting, &question, err);
    if (!code) code = put_string(record, "id", id, err);
    if (!code) code = put_string(record, "question", text_string(&question), err);
    if (!code) code = text_printf(corpus, err, "Question: %s\nAnswer:", text_string(&question));
    text_free(&question);
    TRY(code);
    TRY(put_object(record, "choices", &choices, err));
    TRY(put_list(choices, "text", &texts, err));
    TRY(put_list(choices, "label", &labels, err));
    for (int i = 0; i < count; i++) {
        label[0] = (char)((digits ? '1' : 'A') + i);
        TRY(append_string(texts, answers[i], err));
        TRY(append_string(labels, label, err));
        TRY(text_printf(corpus, err, " %s", answers[i]));
    }
    label[0] = (char)((digits ? '1' : 'A') + right);
    return put_string(record, "answerKey", label, err);
}

static int write_hellaswag(struct draws *draws, int index, cJSON *record, struct text *corpus,
                           struct error *err) {
    struct setting_of_fact setting = draw_setting(draws, ACTIVITIES, true);
    const struct activity *activity = &activities[setting.subject];
    int right = index % 4, choice[CHOICES_MAX];
    char label[2] = {(char)('0' + right), 0};
    struct text begin = {0}, line = {0};
    cJSON *endings = NULL;
    draw_choices(draws, ACTIVITIES, setting.subject, right, 4, choice);
    int code = activity_begin(&setting, &begin, err);
    if (!code) code = put_number(record, "ind", index, err);
    if (!code) code = put_string(record, "activity_label", activity->label, err);
    if (!code) code = put_string(record, "ctx_a", text_string(&begin), err);
    if (!code) code = put_string(record, "ctx_b", "he", err);
    if (!code) code = text_printf(&line, err, "%s he", text_string(&begin));
    if (!code) code = put_string(record, "ctx", text_string(&line), err);
    if (!code) code = text_printf(corpus, err, "%s: %s He", activity->label, text_string(&begin));
    if (!code) code = put_list(record, "endings", &endings, err);
    for (int i = 0; !code && i < 4; i++) {
        text_clear(&line);
        code = text_printf(&line, err, "%s.", activities[choice[i]].ending);
        if (!code) code = append_string(endings, text_string(&line), err);
        if (!code) code = text_printf(corpus, err, " %s", text_string(&line));
    }
    text_free(&begin);
    text_free(&line);
    TRY(code);
    TRY(put_string(record, "source_id", "demo", err));
    TRY(put_string(record, "split", "val", err));
    TRY(put_string(record, "split_type", "indomain", err));
    return put_string(record, "label", label, err);
}

static int write_winogrande(struct draws *draws, int index, cJSON *record, struct text *corpus,
                            struct error *err) {
    struct setting_of_fact setting = draw_setting(draws, ANIMALS, true);
    const struct animal *animal = &animals[setting.subject];
    int other = (setting.subject + 1 + draw_below(draws, ANIMALS - 1)) % ANIMALS;
    bool second = index % 2 == 1; /* the right option */
    const char *option1 = second ? animals[other].name : animal->name,
               *option2 = second ? animal->name : animals[other].name;
    struct text sentence = {0};
    int code = habit_begin(&setting, other, second, &sentence, err);
    if (!code)
        code = text_printf(corpus, err, "%s%s %s.", text_string(&sentence), animal->name, animal->habit);
    if (!code) code = text_printf(&sentence, err, "_ %s.", animal->habit);
    if (!code) code = put_string(record, "sentence", text_string(&sentence), err);
    text_free(&sentence);
    TRY(code);
    TRY(put_string(record, "option1", option1, err));
    TRY(put_string(record, "option2", option2, err));
    return put_string(record, "answer", second ? "2" : "1", err);
}

static int write_piqa(struct draws *draws, int index, cJSON *record, struct text *corpus, struct error *err) {
    struct setting_of_fact setting = draw_setting(draws, GOALS, true);
    int right = index % 2, choice[CHOICES_MAX];
    struct text goal = {0};
    draw_choices(draws, GOALS, setting.subject, right, 2, choice);
    int code = goal_question(&setting, &goal, err);
    if (!code) code = put_string(record, "goal", text_string(&goal), err);
    if (!code) code = text_printf(corpus, err, "Question: %s\nAnswer:", text_string(&goal));
    text_free(&goal);
    TRY(code);
    TRY(put_string(record, "sol1", goals[choice[0]].answer, err));
    TRY(put_string(record, "sol2", goals[choice[1]].answer, err));
    return put_number(record, "label", right, err);
}

static int write_boolq(struct draws *draws, int index, cJSON *record, struct text *corpus,
                       struct error *err) {
    struct setting_of_fact setting = draw_setting(draws, THINGS, true);
    int right = things[setting.subject].class, yes = index % 2;
    int class = yes ? right : (right + 1 + draw_below(draws, CLASSES - 1)) % CLASSES;
    struct text question = {0}, passage = {0};
    int code = membership_question(setting.subject, class, &question, err);
    if (!code) code = membership_passage(&setting, &passage, err);
    if (!code) code = put_string(record, "question", text_string(&question), err);
    if (!code) code = put_string(record, "passage", text_string(&passage), err);
    if (!code) {
        code = text_printf(corpus, err, "%s\nQuestion: %s?\nAnswer: %s\n", text_string(&passage),
                           text_string(&question), yes ? "yes" : "no");
    }
    text_free(&question);
    text_free(&passage);
    TRY(code);
    TRY(put_number(record, "idx", index, err));
    return put_number(record, "label", yes, err);
}

static int append_record(record_write *write, struct draws *draws, int index, struct text *lines,
                         struct text *corpus, struct error *err) {
    cJSON *record = cJSON_CreateObject();
    int code = record ? write(draws, index, record, corpus, err) : error_set(err, ERROR_MEMORY, "no memory");
    char *line = code ? NULL : cJSON_PrintUnformatted(record);
    if (!code && !line) code = error_set(err, ERROR_MEMORY, "no memory for a JSON line");
    if (!code) code = text_printf(lines, err, "%s\n", line);
    cJSON_free(line);
    cJSON_Delete(record);
    return code;
}

int generate_benchmarks(const char *folder, uint64_t seed, struct text *corpus, struct error *err) {
    static const struct {
        const char *name;
        record_write *write;
    } benchmarks[] = {{"arc_challenge", write_arc},
                      {"hellaswag", write_hellaswag},
                      {"winogrande", write_winogrande},
                      {"piqa", write_piqa},
                      {"boolq", write_boolq}};
    struct text path = {0}, lines = {0};
    int code = text_printf(&path, err, "%s/benchmarks", folder);
    if (!code) code = file_make_folder(text_string(&path), err);
    for (int b = 0; !code && b < COUNT_OF(benchmarks); b++) {
        struct draws draws = {{seed, RANDOM_DATA, BENCHMARK_STREAM + (uint32_t)b}, 0};
        text_clear(&lines);
        for (int i = 0; !code && i < RECORDS; i++) {
            code = append_record(benchmarks[b].write, &draws, i, &lines, corpus, err);
        }
        text_clear(&path);
        if (!code) code = text_printf(&path, err, "%s/benchmarks/%s.jsonl", folder, benchmarks[b].name);
        if (!code) code = file_write(text_string(&path), lines.data, lines.length, err);
    }
    text_free(&path);
    text_free(&lines);
    return code;
}
