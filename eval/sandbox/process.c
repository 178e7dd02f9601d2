#include "eval/sandbox/process.h"

#include "base/clock.h"
#include "base/spawn.h"
#include "eval/sandbox/verdict.h"
#include "eval/sandbox/watch.h"
#include "eval/sandbox/wrapper.h"
#include "io/file.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 1100, MESSAGES_A_STEP = 64, BLOCKS_A_STEP = 16, WAITED_SHARE = 19 };

static const double start_seconds = 60;    /* Python on a cold network file system */
static const double grace_seconds = 1;     /* from the exception to the kill, as in the reference */
static const double look_seconds = 0.02;   /* between looks at the usage */
static const double patience_seconds = 10; /* until a bwrap that does not end is killed itself */

/* The end of process 1 is the end of all in its namespace, and bwrap reaps it. As long as bwrap has not told
 * which that is, nothing is killed: process 1 would wait for its orders for ever. */
static void kill_all(struct process *process) {
    if (process->first > 0)
        kill(process->first, SIGKILL);
    else if (process->child > 0 && process->info < 0)
        kill(-process->child, SIGKILL);
}

static void enter(struct process *process, enum process_stage stage) {
    process->stage = stage;
    process->since = clock_seconds();
}

static void conclude(struct process *process, enum sandbox_outcome outcome) {
    process->verdict.outcome = outcome;
    process->verdict.seconds = clock_seconds() - process->started;
    enter(process, PROCESS_ENDING);
    kill_all(process);
}

static void conclude_with(struct process *process, enum sandbox_outcome outcome, const char *format,
                          double value) {
    char message[128];
    snprintf(message, sizeof message, format, value);
    verdict_say(&process->verdict, message, strlen(message));
    conclude(process, outcome);
}

static void give_up(struct process *process, const char *reason) {
    process->broken = true;
    verdict_say_last_line(&process->verdict, process->tail, process->tail_length);
    if (!process->verdict.message[0]) verdict_say(&process->verdict, reason, strlen(reason));
    enter(process, PROCESS_ENDING);
    kill_all(process);
}

static bool write_map(pid_t process, const char *kind, uid_t user) {
    char path[64], map[64];
    snprintf(path, sizeof path, "/proc/%d/%s", process, kind);
    int length = snprintf(map, sizeof map, "0 0 1\n%d %u 1\n", COMMAND_USER, (unsigned)user);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    bool written = file >= 0 && write(file, map, (size_t)length) == length;
    if (file >= 0) close(file);
    return written;
}

static void read_information(struct process *process) {
    if (process->info < 0) return;
    size_t room = PROCESS_INFO_BYTES - 1 - process->information_length;
    ssize_t got = read(process->info, process->information + process->information_length, room);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got > 0) process->information_length += (size_t)got;
    bool whole = strchr(process->information, '}') != NULL;
    if (got > 0 && !whole) return;
    spawn_close(&process->info);
    const char *key = strstr(process->information, "\"child-pid\":");
    if (key) process->first = (pid_t)strtol(key + strlen("\"child-pid\":"), NULL, 10);
    if (process->stage == PROCESS_ENDING) kill_all(process);
    if (process->gate < 0 || !process->first) return;
    if (write_map(process->first, "uid_map", process->user) &&
        write_map(process->first, "gid_map", process->user) && write(process->gate, "g", 1) == 1)
        spawn_close(&process->gate);
    else
        give_up(process, "the user ids of a sandbox cannot be mapped");
}

static bool is_proof(const struct process *process, const char *bytes, size_t length) {
    if (length != PROCESS_TOKEN_BYTES) return false;
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != process->token[length - 1 - i]) return false;
    return true;
}

static void take_message(struct process *process, const char *message, size_t length) {
    if (process->stage == PROCESS_STARTING && message[0] == SANDBOX_MESSAGE_STARTED) {
        enter(process, PROCESS_RUNNING);
        process->started = process->looked = process->since;
        process->waited = watch_waited(process->first, process->child);
        return;
    }
    if (process->stage != PROCESS_RUNNING) return;
    switch (message[0]) {
    case SANDBOX_MESSAGE_PASSED:
        if (is_proof(process, message + 1, length - 1)) conclude(process, SANDBOX_PASSED);
        break;
    case SANDBOX_MESSAGE_FAILED:
    case SANDBOX_MESSAGE_LIMIT:
        verdict_say(&process->verdict, message + 1, length - 1);
        conclude(process, message[0] == SANDBOX_MESSAGE_FAILED ? SANDBOX_FAILED : SANDBOX_LIMIT);
        break;
    case SANDBOX_MESSAGE_TIMEOUT:
        conclude_with(process, SANDBOX_TIMEOUT, "no end within %g s",
                      process->command->settings.wall_seconds);
        break;
    default: break;
    }
}

static void read_messages(struct process *process) {
    char message[MESSAGE_BYTES];
    for (int i = 0; i < MESSAGES_A_STEP && process->channel >= 0; i++) {
        ssize_t got = recv(process->channel, message, sizeof message, MSG_DONTWAIT);
        if (got > 0) {
            process->written += got;
            take_message(process, message, (size_t)got);
        } else if (got == 0) {
            spawn_close(&process->channel);
        } else if (errno == EAGAIN) {
            return;
        } /* ECONNRESET is told once when the other end closes with the token unread; messages may be behind
             it */
    }
}

static void keep_tail(struct process *process, const char *bytes, size_t length) {
    if (length > PROCESS_TAIL_BYTES) {
        bytes += length - PROCESS_TAIL_BYTES;
        length = PROCESS_TAIL_BYTES;
    }
    size_t kept = process->tail_length;
    if (kept + length > PROCESS_TAIL_BYTES) {
        size_t dropped = kept + length - PROCESS_TAIL_BYTES;
        kept -= dropped;
        memmove(process->tail, process->tail + dropped, kept);
    }
    memcpy(process->tail + kept, bytes, length);
    process->tail_length = kept + length;
}

static void read_output(struct process *process) {
    char block[4096];
    for (int i = 0; i < BLOCKS_A_STEP && process->output >= 0; i++) {
        ssize_t got = read(process->output, block, sizeof block);
        if (got > 0) {
            process->written += got;
            keep_tail(process, block, (size_t)got);
        } else if (got == 0) {
            spawn_close(&process->output);
        } else if (errno == EAGAIN) {
            break;
        }
    }
    int64_t most = process->command->settings.output_bytes;
    if (process->stage == PROCESS_RUNNING && process->written > most)
        conclude_with(process, SANDBOX_LIMIT, "more than %.0f bytes of output", (double)most);
}

static void check_time(struct process *process, double now) {
    double most = process->command->settings.wall_seconds, past = now - process->since;
    if (process->stage == PROCESS_STARTING && past > start_seconds)
        give_up(process, "no sandbox within a minute");
    if (process->stage != PROCESS_RUNNING || past <= most + grace_seconds) return;
    double waited = watch_waited(process->first, process->child) - process->waited;
    if (waited > WAITED_SHARE * most) waited = WAITED_SHARE * most;
    if (past > most + grace_seconds + waited)
        conclude_with(process, SANDBOX_TIMEOUT, "killed after %.1f s", past);
}

static void check_usage(struct process *process, double now) {
    const struct sandbox_settings *settings = &process->command->settings;
    struct watch_usage usage;
    if (process->stage != PROCESS_RUNNING || !process->first || now - process->looked < look_seconds) return;
    process->looked = now;
    if (!watch_usage(process->first, &usage)) return;
    if (usage.processes > settings->processes)
        conclude_with(process, SANDBOX_LIMIT, "more than %.0f processes", settings->processes);
    else if (usage.memory_bytes > settings->memory_bytes)
        conclude_with(process, SANDBOX_LIMIT, "more than %.0f bytes of memory",
                      (double)settings->memory_bytes);
    else if (usage.file_bytes > process->command->file_bytes)
        conclude_with(process, SANDBOX_LIMIT, "more than %.0f bytes in files",
                      (double)process->command->file_bytes);
}

/* Whether everything is gone. *status: how the child ended, once it has. */
static bool reap(struct process *process, int *status) {
    if (process->child > 0) {
        siginfo_t ended = {0};
        if (waitid(P_PID, (id_t)process->child, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            ended.si_pid == 0) {
            if (process->stage == PROCESS_ENDING && clock_seconds() - process->since > patience_seconds)
                kill(-process->child, SIGKILL);
            return false;
        }
        if (process->command->settings.unsafe)
            kill(-process->child, SIGKILL); /* children that it left behind */
        if (waitpid(process->child, status, 0) != process->child) *status = -1; /* SIGCHLD is ignored here */
        process->child = 0;
    }
    /* bwrap may end before process 1 does, which then is ours if we are what orphans go to. */
    if (process->first > 0 && waitpid(process->first, NULL, WNOHANG) == 0) return false;
    process->first = 0;
    return true;
}

void process_descriptors(const struct process *process, struct pollfd polled[PROCESS_POLLED]) {
    bool held = process->stage != PROCESS_IDLE;
    polled[0] = (struct pollfd){.fd = held ? process->channel : -1, .events = POLLIN};
    polled[1] = (struct pollfd){.fd = held ? process->output : -1, .events = POLLIN};
    polled[2] = (struct pollfd){.fd = held ? process->info : -1, .events = POLLIN};
}

void process_step(struct process *process) {
    if (process->stage == PROCESS_IDLE || process->stage == PROCESS_GONE) return;
    double now = clock_seconds();
    int status = -1;
    read_information(process);
    read_messages(process);
    read_output(process);
    check_time(process, now);
    check_usage(process, now);
    bool had_child = process->child > 0;
    bool gone = reap(process, &status);
    if (had_child && process->child == 0) { /* what it said last */
        read_messages(process);
        read_output(process);
        if (process->stage == PROCESS_RUNNING) {
            verdict_of_status(&process->verdict, status, process->tail, process->tail_length);
            conclude(process, process->verdict.outcome);
        } else if (process->stage == PROCESS_STARTING) {
            give_up(process, "it ended before the program began");
        }
    }
    if (gone) enter(process, PROCESS_GONE);
}

void process_kill(struct process *process) {
    if (process->stage != PROCESS_STARTING && process->stage != PROCESS_RUNNING) return;
    enter(process, PROCESS_ENDING);
    kill_all(process);
}

void process_stop(struct process *process) {
    process_kill(process);
    while (process->stage == PROCESS_ENDING) {
        poll(NULL, 0, 1);
        process_step(process);
    }
}

void process_release(struct process *process) {
    if (process->stage == PROCESS_IDLE) return;
    spawn_close(&process->channel);
    spawn_close(&process->output);
    spawn_close(&process->info);
    spawn_close(&process->gate);
    if (process->folder) file_remove_tree(process->folder, NULL);
    memory_free(process->folder);
    process->folder = NULL;
    process->stage = PROCESS_IDLE;
}
