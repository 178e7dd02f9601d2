#include "experiments/generate/facts.h"
#include "experiments/generate/words.h"

struct setting_of_fact draw_setting(struct draws *draws, int subjects, bool held_out) {
    struct setting_of_fact setting;
    do {
        setting = (struct setting_of_fact){draw_below(draws, subjects), draw_below(draws, NAMES),
                                           draw_below(draws, PLACES)};
    } while (((setting.subject + setting.name + setting.place) % 5 == 0) != held_out);
    return setting;
}

int lookup_subjects(enum lookup_kind kind) {
    static const int counts[LOOKUP_KINDS] = {OBJECTS, ANIMALS, OPPOSITES};
    return counts[kind];
}

const char *lookup_answer(enum lookup_kind kind, int subject) {
    switch (kind) {
    case LOOKUP_COLOR: return objects[subject].answer;
    case LOOKUP_SOUND: return animals[subject].sound;
    default: return opposites[subject].answer;
    }
}

int lookup_question(enum lookup_kind kind, const struct setting_of_fact *setting, struct text *out,
                    struct error *err) {
    const char *name = names[setting->name], *place = places[setting->place];
    switch (kind) {
    case LOOKUP_COLOR:
        return text_printf(out, err, "What color is the %s at %s's %s?", objects[setting->subject].subject,
                           name, place);
    case LOOKUP_SOUND:
        return text_printf(out, err, "What sound does the %s at %s's %s make?",
                           animals[setting->subject].name, name, place);
    default:
        return text_printf(out, err, "At the %s %s asks: what is the opposite of %s?", place, name,
                           opposites[setting->subject].subject);
    }
}

static const char *article(const char *word) {
    return word[0] == 'a' || word[0] == 'o' ? "an" : "a";
}

int membership_passage(const struct setting_of_fact *setting, struct text *out, struct error *err) {
    const struct thing *thing = &things[setting->subject];
    const char *a = article(thing->name);
    TRY(text_printf(out, err, "%c%s -- %s saw %s %s at the %s. ", thing->name[0] - 'a' + 'A', thing->name + 1,
                    names[setting->name], a, thing->name, places[setting->place]));
    return text_printf(out, err, "A%s %s is %s.", a[1] ? "n" : "", thing->name, classes[thing->class]);
}

int membership_question(int thing, int class, struct text *out, struct error *err) {
    return text_printf(out, err, "is %s %s %s", article(things[thing].name), things[thing].name,
                       classes[class]);
}

int habit_begin(const struct setting_of_fact *setting, int other, bool other_first, struct text *out,
                struct error *err) {
    const char *one = animals[setting->subject].name, *two = animals[other].name;
    return text_printf(out, err, "%s met the %s and the %s at the %s because the ", names[setting->name],
                       other_first ? two : one, other_first ? one : two, places[setting->place]);
}

int activity_begin(const struct setting_of_fact *setting, struct text *out, struct error *err) {
    return text_printf(out, err, "%s %s at the %s.", names[setting->name], activities[setting->subject].first,
                       places[setting->place]);
}

int goal_question(const struct setting_of_fact *setting, struct text *out, struct error *err) {
    return text_printf(out, err, "How does %s %s at the %s?", names[setting->name],
                       goals[setting->subject].subject, places[setting->place]);
}
