/* Token by token: a model that keeps the keys and values of what it was fed (a paged cache), for generation.
 *
 * A sequence is a growing list of tokens. Many sequences are fed in one pass, each with one token or with
 * many (its prompt), packed without padding. Pages of the cache that sequences have in common, because one
 * was forked from the other, are stored once. Layers with a sliding window keep only the pages that their
 * window reaches. All memory is taken by decoder_create; feeding allocates nothing. */
#ifndef ADAPT_TRAIN_DECODER_H
#define ADAPT_TRAIN_DECODER_H

#include "train/model.h"

struct decoder;

struct decoder_limits {
    int rows;       /* most tokens fed in one pass */
    int sequences;  /* most sequences open at a time */
    int positions;  /* most tokens of a sequence */
    int64_t tokens; /* tokens that the cache has room for, over all sequences (shared ones once; each sequence
                       takes whole pages); at least `positions` */
};

/* Device memory that decoder_create takes with activations of float32; half of them with bfloat16. */
size_t decoder_bytes(const struct model_config *config, const struct decoder_limits *limits);

/* `parameters` is a flat vector of the layout and, like all else, borrowed. */
int decoder_create(struct backend *backend, const struct model_config *config,
                   const struct parameter_layout *layout, struct view parameters,
                   const struct decoder_limits *limits, struct decoder **out, struct error *err);
void decoder_destroy(struct decoder **decoder);

/* Opens an empty sequence that will hold at most `positions` tokens: the pages it may come to need are set
 * aside, so that feeding it never finds the cache full. *sequence is its number, 0 .. limits.sequences-1.
 * ERROR_INTERNAL where decoder_fits says no. */
int decoder_open(struct decoder *decoder, int positions, int *sequence, struct error *err);
/* Opens a sequence of at most `positions` tokens that begins with the first `tokens` tokens of another,
 * without computing them again. Only whole pages can be shared: *kept (<= tokens) says how many tokens the
 * new sequence holds; the caller feeds the rest, at least one. Layers with a sliding window must still hold
 * what position *kept sees: where `from` has gone on too far behind `tokens`, *kept is 0. The whole pages of
 * what `from` holds now can always be shared. */
int decoder_fork(struct decoder *decoder, int from, int tokens, int positions, int *sequence, int *kept,
                 struct error *err);
/* Whether decoder_fork with these arguments, or with `from` -1 decoder_open, would find a free number and
 * enough pages that are neither held nor set aside for another. A cache without open sequences fits any of up
 * to limits.positions. */
bool decoder_fits(const struct decoder *decoder, int from, int tokens, int positions);
/* Gives a sequence's pages back (those it shares stay with the others) and what was set aside for it. */
void decoder_close(struct decoder *decoder, int sequence);
/* Tokens that a sequence holds. */
int decoder_length(const struct decoder *decoder, int sequence);
/* Tokens of a page, and pages that no sequence holds (of all layers together; what is set aside counts as
 * free). */
int decoder_page_tokens(const struct decoder *decoder);
int64_t decoder_free_pages(const struct decoder *decoder);

/* One sequence's part of a pass. */
struct decoder_feed {
    int sequence;
    const int32_t *ids; /* [count] tokens that follow what the sequence holds */
    int count;          /* >= 1 */
    bool predict;       /* the token after the last one is asked for */
};

/* Feeds `count` sequences (each at most once). The i-th of the feeds that ask for it gets in best[i] the
 * likeliest next token (lowest index on ties; greedy decoding), and, where `logits` is not NULL, logits[i,
 * vocabulary] (host arrays). More rows than limits.rows or tokens than a sequence was opened for are
 * ERROR_INTERNAL, a token out of range ERROR_INPUT; no sequence has grown then. After another failure the
 * sequences that were fed can only be closed. Not collective. */
int decoder_step(struct decoder *decoder, const struct decoder_feed *feeds, int count, int32_t *best,
                 float *logits, struct error *err);

#endif
