/* Rotary position embeddings (Su et al., arXiv:2104.09864): their settings in a config, and the table of
 * angles. */
#ifndef ADAPT_TRAIN_ROPE_H
#define ADAPT_TRAIN_ROPE_H

#include "train/config_fields.h"
#include "train/model_config.h"

/* Reads rope_theta, rope_scaling, rope_local_base_freq (transformers 4) or rope_parameters (transformers 5)
 * of a config.json into config->rope_full and config->rope_windowed; config->family and max_positions are set
 * already. Scaling other than linear and llama3 is refused. */
void rope_config_read(const struct config_fields *fields, struct model_config *config);

/* table[position, 0..C/2-1] = cosines and table[position, C/2..C-1] = sines of position * frequency, for
 * positions 0..positions-1 and C = head_dim. Frequencies and angles are rounded to float32 as the reference's
 * are. */
void rope_table(const struct rope_config *rope, int head_dim, int positions, float *table);

#endif
