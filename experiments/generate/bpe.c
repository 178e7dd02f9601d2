/* Training of a byte-level BPE vocabulary (Sennrich et al., ACL 2016; bytes as in GPT-2, Radford et al.,
 * 2019): start from single bytes, and merge the most frequent pair of neighbours until the vocabulary is
 * full. */
#include "experiments/generate/bpe.h"
#include "base/memory.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char *const special_tokens[2] = {"<|begin|>", "<|end|>"};

enum { WORD_MAX = 32 }; /* longer pieces of text are left out of the training */

/* A distinct piece of text that merges do not cross. */
struct word {
    short symbols[WORD_MAX];
    int length;
    long long count;
};

struct piece {
    const char *start;
    int length;
};

/* The length of the piece at `text`: an optional space, then letters, or digits, or other signs; or a run of
 * white space. It is GPT-2's rule for ASCII text, without its contractions. */
static size_t piece_length(const char *text, size_t left) {
    size_t n = text[0] == ' ' && left > 1 && !isspace((unsigned char)text[1]);
    int (*kind)(int) = isalpha((unsigned char)text[n])   ? isalpha
                       : isdigit((unsigned char)text[n]) ? isdigit
                       : isspace((unsigned char)text[n]) ? isspace
                                                         : ispunct;
    do n++;
    while (n < left && kind((unsigned char)text[n]));
    return n;
}

static int compare_pieces(const void *a, const void *b) {
    const struct piece *x = a, *y = b;
    int shorter = x->length < y->length ? x->length : y->length,
        order = memcmp(x->start, y->start, (size_t)shorter);
    return order ? order : x->length - y->length;
}

static int collect_words(const struct text *corpus, struct word **words, size_t *count, struct error *err) {
    struct piece *pieces = NULL;
    size_t piece_count = 0, piece_capacity = 0, word_capacity = 0;
    int code = 0;
    for (size_t i = 0; !code && i < corpus->length;) {
        size_t length = piece_length(corpus->data + i, corpus->length - i);
        if (length <= WORD_MAX) {
            code = memory_reserve(&pieces, &piece_capacity, piece_count + 1, sizeof *pieces, err);
            if (!code) pieces[piece_count++] = (struct piece){corpus->data + i, (int)length};
        }
        i += length;
    }
    if (!code && piece_count) qsort(pieces, piece_count, sizeof *pieces, compare_pieces);
    for (size_t i = 0; !code && i < piece_count; i++) {
        if (i == 0 || compare_pieces(&pieces[i - 1], &pieces[i])) {
            code = memory_reserve(words, &word_capacity, *count + 1, sizeof **words, err);
            if (code) break;
            struct word *word = &(*words)[(*count)++];
            word->length = pieces[i].length;
            for (int j = 0; j < word->length; j++)
                word->symbols[j] = (short)(FIRST_BYTE_ID + (unsigned char)pieces[i].start[j]);
        }
        (*words)[*count - 1].count++;
    }
    memory_free(pieces);
    return code;
}

/* The most frequent pair (of equals the one with the smallest ids) into `best`; false if no pair is left.
 * `table` is zeroed room for VOCABULARY squared counts. */
static bool best_pair(const struct word *words, size_t count, long long *table, short best[2]) {
    long long most = 0;
    memset(table, 0, sizeof *table * VOCABULARY * VOCABULARY);
    for (size_t w = 0; w < count; w++) {
        for (int i = 0; i + 1 < words[w].length; i++) {
            table[words[w].symbols[i] * VOCABULARY + words[w].symbols[i + 1]] += words[w].count;
        }
    }
    for (int i = 0; i < VOCABULARY * VOCABULARY; i++) {
        if (table[i] <= most) continue;
        most = table[i];
        best[0] = (short)(i / VOCABULARY);
        best[1] = (short)(i % VOCABULARY);
    }
    return most > 0;
}

static void merge_pair(struct word *words, size_t count, const short pair[2], short merged) {
    for (size_t w = 0; w < count; w++) {
        struct word *word = &words[w];
        int length = 0;
        for (int i = 0; i < word->length; i++) {
            bool here =
                i + 1 < word->length && word->symbols[i] == pair[0] && word->symbols[i + 1] == pair[1];
            word->symbols[length++] = here ? merged : word->symbols[i];
            i += here;
        }
        word->length = length;
    }
}

int bpe_train(const struct text *corpus, struct bpe **out, struct error *err) {
    struct bpe *bpe = NULL;
    struct word *words = NULL;
    size_t count = 0;
    long long *table = NULL;
    int code = memory_alloc(&bpe, 1, sizeof *bpe, err);
    if (!code) code = collect_words(corpus, &words, &count, err);
    if (!code) code = memory_alloc(&table, (size_t)VOCABULARY * VOCABULARY, sizeof *table, err);
    for (int id = FIRST_MERGE_ID; !code && id < VOCABULARY; id++) {
        short *pair = bpe->merges[id - FIRST_MERGE_ID];
        if (!best_pair(words, count, table, pair))
            code = error_set(err, ERROR_INTERNAL, "the text is too small for %d tokens", VOCABULARY);
        if (!code) merge_pair(words, count, pair, (short)id);
    }
    memory_free(table);
    memory_free(words);
    if (code) bpe_destroy(&bpe);
    *out = bpe;
    return code;
}

void bpe_destroy(struct bpe **bpe) {
    memory_free(*bpe);
    *bpe = NULL;
}
