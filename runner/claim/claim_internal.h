/* What the files of runner/claim share: claim.c (taking and holding), claim_file.c (what stands in the file),
 * claim_life.c (whether its holder lives). */
#ifndef ADAPT_RUNNER_CLAIM_INTERNAL_H
#define ADAPT_RUNNER_CLAIM_INTERNAL_H

#include "runner/claim/claim.h"

/* This process as a claim's holder, with a fresh token. */
int claim_describe_self(struct claim_info *out, struct error *err);

/* Writes a whole claim under a name of its own beside `path`; *name is freshly allocated. */
int claim_file_write(const char *path, const struct claim_info *info, char **name, struct error *err);
/* The file as it stands, without age and life. *found: there is one. A file that is no claim has the token
 * "". */
int claim_file_read(const char *path, bool *found, struct claim_info *out, struct error *err);

/* Seconds since the file's last beat; also brings a claim from the future to the present. A file that is gone
 * is 0 s old. */
double claim_age(const char *path);
/* Fills in info->heartbeat and info->alive. */
void claim_judge(const char *path, struct claim_info *info);

#endif
