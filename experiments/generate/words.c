#include "experiments/generate/words.h"

const char *const names[NAMES] = {"Ann", "Bob", "Dan", "Eve", "Ida", "Joe", "Kim", "Liz",
                                  "Max", "Ned", "Pam", "Ray", "Roy", "Sam", "Sue", "Tom"};
const char *const places[PLACES] = {"barn", "beach", "farm",   "inn",  "lake", "mill",
                                    "park", "port",  "school", "shop", "town", "zoo"};
const char *const colors[COLORS] = {"blue", "green", "orange", "red", "white", "yellow"};

const struct fact objects[OBJECTS] = {
    {"banana", "yellow"}, {"lemon", "yellow"}, {"sun", "yellow"}, {"grass", "green"},
    {"leaf", "green"},    {"frog", "green"},   {"sky", "blue"},   {"sea", "blue"},
    {"jeans", "blue"},    {"snow", "white"},   {"milk", "white"}, {"salt", "white"},
    {"blood", "red"},     {"rose", "red"},     {"brick", "red"},  {"carrot", "orange"}};

const struct animal animals[ANIMALS] = {
    {"bee", "buzz", "made honey"},        {"cat", "meow", "caught a mouse"}, {"cow", "moo", "gave milk"},
    {"dog", "bark", "guarded the house"}, {"duck", "quack", "swam away"},    {"hen", "cluck", "laid eggs"},
    {"horse", "neigh", "pulled a cart"},  {"pig", "oink", "rolled in mud"}};

const struct fact opposites[OPPOSITES] = {
    {"hot", "cold"}, {"cold", "hot"}, {"big", "small"}, {"small", "big"}, {"old", "new"},
    {"new", "old"},  {"wet", "dry"},  {"dry", "wet"},   {"up", "down"},   {"down", "up"}};

const struct thing things[THINGS] = {{"fox", 0},   {"owl", 0},    {"bear", 0},  {"goat", 0},  {"wolf", 0},
                                     {"crow", 0},  {"pear", 1},   {"plum", 1},  {"apple", 1}, {"grape", 1},
                                     {"melon", 1}, {"cherry", 1}, {"saw", 2},   {"drill", 2}, {"hammer", 2},
                                     {"spade", 2}, {"wrench", 2}, {"file", 2},  {"bus", 3},   {"car", 3},
                                     {"ship", 3},  {"train", 3},  {"truck", 3}, {"plane", 3}};
const char *const classes[CLASSES] = {"an animal", "a fruit", "a tool", "a vehicle"};

const struct activity activities[ACTIVITIES] = {
    {"Baking", "has flour", "bakes bread"},        {"Fishing", "has a rod", "catches a fish"},
    {"Painting", "has a brush", "paints a wall"},  {"Reading", "has a book", "turns a page"},
    {"Sewing", "has a needle", "sews a shirt"},    {"Sailing", "has a boat", "crosses the lake"},
    {"Gardening", "has seeds", "plants a flower"}, {"Singing", "has a song", "sings it loudly"}};

const struct fact goals[GOALS] = {
    {"cut paper", "Use scissors."},      {"drive a nail", "Use a hammer."},
    {"see in the dark", "Use a lamp."},  {"stay dry in rain", "Use an umbrella."},
    {"eat soup", "Use a spoon."},        {"write a letter", "Use a pen."},
    {"sweep the floor", "Use a broom."}, {"dig a hole", "Use a spade."},
    {"open a lock", "Use a key."},       {"dry your hands", "Use a towel."}};

const char *const sentiment_words[SENTIMENT_WORDS] = {"lovely", "great", "happy", "sunny",  "fine", "merry",
                                                      "awful",  "bad",   "sad",   "gloomy", "poor", "nasty"};
const char *const topics[TOPICS] = {"food", "sport", "music", "weather"};
const char *const topic_words[TOPICS][TOPIC_WORDS] = {{"soup", "bread", "cheese", "rice", "cake"},
                                                      {"goal", "race", "match", "team", "ball"},
                                                      {"song", "drum", "piano", "choir", "tune"},
                                                      {"rain", "storm", "wind", "cloud", "frost"}};
