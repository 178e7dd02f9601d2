/* Anything as a claim's file: it says nothing, or something sound. */
#include "runner/claim/claim_internal.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct claim_info info;
    char path[64];
    bool found;
    int file = memfd_create("claim", 0);
    if (file < 0 || write(file, data, size) != (ssize_t)size) abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (!claim_file_read(path, &found, &info, NULL) && found) {
        if (strspn(info.token, "0123456789abcdef") != strlen(info.token) || info.process < 0 ||
            info.restart < 0)
            abort();
        if (!memchr(info.host, 0, sizeof info.host) || !memchr(info.job, 0, sizeof info.job) ||
            !memchr(info.machine, 0, sizeof info.machine))
            abort();
    }
    close(file);
    return 0;
}
