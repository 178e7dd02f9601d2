/* Content hashes (SHA-256, by libcrypto). */
#ifndef ADAPT_BASE_HASH_H
#define ADAPT_BASE_HASH_H

#include "base/error.h"
#include <stddef.h>

enum { HASH_HEX_BYTES = 65 }; /* 64 lower-case hexadecimal digits and a NUL */

struct hash;
int hash_create(struct hash **out, struct error *err);
int hash_update(struct hash *hash, const void *bytes, size_t length, struct error *err);
/* Appends a length-prefixed string, so that ("ab","c") and ("a","bc") differ. */
int hash_update_string(struct hash *hash, const char *string, struct error *err);
/* Writes the digest and destroys *hash (set to NULL), also on failure. */
int hash_finish(struct hash **hash, char hex[HASH_HEX_BYTES], struct error *err);
void hash_destroy(struct hash **hash);

/* The digest of one block of bytes. */
int hash_bytes(const void *bytes, size_t length, char hex[HASH_HEX_BYTES], struct error *err);

/* A fast 64-bit hash of a few bytes for tables and splits: stable over machines and versions, not for
 * security. */
unsigned long long hash_short(const void *bytes, size_t length, unsigned long long seed);

#endif
