/* Whether a claim's holder lives: by its process where that can be seen, else by the age of its last beat. */
#include "runner/claim/claim_internal.h"

#include "base/clock.h"
#include "base/machine.h"
#include "base/text.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const double FUTURE_SECONDS = 60.0; /* beyond any rounding of a file server's times */

static double modified(const struct stat *about) {
    return (double)about->st_mtim.tv_sec + 1e-9 * (double)about->st_mtim.tv_nsec;
}

/* What the file server takes for now: the time of a file freshly written beside the claim. */
static double server_now(const char *path) {
    struct claim_info self;
    struct text name = {0};
    struct stat about;
    double now = clock_epoch();
    if (!claim_describe_self(&self, NULL) && !text_printf(&name, NULL, "%s.now-%s", path, self.token)) {
        int file = open(text_string(&name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file >= 0) {
            if (write(file, "\n", 1) == 1 && !fsync(file) && !fstat(file, &about)) now = modified(&about);
            close(file);
            unlink(text_string(&name));
        }
    }
    text_free(&name);
    return now;
}

double claim_age(const char *path) {
    struct stat about;
    /* Opening makes an NFS client ask the server again. */
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0.0;
    int seen = fstat(file, &about);
    close(file);
    if (seen) return 0.0;
    double age = server_now(path) - modified(&about);
    if (age < -FUTURE_SECONDS) utimensat(AT_FDCWD, path, NULL, 0);
    return age > 0.0 ? age : 0.0;
}

void claim_judge(const char *path, struct claim_info *info) {
    struct claim_info self;
    unsigned long long birth;
    info->heartbeat = claim_age(path);
    info->alive = info->token[0] && info->heartbeat <= CLAIM_STALE_SECONDS;
    if (!info->alive || claim_describe_self(&self, NULL)) return;
    if (info->job[0] && !strcmp(info->job, self.job) && info->restart < self.restart) info->alive = false;
    if (info->alive && self.machine[0] && !strcmp(self.machine, info->machine))
        info->alive = machine_process_lives(info->process, &birth) && birth == info->birth;
}
