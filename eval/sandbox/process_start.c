/* Setting up one sandbox: descriptors, the program's text, the command. */
#include "eval/sandbox/process.h"

#include "base/clock.h"
#include "eval/sandbox/filter.h"
#include "base/spawn.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

/* The ends that the child gets; COMMAND_DESCRIPTORS of them, -1 where there is none. */
struct child_ends {
    int ends[COMMAND_DESCRIPTORS];
};

static int make_token(char token[PROCESS_TOKEN_BYTES], struct error *err) {
    unsigned char bytes[PROCESS_TOKEN_BYTES / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return error_set_errno(err, "no random bytes");
    for (size_t i = 0; i < sizeof bytes; i++) {
        token[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        token[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    return 0;
}

/* A socket that keeps messages apart, with the token in it. */
static int open_channel(struct process *process, int *theirs, struct error *err) {
    int pair[2];
    TRY(make_token(process->token, err));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) return error_set_errno(err, "no socket");
    process->channel = spawn_lift(pair[0]);
    *theirs = spawn_lift(pair[1]);
    if (process->channel < 0 || *theirs < 0 ||
        send(process->channel, process->token, sizeof process->token, MSG_NOSIGNAL) < 0)
        return error_set_errno(err, "no socket");
    return 0;
}

static int open_pipe(int *ours, int *theirs, bool we_read, struct error *err) {
    int ends[2];
    if (spawn_pipe(ends)) return error_set_errno(err, "no pipe");
    *ours = ends[we_read ? 0 : 1];
    *theirs = ends[we_read ? 1 : 0];
    if (we_read && fcntl(*ours, F_SETFL, O_NONBLOCK)) return error_set_errno(err, "no pipe");
    return 0;
}

static int open_program(const char *folder, const char *program, int *file, struct error *err) {
    struct text text = {0};
    int code = text_printf(&text, err, "%s\n%s", folder, program);
    if (!code && (*file = spawn_file(text.data, text.length)) < 0)
        code = error_set_errno(err, "no memory for a program");
    text_free(&text);
    return code;
}

/* Without a sandbox a program works in a temporary folder of its own. */
static int make_folder(struct process *process, struct error *err) {
    const char *parent = getenv("TMPDIR");
    struct text name = {0};
    TRY(text_printf(&name, err, "%s/adapt-program-XXXXXX", parent && parent[0] == '/' ? parent : "/tmp"));
    process->folder = name.data;
    if (mkdtemp(process->folder)) return 0;
    int code = error_set_errno(err, "%s: cannot make a temporary folder", process->folder);
    memory_free(process->folder);
    process->folder = NULL;
    return code;
}

static int open_all(struct process *process, const char *program, struct child_ends *child,
                    struct error *err) {
    int *ends = child->ends;
    char folder[300] = "/tmp/program";
    if (process->command->settings.unsafe) {
        TRY(make_folder(process, err));
        if (snprintf(folder, sizeof folder, "%s/program", process->folder) >= (int)sizeof folder)
            return error_set(err, ERROR_INPUT, "%s: the name is too long", process->folder);
    }
    TRY(open_program(folder, program, &ends[COMMAND_PROGRAM], err));
    TRY(open_channel(process, &ends[COMMAND_CHANNEL], err));
    TRY(open_pipe(&process->output, &ends[COMMAND_OUTPUT], true, err));
    if (process->command->settings.unsafe) return 0;
    const struct sock_filter *filter;
    size_t length = filter_program(&filter);
    TRY(open_pipe(&process->info, &ends[COMMAND_INFO], true, err));
    if (length && (ends[COMMAND_FILTER] = spawn_file(filter, length * sizeof *filter)) < 0)
        return error_set_errno(err, "no memory for a filter");
    if (process->command->mapped) TRY(open_pipe(&process->gate, &ends[COMMAND_GATE], false, err));
    return 0;
}

int process_start(struct process *process, const struct command *command, const char *program, uid_t user,
                  struct error *err) {
    struct child_ends child;
    *process = (struct process){.command = command,
                                .stage = PROCESS_STARTING,
                                .user = user,
                                .channel = -1,
                                .output = -1,
                                .info = -1,
                                .gate = -1};
    for (int i = 0; i < COMMAND_DESCRIPTORS; i++) child.ends[i] = -1;
    int code = open_all(process, program, &child, err);
    if (!code) {
        int given[COMMAND_DESCRIPTORS];
        memcpy(given, child.ends, sizeof given);
        given[COMMAND_ERRORS] = given[COMMAND_OUTPUT];
        code = spawn_start(command->arguments[0], command->arguments, command->environment, given,
                           command->settings.unsafe ? COMMAND_CHANNEL + 1 : COMMAND_DESCRIPTORS,
                           &process->child, err);
    }
    for (int i = 0; i < COMMAND_DESCRIPTORS; i++) spawn_close(&child.ends[i]);
    if (code) {
        process_release(process);
        return code;
    }
    process->since = clock_seconds();
    return 0;
}
