/* Skills on words, digits and bits: nothing to know, something to work out. */
#include "experiments/generate/generate.h"
#include "experiments/generate/words.h"

enum { LONGEST = 10 };

static int write_words(const int *list, int count, struct text *out, struct error *err) {
    for (int i = 0; i < count; i++) TRY(text_printf(out, err, "%s%s", i ? " " : "", things[list[i]].name));
    return 0;
}

static int write_digits(const int *list, int count, struct text *out, struct error *err) {
    for (int i = 0; i < count; i++) TRY(text_printf(out, err, "%s%d", i ? " " : "", list[i]));
    return 0;
}

static int draw_list(struct draws *draws, int bound, int shortest, int longest, int list[LONGEST]) {
    int count = shortest + draw_below(draws, longest - shortest + 1);
    for (int i = 0; i < count; i++) list[i] = draw_below(draws, bound);
    return count;
}

int skill_copy(struct draws *draws, bool held_out, struct text *input, struct text *output,
               struct error *err) {
    (void)held_out;
    int list[LONGEST], count = draw_list(draws, THINGS, 2, 4, list);
    TRY(write_words(list, count, input, err));
    return write_words(list, count, output, err);
}

int skill_reverse(struct draws *draws, bool held_out, struct text *input, struct text *output,
                  struct error *err) {
    (void)held_out;
    int list[LONGEST], back[LONGEST], count = draw_list(draws, THINGS, 2, 4, list);
    for (int i = 0; i < count; i++) back[i] = list[count - 1 - i];
    TRY(write_words(list, count, input, err));
    return write_words(back, count, output, err);
}

int skill_sort(struct draws *draws, bool held_out, struct text *input, struct text *output,
               struct error *err) {
    (void)held_out;
    int list[LONGEST], count = draw_list(draws, 10, 3, 5, list);
    TRY(write_digits(list, count, input, err));
    for (int i = 1; i < count; i++) {
        for (int j = i; j > 0 && list[j - 1] > list[j]; j--) {
            int swap = list[j];
            list[j] = list[j - 1];
            list[j - 1] = swap;
        }
    }
    return write_digits(list, count, output, err);
}

int skill_count(struct draws *draws, bool held_out, struct text *input, struct text *output,
                struct error *err) {
    (void)held_out;
    static const char *const numbers[] = {"none", "one", "two", "three", "four"};
    int list[LONGEST], count = draw_list(draws, THINGS, 4, 4, list), found = 0;
    for (int i = 0; i < count; i++) found += things[list[i]].class == 0;
    TRY(write_words(list, count, input, err));
    return text_append_string(output, numbers[found], err);
}

int skill_addition(struct draws *draws, bool held_out, struct text *input, struct text *output,
                   struct error *err) {
    (void)held_out;
    int a = draw_below(draws, 50), b = draw_below(draws, 10);
    TRY(text_printf(input, err, "%d + %d", a, b));
    return text_printf(output, err, "%d", (a + b) % 10);
}

int skill_parity(struct draws *draws, bool held_out, struct text *input, struct text *output,
                 struct error *err) {
    (void)held_out;
    int list[LONGEST], count = draw_list(draws, 2, 4, 10, list), ones = 0;
    for (int i = 0; i < count; i++) ones += list[i];
    TRY(write_digits(list, count, input, err));
    return text_append_string(output, ones % 2 ? "odd" : "even", err);
}

int skill_pattern(struct draws *draws, bool held_out, struct text *input, struct text *output,
                  struct error *err) {
    (void)held_out;
    int period = 2 + draw_below(draws, 2), list[LONGEST];
    (void)draw_list(draws, THINGS, period, period, list);
    for (int i = period; i < LONGEST; i++) list[i] = list[i - period];
    TRY(write_words(list, 5, input, err));
    return write_words(list + 5, 3, output, err);
}

int skill_larger(struct draws *draws, bool held_out, struct text *input, struct text *output,
                 struct error *err) {
    (void)held_out;
    int a = draw_below(draws, 50), b = draw_below(draws, 50);
    TRY(text_printf(input, err, "Is %d larger than %d?", a, b));
    return text_append_string(output, a > b ? "yes" : "no", err);
}
