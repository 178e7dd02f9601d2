/* Sentences about the small world, shared by the tasks and the benchmarks. A setting is who and where; a
 * fixed fifth of the settings of each subject occurs in benchmarks only. */
#ifndef ADAPT_EXPERIMENTS_FACTS_H
#define ADAPT_EXPERIMENTS_FACTS_H

#include "experiments/generate/generate.h"

struct setting_of_fact {
    int subject, name, place;
};
/* A subject in 0 .. subjects-1 and a setting that is held out, or is not. */
struct setting_of_fact draw_setting(struct draws *draws, int subjects, bool held_out);

enum lookup_kind { LOOKUP_COLOR, LOOKUP_SOUND, LOOKUP_OPPOSITE, LOOKUP_KINDS };
int lookup_subjects(enum lookup_kind kind);
const char *lookup_answer(enum lookup_kind kind, int subject);
/* "What color is the banana at Tom's farm?" */
int lookup_question(enum lookup_kind kind, const struct setting_of_fact *setting, struct text *out,
                    struct error *err);

/* "Fox -- Tom saw a fox at the farm. A fox is an animal." and "is a fox an animal". */
int membership_passage(const struct setting_of_fact *setting, struct text *out, struct error *err);
int membership_question(int thing, int class, struct text *out, struct error *err);

/* "Tom met the cow and the hen at the farm because the ", which one of the animals and its habit complete. */
int habit_begin(const struct setting_of_fact *setting, int other, bool other_first, struct text *out,
                struct error *err);

/* "Tom has flour at the farm." */
int activity_begin(const struct setting_of_fact *setting, struct text *out, struct error *err);

/* "How does Tom cut paper at the farm?" */
int goal_question(const struct setting_of_fact *setting, struct text *out, struct error *err);

#endif
