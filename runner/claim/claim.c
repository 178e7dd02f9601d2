#include "runner/claim/claim_internal.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "io/archive/archive.h"
#include "io/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct claim {
    struct claim_info self;
    char *path;
    bool beating; /* there is a thread */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stop, lost; /* under the lock */
};

int claim_path(const char *cell_path, char **out, struct error *err) {
    return archive_cell_beside(cell_path, ".claim", out, err);
}

int claim_read(const char *path, bool *found, struct claim_info *out, struct error *err) {
    TRY(claim_file_read(path, found, out, err));
    if (*found) claim_judge(path, out);
    return 0;
}

bool claim_holder(const char *cell_path, struct claim_info *out) {
    char *path;
    bool found;
    if (claim_path(cell_path, &path, NULL)) return false;
    if (claim_read(path, &found, out, NULL)) found = false;
    memory_free(path);
    return found && out->alive;
}

/* ---- taking */

/* Gives the file `name` the further name `path` if nobody has it; *taken tells. Over NFS a link that was made
 * may be reported as refused when an answer was lost: the file's count of names tells the truth. */
static int link_to(const char *name, const char *path, bool *taken, struct error *err) {
    struct stat about;
    *taken = !link(name, path);
    if (*taken) return 0;
    int why = errno;
    *taken = !stat(name, &about) && about.st_nlink == 2;
    if (*taken || why == EEXIST) return 0;
    errno = why;
    return error_set_errno(err, "%s: cannot claim the cell", path);
}

/* With the right to take over in hand: the dead claim gives way unless it is another one by now. */
static int replace(struct claim *claim, const char *name, const struct claim_info *dead, bool *taken,
                   struct error *err) {
    struct claim_info now;
    bool found;
    TRY(claim_file_read(claim->path, &found, &now, err));
    if (!found || strcmp(now.token, dead->token)) return 0;
    if (rename(name, claim->path)) return error_set_errno(err, "%s: cannot take over the cell", claim->path);
    *taken = true;
    return 0;
}

static int take_over(struct claim *claim, const char *name, const struct claim_info *dead, bool *taken,
                     struct error *err) {
    struct text right = {0};
    bool mine = false;
    int code = text_printf(&right, err, "%s.over-%s", claim->path, dead->token);
    /* The right itself may be left by a process that died while it had it. */
    if (!code && file_exists(text_string(&right)) && claim_age(text_string(&right)) > CLAIM_STALE_SECONDS)
        unlink(text_string(&right));
    int file = code ? -1 : open(text_string(&right), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file >= 0) {
        close(file);
        mine = true;
    } else if (!code && errno != EEXIST)
        code = error_set_errno(err, "%s: cannot be made", text_string(&right));
    if (mine) {
        code = replace(claim, name, dead, taken, err);
        unlink(text_string(&right));
    }
    text_free(&right);
    return code;
}

/* *taken with `name` being the claim now; else *holder tells who has it. */
static int contend(struct claim *claim, const char *name, bool *taken, bool *over, struct claim_info *holder,
                   struct error *err) {
    enum { ATTEMPTS = 8 };
    *taken = *over = false;
    for (int i = 0; i < ATTEMPTS && !*taken; i++) {
        bool found;
        TRY(link_to(name, claim->path, taken, err));
        if (*taken) return 0;
        TRY(claim_read(claim->path, &found, holder, err));
        if (!found) continue; /* released meanwhile */
        if (holder->alive) return 0;
        TRY(take_over(claim, name, holder, taken, err));
        *over = *taken;
        if (!*taken) { /* somebody else is at it: whoever wins is alive */
            const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
            nanosleep(&pause, NULL);
        }
    }
    return 0;
}

/* ---- holding */

/* Whether the file still is this claim. On failure to look (a file server that does not answer) it is taken
 * for ours: the next look tells. */
static bool still_ours(const struct claim *claim) {
    struct claim_info now;
    bool found;
    if (claim_file_read(claim->path, &found, &now, NULL)) return true;
    return found && !strcmp(now.token, claim->self.token);
}

static bool beat(struct claim *claim) {
    if (!still_ours(claim)) return false;
    utimensat(AT_FDCWD, claim->path, NULL, 0); /* NULL: the file server's now */
    return true;
}

static void *hold(void *context) {
    struct claim *claim = context;
    pthread_mutex_lock(&claim->lock);
    while (!claim->stop && !claim->lost) {
        double until = clock_seconds() + CLAIM_BEAT_SECONDS;
        while (!claim->stop && thread_wait_until(&claim->changed, &claim->lock, until))
            ;
        if (claim->stop) break;
        pthread_mutex_unlock(&claim->lock);
        bool ours = beat(claim);
        pthread_mutex_lock(&claim->lock);
        claim->lost = !ours;
    }
    pthread_mutex_unlock(&claim->lock);
    return NULL;
}

static int start_heart(struct claim *claim, struct error *err) {
    pthread_mutex_init(&claim->lock, NULL);
    thread_condition_init(&claim->changed);
    int code = thread_start("adapt-claim", hold, claim, &claim->thread, err);
    claim->beating = !code;
    return code;
}

static int take(struct claim *claim, const char *path, bool *taken, bool *over, struct claim_info *holder,
                struct error *err) {
    char *name = NULL;
    TRY(claim_describe_self(&claim->self, err));
    size_t length = strlen(path);
    TRY(memory_alloc(&claim->path, length + 1, 1, err));
    memcpy(claim->path, path, length);
    int code = claim_file_write(path, &claim->self, &name, err);
    if (!code) code = contend(claim, name, taken, over, holder, err);
    if (name) unlink(name); /* after a takeover it bears the claim's name alone */
    memory_free(name);
    if (code || !*taken) return code;
    return start_heart(claim, err);
}

int claim_take(const char *path, struct claim **out, bool *taken_over, struct claim_info *holder,
               struct error *err) {
    bool taken = false, over = false;
    struct claim_info somebody = {0};
    TRY(memory_alloc(out, 1, sizeof **out, err));
    int code = take(*out, path, &taken, &over, &somebody, err);
    if (holder) *holder = somebody;
    if (taken_over) *taken_over = over;
    if (code || !taken) claim_release(out);
    return code;
}

int claim_check(struct claim *claim, struct error *err) {
    pthread_mutex_lock(&claim->lock);
    bool lost = claim->lost;
    pthread_mutex_unlock(&claim->lock);
    if (!lost && still_ours(claim)) return 0;
    return error_set(err, ERROR_IO, "%s: another process has taken the cell over", claim->path);
}

void claim_release(struct claim **out) {
    struct claim *claim = *out;
    if (!claim) return;
    *out = NULL;
    if (claim->beating) {
        pthread_mutex_lock(&claim->lock);
        claim->stop = true;
        pthread_cond_signal(&claim->changed);
        pthread_mutex_unlock(&claim->lock);
        pthread_join(claim->thread, NULL);
        pthread_cond_destroy(&claim->changed);
        pthread_mutex_destroy(&claim->lock);
        if (!claim->lost && still_ours(claim)) unlink(claim->path);
    }
    memory_free(claim->path);
    memory_free(claim);
}
