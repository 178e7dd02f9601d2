#include "base/hash.h"

#include "base/memory.h"
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct hash {
    EVP_MD_CTX *context;
};

int hash_create(struct hash **out, struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    (*out)->context = EVP_MD_CTX_new();
    if (!(*out)->context || !EVP_DigestInit_ex((*out)->context, EVP_sha256(), NULL)) {
        hash_destroy(out);
        return error_set(err, ERROR_INTERNAL, "libcrypto offers no SHA-256");
    }
    return 0;
}

int hash_update(struct hash *hash, const void *bytes, size_t length, struct error *err) {
    if (!EVP_DigestUpdate(hash->context, bytes, length))
        return error_set(err, ERROR_INTERNAL, "libcrypto failed while hashing");
    return 0;
}

int hash_update_string(struct hash *hash, const char *string, struct error *err) {
    uint64_t length = strlen(string);
    TRY(hash_update(hash, &length, sizeof length, err));
    return hash_update(hash, string, length, err);
}

int hash_finish(struct hash **hash, char hex[HASH_HEX_BYTES], struct error *err) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    int good = EVP_DigestFinal_ex((*hash)->context, digest, &length) && length == 32;
    hash_destroy(hash);
    if (!good) return error_set(err, ERROR_INTERNAL, "libcrypto failed while hashing");
    for (unsigned int i = 0; i < length; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return 0;
}

void hash_destroy(struct hash **hash) {
    if (!*hash) return;
    EVP_MD_CTX_free((*hash)->context);
    memory_free(*hash);
    *hash = NULL;
}

int hash_bytes(const void *bytes, size_t length, char hex[HASH_HEX_BYTES], struct error *err) {
    struct hash *hash;
    TRY(hash_create(&hash, err));
    int code = hash_update(hash, bytes, length, err);
    if (code) {
        hash_destroy(&hash);
        return code;
    }
    return hash_finish(&hash, hex, err);
}

/* FNV-1a over the bytes, then the finaliser of splitmix64 so that all bits are good. */
unsigned long long hash_short(const void *bytes, size_t length, unsigned long long seed) {
    const unsigned char *byte = bytes;
    uint64_t h = 0xcbf29ce484222325ULL ^ (seed * 0x9e3779b97f4a7c15ULL);
    for (size_t i = 0; i < length; i++) h = (h ^ byte[i]) * 0x100000001b3ULL;
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ULL;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebULL;
    return h ^ (h >> 31);
}
