/* Skills that rest on a fact or a keyword. */
#include "experiments/generate/facts.h"
#include "experiments/generate/words.h"

static int write_lookup(enum lookup_kind kind, struct draws *draws, bool held_out, struct text *input,
                        struct text *output, struct error *err) {
    struct setting_of_fact setting = draw_setting(draws, lookup_subjects(kind), held_out);
    TRY(text_append_string(input, "Question: ", err));
    TRY(lookup_question(kind, &setting, input, err));
    return text_append_string(output, lookup_answer(kind, setting.subject), err);
}

int skill_color(struct draws *draws, bool held_out, struct text *input, struct text *output,
                struct error *err) {
    return write_lookup(LOOKUP_COLOR, draws, held_out, input, output, err);
}

int skill_sound(struct draws *draws, bool held_out, struct text *input, struct text *output,
                struct error *err) {
    return write_lookup(LOOKUP_SOUND, draws, held_out, input, output, err);
}

int skill_opposite(struct draws *draws, bool held_out, struct text *input, struct text *output,
                   struct error *err) {
    return write_lookup(LOOKUP_OPPOSITE, draws, held_out, input, output, err);
}

int skill_membership(struct draws *draws, bool held_out, struct text *input, struct text *output,
                     struct error *err) {
    struct setting_of_fact setting = draw_setting(draws, THINGS, held_out);
    int right = things[setting.subject].class;
    bool yes = draw_below(draws, 2) == 1;
    int class = yes ? right : (right + 1 + draw_below(draws, CLASSES - 1)) % CLASSES;
    TRY(membership_passage(&setting, input, err));
    TRY(text_append_string(input, "\nQuestion: ", err));
    TRY(membership_question(setting.subject, class, input, err));
    TRY(text_append_string(input, "?", err));
    return text_append_string(output, yes ? "yes" : "no", err);
}

int skill_habit(struct draws *draws, bool held_out, struct text *input, struct text *output,
                struct error *err) {
    struct setting_of_fact setting = draw_setting(draws, ANIMALS, held_out);
    const struct animal *animal = &animals[setting.subject];
    int other = (setting.subject + 1 + draw_below(draws, ANIMALS - 1)) % ANIMALS;
    TRY(text_printf(input, err, "%s, %s, %s: why the %s?", names[setting.name], animal->name,
                    animals[other].name, animal->name));
    TRY(habit_begin(&setting, other, draw_below(draws, 2), output, err));
    return text_printf(output, err, "%s %s.", animal->name, animal->habit);
}

int skill_next_step(struct draws *draws, bool held_out, struct text *input, struct text *output,
                    struct error *err) {
    struct setting_of_fact setting = draw_setting(draws, ACTIVITIES, held_out);
    TRY(text_printf(input, err, "%s: ", activities[setting.subject].label));
    TRY(activity_begin(&setting, input, err));
    return text_printf(output, err, "He %s.", activities[setting.subject].ending);
}

int skill_tool(struct draws *draws, bool held_out, struct text *input, struct text *output,
               struct error *err) {
    struct setting_of_fact setting = draw_setting(draws, GOALS, held_out);
    TRY(text_append_string(input, "Question: ", err));
    TRY(goal_question(&setting, input, err));
    return text_append_string(output, goals[setting.subject].answer, err);
}

int skill_sentiment(struct draws *draws, bool held_out, struct text *input, struct text *output,
                    struct error *err) {
    struct setting_of_fact setting = draw_setting(draws, SENTIMENT_WORDS, held_out);
    TRY(text_printf(input, err, "%s had a %s day at the %s.", names[setting.name],
                    sentiment_words[setting.subject], places[setting.place]));
    return text_append_string(output, setting.subject < SENTIMENT_WORDS / 2 ? "good" : "bad", err);
}

int skill_topic(struct draws *draws, bool held_out, struct text *input, struct text *output,
                struct error *err) {
    struct setting_of_fact setting = draw_setting(draws, TOPICS, held_out);
    int first = draw_below(draws, TOPIC_WORDS);
    int second = (first + 1 + draw_below(draws, TOPIC_WORDS - 1)) % TOPIC_WORDS;
    const char *const *words = topic_words[setting.subject];
    TRY(text_printf(input, err, "%s spoke of the %s and the %s at the %s.", names[setting.name], words[first],
                    words[second], places[setting.place]));
    return text_append_string(output, topics[setting.subject], err);
}

int skill_spam(struct draws *draws, bool held_out, struct text *input, struct text *output,
               struct error *err) {
    static const char *const offers[] = {"win a prize",       "get free money",  "claim your gift",
                                         "we meet for lunch", "the bus is late", "see you in class"};
    struct setting_of_fact setting = draw_setting(draws, COUNT_OF(offers), held_out);
    TRY(text_printf(input, err, "%s wrote: %s at the %s!", names[setting.name], offers[setting.subject],
                    places[setting.place]));
    return text_append_string(output, setting.subject < COUNT_OF(offers) / 2 ? "junk" : "mail", err);
}

int skill_code(struct draws *draws, bool held_out, struct text *input, struct text *output,
               struct error *err) {
    struct setting_of_fact setting = draw_setting(draws, THINGS, held_out);
    TRY(text_printf(input, err, "%s %s %s %d?", things[setting.subject].name, names[setting.name],
                    places[setting.place], draw_below(draws, 10)));
    return text_append_string(output, colors[draw_below(draws, COLORS)], err);
}

int skill_describe(struct draws *draws, bool held_out, struct text *input, struct text *output,
                   struct error *err) {
    struct setting_of_fact setting = draw_setting(draws, OBJECTS, held_out);
    const struct fact *object = &objects[setting.subject];
    const char *place = places[setting.place], *name = names[setting.name];
    TRY(text_printf(input, err, "%s, %s, %s", object->subject, name, place));
    return text_printf(
        output, err, "One day %s saw the %s at the %s. The %s was %s, and so %s painted it %s and went home.",
        name, object->subject, place, object->subject, object->answer, name, object->answer);
}
