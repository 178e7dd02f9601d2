#include "runner/check/machine.h"

#include "base/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The smallest limit on the way from a control group's folder to the root, version 2; "max" means none. */
static double cgroup_limit(char *folder, double limit) {
    static const char root[] = "/sys/fs/cgroup";
    for (;;) {
        char path[4096 + 64], line[64] = "";
        snprintf(path, sizeof path, "%s%s/memory.max", root, folder);
        FILE *file = fopen(path, "r");
        if (file) {
            if (fgets(line, sizeof line, file) && line[0] >= '0' && line[0] <= '9') {
                double bytes = strtod(line, NULL);
                if (bytes < limit) limit = bytes;
            }
            fclose(file);
        }
        char *slash = strrchr(folder, '/');
        if (!slash) return limit;
        *slash = '\0';
    }
}

double machine_memory(void) {
    double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    char line[4096] = "", folder[4096] = "";
    FILE *file = fopen("/proc/self/cgroup", "r");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (!strncmp(line, "0::/", 4))
            snprintf(folder, sizeof folder, "%s", strcmp(line + 3, "/") ? line + 3 : "");
    }
    if (file) fclose(file);
    return cgroup_limit(folder, memory);
}

/* The fastest product counts: others on the machine only slow them down. The first one warms up. */
static int measure(struct backend *backend, struct view matrices, int n, double seconds, double *rate,
                   struct error *err) {
    size_t elements = (size_t)n * (size_t)n;
    struct view a = matrices, b = view_at(a, elements), c = view_at(b, elements);
    double first = 0.0, fastest = 0.0, end = 0.0;
    for (int i = 0; i < 2 || end - first < seconds; i++) {
        double start = clock_seconds();
        backend->matmul(backend, false, true, n, n, n, 1.0f, a, n, b, n, 0.0f, c, n);
        TRY(backend->check(backend, err));
        end = clock_seconds();
        if (i == 0)
            first = end;
        else if (i == 1 || end - start < fastest)
            fastest = end - start;
    }
    *rate = 2.0 * n * n * (double)n / fastest;
    return 0;
}

int machine_matmul_rate(struct backend *backend, double seconds, double *rate, struct error *err) {
    enum { SIDE = 1024 };
    struct buffer *buffer;
    TRY(backend->buffer_create(backend, 3 * sizeof(float) * SIDE * SIDE, &buffer, err));
    int code = measure(backend, (struct view){buffer, 0, DTYPE_F32}, SIDE, seconds, rate, err);
    backend->buffer_destroy(backend, &buffer);
    return code;
}
