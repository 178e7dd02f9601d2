#include "eval/sandbox/command.h"

#include "eval/sandbox/filter.h"
#include "eval/sandbox/python.h"
#include "eval/sandbox/rights.h"
#include "eval/sandbox/settings.h"
#include "base/spawn.h"
#include "eval/sandbox/wrapper.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    HELP_SECONDS = 10,
    FILES_SHARE = 16,    /* files may hold this part of the memory */
    TASKS_A_PROCESS = 8, /* the kernel's limit counts threads as well */
};

/* A list of strings on its way to becoming an array. */
struct list {
    struct arena *arena;
    char **items;
    size_t count, room;
};

static int add(struct list *list, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int add(struct list *list, struct error *err, const char *format, ...) {
    char *copy = NULL;
    va_list values;
    va_start(values, format);
    int length = vasprintf(&copy, format, values);
    va_end(values);
    if (length < 0) return error_set(err, ERROR_MEMORY, "out of memory for a command line");
    int code = memory_reserve(&list->items, &list->room, list->count + 1, sizeof *list->items, err);
    if (!code) code = arena_copy(list->arena, copy, (size_t)length, &list->items[list->count], err);
    if (!code) list->count++;
    free(copy);
    return code;
}

static int add_all(struct list *list, const char *const *items, struct error *err) {
    for (; *items; items++) TRY(add(list, err, "%s", *items));
    return 0;
}

static int list_finish(struct list *list, char ***out, struct error *err) {
    TRY(arena_alloc(list->arena, out, list->count + 1, sizeof **out, err));
    if (list->count) memcpy(*out, list->items, list->count * sizeof **out);
    return 0;
}

/* Every folder above `path` is made before it is mounted: bwrap would give those of a private home folder its
 * rights. */
static int add_bind(struct list *list, const char *path, struct error *err) {
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        TRY(add(list, err, "--dir"));
        TRY(add(list, err, "%.*s", (int)(slash - path), path));
    }
    TRY(add(list, err, "--ro-bind"));
    TRY(add(list, err, "%s", path));
    return add(list, err, "%s", path);
}

static bool is_within(const char *path, const struct python_list *folders) {
    for (size_t i = 0; i < folders->count; i++) {
        size_t length = strlen(folders->names[i]);
        if (!strncmp(path, folders->names[i], length) && path[length] == '/') return true;
    }
    return false;
}

static int add_python(struct list *list, const struct python *python, struct error *err) {
    static const char *const system[] = {"--ro-bind-try", "/lib",   "/lib", "--ro-bind-try",
                                         "/lib64",        "/lib64", NULL};
    static const char *const extra[] = {"/etc/ld.so.cache", "/etc/alternatives", "/usr/share/zoneinfo"};
    TRY(add_all(list, system, err));
    for (size_t i = 0; i < python->folders.count; i++)
        if (!is_within(python->folders.names[i], &python->folders))
            TRY(add_bind(list, python->folders.names[i], err));
    if (!is_within(python->executable, &python->folders)) TRY(add_bind(list, python->executable, err));
    for (size_t i = 0; i < sizeof extra / sizeof *extra; i++) {
        if (access(extra[i], R_OK) == 0 && !is_within(extra[i], &python->folders))
            TRY(add_bind(list, extra[i], err));
    }
    return 0;
}

/* A small file system that can be written. */
static int add_files(struct list *list, const char *path, bool sized, int64_t bytes, struct error *err) {
    if (sized) {
        TRY(add(list, err, "--size"));
        TRY(add(list, err, "%lld", (long long)bytes));
    }
    TRY(add(list, err, "--tmpfs"));
    return add(list, err, "%s", path);
}

/* What this bwrap can do. Before 0.7 it cannot limit a tmpfs: then only watch.h limits what files hold. From
 * 0.8 on it can forbid user namespaces within to all there is in a sandbox, its own process 1 included, which
 * is out of the filter's reach and, where not `mapped`, within a program's. */
struct abilities {
    bool size, disable_userns;
};

static int ask_abilities(const char *bwrap, struct abilities *out, struct error *err) {
    struct text help = {0};
    int status;
    char *argv[] = {(char[]){"bwrap"}, (char[]){"--help"}, NULL};
    int code = spawn_capture(bwrap, argv, environ, HELP_SECONDS, &help, &status, err);
    out->size = strstr(text_string(&help), "--size ") != NULL;
    out->disable_userns = strstr(text_string(&help), "--disable-userns ") != NULL;
    text_free(&help);
    return code;
}

static int add_bwrap(struct list *list, const char *bwrap, const struct python *python,
                     const struct command *command, struct error *err) {
    /* With --die-with-parent all ends with the thread that started it, also by SIGKILL. But for a gap in
     * bubblewrap: if that comes in the few milliseconds before bwrap lets its process 1 go on, this waits for
     * ever, holding nothing and running nothing. */
    static const char *const isolation[] = {"--unshare-all",
                                            "--unshare-user",
                                            "--die-with-parent",
                                            "--new-session",
                                            "--hostname",
                                            "sandbox",
                                            "--chdir",
                                            "/",
                                            "--cap-drop",
                                            "ALL",
                                            NULL};
    static const char *const mapped[] = {"--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", NULL};
    static const char *const special[] = {"--proc", "/proc", "--dev", "/dev", NULL};
    static const char *const locked[] = {"--remount-ro", "/dev", "--remount-ro", "/", NULL};
    const struct sock_filter *filter;
    struct abilities can;
    TRY(ask_abilities(bwrap, &can, err));
    TRY(add(list, err, "%s", bwrap));
    TRY(add_all(list, isolation, err));
    TRY(add(list, err, "--info-fd"));
    TRY(add(list, err, "%d", COMMAND_INFO));
    if (filter_program(&filter)) {
        TRY(add(list, err, "--seccomp"));
        TRY(add(list, err, "%d", COMMAND_FILTER));
    }
    if (command->mapped) {
        TRY(add_all(list, mapped, err));
        TRY(add(list, err, "--userns-block-fd"));
        TRY(add(list, err, "%d", COMMAND_GATE));
    } else if (can.disable_userns) { /* which bwrap refuses to combine */
        TRY(add(list, err, "--disable-userns"));
    }
    TRY(add_python(list, python, err));
    TRY(add_all(list, special, err));
    TRY(add_files(list, "/dev/shm", can.size, command->file_bytes, err));
    TRY(add_files(list, "/tmp", can.size, command->file_bytes, err));
    return add_all(list, locked, err);
}

static int add_wrapper(struct list *list, const struct python *python, const struct command *command,
                       struct error *err) {
    static const char *const options[] = {"-s", "-S", "-B", "-c", sandbox_wrapper, NULL};
    const struct sandbox_settings *settings = &command->settings;
    bool counted = !settings->unsafe && (command->mapped || rights_counts_by_namespace());
    TRY(add(list, err, "%s", python->executable));
    TRY(add_all(list, options, err));
    TRY(add(list, err, "%.17g", settings->wall_seconds));
    /* One second more than asked for: a program meets its alarm first, and may catch that. */
    TRY(add(list, err, "%lld", (long long)ceil(settings->cpu_seconds) + 1));
    TRY(add(list, err, "%lld", (long long)settings->memory_bytes));
    TRY(add(list, err, "%lld", (long long)command->file_bytes));
    TRY(add(list, err, "%d", counted ? settings->processes * TASKS_A_PROCESS : 0));
    TRY(add(list, err, "%d", command->mapped ? COMMAND_USER : 0));
    for (size_t i = 0; i < python->path.count; i++) TRY(add(list, err, "%s", python->path.names[i]));
    return 0;
}

static int add_environment(struct list *list, struct error *err) {
    /* A fixed seed: the order of a set of strings, and with it a verdict, does not change from run to run. */
    static const char *const fixed[] = {
        "PATH=/usr/bin:/bin", "HOME=/tmp",         "TMPDIR=/tmp", "LANG=C.UTF-8",
        "PYTHONHASHSEED=0",   "OMP_NUM_THREADS=1", NULL};
    static const char *const kept[] = {"LD_LIBRARY_PATH",
                                       "PYTHONHOME"}; /* where a cluster's Python needs them */
    TRY(add_all(list, fixed, err));
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        const char *value = getenv(kept[i]);
        if (value) TRY(add(list, err, "%s=%s", kept[i], value));
    }
    return 0;
}

static int build(struct command *out, const char *bwrap, const struct python *python, struct error *err) {
    struct list arguments = {.arena = out->arena}, environment = {.arena = out->arena};
    int code = bwrap ? add_bwrap(&arguments, bwrap, python, out, err) : 0;
    if (!code) code = add_wrapper(&arguments, python, out, err);
    if (!code) code = list_finish(&arguments, &out->arguments, err);
    if (!code) code = add_environment(&environment, err);
    if (!code) code = list_finish(&environment, &out->environment, err);
    memory_free(arguments.items);
    memory_free(environment.items);
    return code;
}

int command_build(const struct sandbox_settings *settings, struct command *out, struct error *err) {
    *out = (struct command){0};
    TRY(sandbox_settings_resolve(settings, &out->settings, err));
    TRY(arena_create(&out->arena, err));
    bool unsafe = out->settings.unsafe;
    out->file_bytes = out->settings.memory_bytes / FILES_SHARE;
    out->mapped = !unsafe && rights_is_root();
    char *bwrap = NULL;
    struct python python = {0};
    int code = unsafe ? 0 : spawn_find("bwrap", &bwrap, err);
    if (!code && !unsafe && !bwrap)
        code = error_set(
            err, ERROR_INPUT,
            "no bwrap in PATH: programs that a model writes run only inside bubblewrap (Debian, Ubuntu: "
            "apt-get install bubblewrap)");
    if (!code) code = python_find(&python, err);
    if (!code) code = build(out, bwrap, &python, err);
    python_free(&python);
    memory_free(bwrap);
    return code;
}

void command_free(struct command *command) {
    arena_destroy(&command->arena);
    *command = (struct command){0};
}
