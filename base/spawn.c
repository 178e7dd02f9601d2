#include "base/spawn.h"

#include "base/clock.h"
#include "base/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIFTED = 16, CAPTURE_LIMIT = 1 << 20 };

int spawn_lift(int descriptor) {
    if (descriptor < 0 || descriptor >= LIFTED) return descriptor;
    int lifted = fcntl(descriptor, F_DUPFD_CLOEXEC, LIFTED);
    int reason = errno;
    close(descriptor);
    errno = reason;
    return lifted;
}

int spawn_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC)) return ends[0] = ends[1] = -1;
    ends[0] = spawn_lift(ends[0]);
    ends[1] = spawn_lift(ends[1]);
    if (ends[0] >= 0 && ends[1] >= 0) return 0;
    int reason = errno;
    spawn_close(&ends[0]);
    spawn_close(&ends[1]);
    errno = reason;
    return -1;
}

int spawn_file(const void *bytes, size_t length) {
    int file = spawn_lift(memfd_create("adapt", MFD_CLOEXEC));
    for (size_t done = 0; file >= 0 && done < length;) {
        ssize_t wrote = pwrite(file, (const char *)bytes + done, length - done, (off_t)done);
        if (wrote > 0) {
            done += (size_t)wrote;
        } else if (errno != EINTR) {
            int reason = errno;
            spawn_close(&file);
            errno = reason;
        }
    }
    return file;
}

void spawn_close(int *descriptor) {
    if (*descriptor >= 0) close(*descriptor);
    *descriptor = -1;
}

int spawn_find(const char *name, char **path, struct error *err) {
    *path = NULL;
    const char *folders = getenv("PATH");
    if (!folders) folders = "/usr/local/bin:/usr/bin:/bin";
    size_t room = strlen(folders) + strlen(name) + 3;
    char *candidate;
    TRY(memory_alloc(&candidate, room, 1, err));
    for (const char *folder = folders;; folder++) {
        size_t length = strcspn(folder, ":");
        snprintf(candidate, room, "%.*s/%s", (int)length, folder, name);
        if (folder[0] == '/' &&
            access(candidate, X_OK) == 0) { /* what is relative to here is nobody's intention */
            *path = candidate;
            return 0;
        }
        folder += length;
        if (!*folder) break;
    }
    memory_free(candidate);
    return 0;
}

static int add_descriptors(posix_spawn_file_actions_t *actions, const int *descriptors, int count) {
    for (int i = 0; i < count; i++) {
        int code = descriptors[i] < 0 ? posix_spawn_file_actions_addopen(actions, i, "/dev/null", O_RDWR, 0)
                                      : posix_spawn_file_actions_adddup2(actions, descriptors[i], i);
        if (code) return code;
    }
    /* Libraries open files without close-on-exec (HDF5 does). Older C libraries cannot help: there the
     * wrapper closes what reached it, before it runs a program. */
#if defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
    return posix_spawn_file_actions_addclosefrom_np(actions, count);
#endif
#endif
    return 0;
}

int spawn_start(const char *path, char *const *argv, char *const *envp, const int *descriptors, int count,
                pid_t *child, struct error *err) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int code = posix_spawn_file_actions_init(&actions);
    if (code) return error_set(err, ERROR_MEMORY, "cannot start %s: %s", path, strerror(code));
    code = posix_spawnattr_init(&attributes);
    if (code) {
        posix_spawn_file_actions_destroy(&actions);
        return error_set(err, ERROR_MEMORY, "cannot start %s: %s", path, strerror(code));
    }
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    code = add_descriptors(&actions, descriptors, count);
    if (!code) code = posix_spawnattr_setsigmask(&attributes, &none);
    if (!code) code = posix_spawnattr_setsigdefault(&attributes, &all);
    if (!code)
        code = posix_spawnattr_setflags(&attributes,
                                        POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (!code) code = posix_spawn(child, path, &actions, &attributes, argv, envp);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code ? error_set(err, ERROR_IO, "cannot start %s: %s", path, strerror(code)) : 0;
}

/* Reads until the end, the limit or the deadline. */
static int collect(int from, double deadline, struct text *output, struct error *err) {
    char block[4096];
    while (output->length < CAPTURE_LIMIT) {
        double left = deadline - clock_seconds();
        struct pollfd ready = {.fd = from, .events = POLLIN};
        if (left <= 0 || poll(&ready, 1, (int)(left * 1e3) + 1) == 0) return 0;
        ssize_t got = read(from, block, sizeof block);
        if (got == 0) return 0;
        if (got > 0) TRY(text_append(output, block, (size_t)got, err));
    }
    return 0;
}

int spawn_capture(const char *path, char *const *argv, char *const *envp, double seconds, struct text *output,
                  int *status, struct error *err) {
    int ends[2];
    pid_t child;
    double deadline = clock_seconds() + seconds;
    *status = -1;
    if (spawn_pipe(ends)) return error_set_errno(err, "cannot start %s", path);
    int code = spawn_start(path, argv, envp, (int[]){-1, ends[1], ends[1]}, 3, &child, err);
    spawn_close(&ends[1]);
    if (!code) {
        code = collect(ends[0], deadline, output, err);
        int how = 0;
        pid_t gone;
        while ((gone = waitpid(child, &how, WNOHANG)) == 0 && clock_seconds() < deadline) poll(NULL, 0, 1);
        if (gone == 0) {
            kill(-child, SIGKILL);
            gone = waitpid(child, &how, 0);
        }
        if (gone != child) how = 0; /* the process ignores its children, or another library reaped this one */
        if (WIFEXITED(how)) *status = WEXITSTATUS(how);
    }
    spawn_close(&ends[0]);
    return code;
}
