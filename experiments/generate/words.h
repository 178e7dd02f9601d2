/* The small world that the demonstration's tasks and benchmarks are about. */
#ifndef ADAPT_EXPERIMENTS_WORDS_H
#define ADAPT_EXPERIMENTS_WORDS_H

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

enum {
    NAMES = 16,
    OBJECTS = 16,
    COLORS = 6,
    ANIMALS = 8,
    OPPOSITES = 10,
    THINGS = 24,
    CLASSES = 4,
    ACTIVITIES = 8,
    GOALS = 10,
    PLACES = 12,
    SENTIMENT_WORDS = 12,
    TOPICS = 4,
    TOPIC_WORDS = 5
};

struct fact {
    const char *subject, *answer;
};
struct animal {
    const char *name, *sound, *habit; /* "cow", "moo", "gave milk" */
};
struct activity {
    const char *label, *first, *ending; /* "Baking", "has flour", "bakes bread" */
};
struct thing {
    const char *name;
    int class;
};

extern const char *const names[NAMES];
extern const char *const places[PLACES];
extern const char *const colors[COLORS];
extern const struct fact objects[OBJECTS]; /* an object and its color */
extern const struct animal animals[ANIMALS];
extern const struct fact opposites[OPPOSITES];
extern const struct thing things[THINGS];
extern const char *const classes[CLASSES]; /* with their article: "an animal" */
extern const struct activity activities[ACTIVITIES];
extern const struct fact goals[GOALS];                     /* a goal and the solution, a sentence */
extern const char *const sentiment_words[SENTIMENT_WORDS]; /* the first half is good, the other bad */
extern const char *const topics[TOPICS];
extern const char *const topic_words[TOPICS][TOPIC_WORDS];

#endif
