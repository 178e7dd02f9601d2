#include "base/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, LINE_BYTES = PATH_BYTES + 64 };

/* The number behind `name` at the beginning of a line; -1 without such a line, or one without a number
 * ("max"). */
static int64_t read_number(const char *path, const char *name) {
    char line[LINE_BYTES];
    int64_t number = -1;
    FILE *file = fopen(path, "r");
    if (!file) return -1;
    while (number < 0 && fgets(line, sizeof line, file)) {
        size_t length = strlen(name);
        if (strncmp(line, name, length)) continue;
        const char *digits = line + length + strspn(line + length, " \t");
        if (*digits >= '0' && *digits <= '9') number = strtoll(digits, NULL, 10);
    }
    fclose(file);
    return number;
}

/* ---- control groups */

static int64_t read_member(const char *folder, const char *member, const char *name) {
    char path[PATH_BYTES + 128];
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/%s", folder, member);
    return read_number(path, name);
}

/* What a group's limit allows in all, and what it leaves; -1: there is no limit. */
static int64_t group_limit(const char *folder) {
    return read_member(folder, "memory.max", "");
}

static int64_t group_free(const char *folder) {
    int64_t limit = group_limit(folder), used = read_member(folder, "memory.current", "");
    if (limit < 0 || used < 0) return -1;
    int64_t idle = read_member(folder, "memory.stat", "inactive_file ");
    int64_t left = limit - used + (idle > 0 ? idle : 0);
    return left > 0 ? left : 0;
}

/* The least of `bytes` and of what the groups on the way from this process's own to the root say. */
static int64_t least(int64_t bytes, int64_t (*ask)(const char *folder)) {
    char line[LINE_BYTES], folder[PATH_BYTES] = "";
    FILE *file = fopen("/proc/self/cgroup", "r");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (!strncmp(line, "0::/", 4) && line[4])
            snprintf(folder, sizeof folder, "%.*s", PATH_BYTES - 1, line + 3);
    }
    if (file) fclose(file);
    for (;;) {
        int64_t said = ask(folder);
        if (said >= 0 && said < bytes) bytes = said;
        char *slash = strrchr(folder, '/');
        if (!slash) return bytes;
        *slash = '\0';
    }
}

int64_t machine_memory(void) {
    return least((int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE), group_limit);
}

int64_t machine_memory_free(void) {
    int64_t kilobytes = read_number("/proc/meminfo", "MemAvailable:");
    return kilobytes < 0 ? 0 : least(kilobytes * 1024, group_free);
}

void machine_cpu(char name[MACHINE_NAME_BYTES]) {
    char line[LINE_BYTES];
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(name, MACHINE_NAME_BYTES, "unknown CPU");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, "model name", strlen("model name"))) continue;
        const char *value = strchr(line, ':');
        if (!value) continue;
        value += 1 + strspn(value + 1, " \t");
        snprintf(name, MACHINE_NAME_BYTES, "%.*s", (int)strcspn(value, "\n"), value);
        break;
    }
    if (file) fclose(file);
}

bool machine_process_lives(long process, unsigned long long *birth) {
    char path[64], line[LINE_BYTES], state = 'X';
    *birth = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", process);
    FILE *file = fopen(path, "r");
    if (!file) return false;
    line[fread(line, 1, sizeof line - 1, file)] = '\0';
    fclose(file);
    const char *rest = strrchr(line, ')'); /* the name, before this, may hold anything */
    if (rest)
        sscanf(rest + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
               &state, birth);
    return rest && state != 'Z' && state != 'X';
}
