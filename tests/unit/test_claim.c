/* Claims: one holder at a time, dead ones taken over, by whatever clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "io/file.h"
#include "runner/claim/claim.h"
#include "tests/support/demo_experiment.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct place {
    char folder[256], path[512];
};

static int setup(void **state) {
    static struct place place; /* of the test at hand */
    if (demo_folder(place.folder, NULL)) return -1;
    snprintf(place.path, sizeof place.path, "%s/cell.claim", place.folder);
    *state = &place;
    return 0;
}

static int teardown(void **state) {
    struct place *place = *state;
    return file_remove_tree(place->folder, NULL);
}

static size_t files_in(const char *folder) {
    char **names;
    size_t count;
    assert_int_equal(file_list(folder, "", &names, &count, NULL), 0);
    file_free_list(names, count);
    return count;
}

static void write_claim(const char *path, const char *machine, long process) {
    char text[512];
    int length = snprintf(
        text, sizeof text,
        "{\"host\": \"far\", \"job\": \"9_1\", \"process\": %ld, \"started\": 12.5, \"machine\": \"%s\", "
        "\"birth\": \"77\", \"token\": \"a1b2\"}",
        process, machine);
    assert_int_equal(file_write(path, text, (size_t)length, NULL), 0);
}

/* Moves the time of the last beat, as another clock would have. */
static void set_age(const char *path, double seconds) {
    double then = clock_epoch() - seconds;
    struct timespec times[2] = {{.tv_sec = (time_t)then}, {.tv_sec = (time_t)then}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void test_take_and_release(void **state) {
    struct place *place = *state;
    struct claim *claim, *second;
    struct claim_info info;
    struct error err = {0};
    bool found, over;
    assert_int_equal(claim_read(place->path, &found, &info, &err), 0);
    assert_false(found);
    setenv("SLURM_JOB_ID", "12", 1);
    setenv("SLURM_ARRAY_JOB_ID", "10", 1);
    setenv("SLURM_ARRAY_TASK_ID", "2", 1);
    assert_int_equal(claim_take(place->path, &claim, &over, NULL, &err), 0);
    assert_non_null(claim);
    assert_false(over);
    assert_int_equal(claim_check(claim, &err), 0);
    assert_int_equal(claim_read(place->path, &found, &info, &err), 0);
    assert_true(found && info.alive && info.process == getpid() && info.heartbeat < 60.0);
    assert_string_equal(info.job, "10_2");
    assert_true(info.host[0]);
    assert_int_equal(claim_take(place->path, &second, &over, &info, &err), 0);
    assert_null(second);
    assert_int_equal(info.process, getpid());
    assert_int_equal(files_in(place->folder), 1);
    claim_release(&claim);
    assert_int_equal(files_in(place->folder), 0);
}

/* Slurm ends a job before it starts it again: the claim of the earlier start is dead at once, another job's
 * is not. */
static void test_requeued(void **state) {
    struct place *place = *state;
    struct claim *claim, *second;
    struct claim_info info;
    struct error err = {0};
    bool over, found;
    setenv("SLURM_JOB_ID", "12", 1);
    setenv("SLURM_ARRAY_JOB_ID", "10", 1);
    setenv("SLURM_ARRAY_TASK_ID", "2", 1);
    setenv("SLURM_RESTART_COUNT", "1", 1);
    assert_int_equal(claim_take(place->path, &claim, &over, NULL, &err), 0);
    assert_non_null(claim);
    setenv("SLURM_ARRAY_TASK_ID", "3", 1);
    setenv("SLURM_RESTART_COUNT", "2", 1);
    assert_int_equal(claim_read(place->path, &found, &info, &err), 0);
    assert_true(found && info.alive && info.restart == 1);
    setenv("SLURM_ARRAY_TASK_ID", "2", 1);
    assert_int_equal(claim_take(place->path, &second, &over, &info, &err), 0);
    assert_non_null(second);
    assert_true(over);
    assert_int_not_equal(claim_check(claim, &err), 0);
    claim_release(&claim);
    assert_int_equal(claim_check(second, &err), 0);
    claim_release(&second);
    unsetenv("SLURM_RESTART_COUNT");
}

static void test_ages(void **state) {
    struct place *place = *state;
    struct claim *claim;
    struct claim_info info;
    struct error err = {0};
    struct stat about;
    bool found, over;
    write_claim(place->path, "elsewhere", 1);
    assert_int_equal(claim_read(place->path, &found, &info, &err), 0);
    assert_true(info.alive);
    assert_string_equal(info.host, "far");
    set_age(place->path, CLAIM_STALE_SECONDS - 30);
    assert_int_equal(claim_take(place->path, &claim, &over, NULL, &err), 0);
    assert_null(claim);
    set_age(place->path, -86400); /* from the future: alive, and brought to the present */
    assert_int_equal(claim_take(place->path, &claim, &over, NULL, &err), 0);
    assert_null(claim);
    assert_int_equal(stat(place->path, &about), 0);
    assert_true(clock_epoch() - (double)about.st_mtime < 60.0 &&
                (double)about.st_mtime < clock_epoch() + 1.0);
    set_age(place->path, CLAIM_STALE_SECONDS + 30);
    assert_int_equal(claim_take(place->path, &claim, &over, &info, &err), 0);
    assert_non_null(claim);
    assert_true(over);
    assert_int_equal(info.process, 1);
    claim_release(&claim);
    assert_int_equal(files_in(place->folder), 0);
    assert_int_equal(file_write(place->path, "no claim", 8, &err), 0); /* of nobody */
    assert_int_equal(claim_take(place->path, &claim, &over, NULL, &err), 0);
    assert_non_null(claim);
    claim_release(&claim);
}

/* A right to take over that was left by a process that died with it. */
static void test_right_left_behind(void **state) {
    struct place *place = *state;
    struct claim *claim;
    struct error err = {0};
    char right[1024];
    write_claim(place->path, "elsewhere", 1);
    set_age(place->path, CLAIM_STALE_SECONDS + 30);
    snprintf(right, sizeof right, "%s.over-a1b2", place->path);
    assert_int_equal(file_write(right, "", 0, &err), 0);
    assert_int_equal(claim_take(place->path, &claim, NULL, NULL, &err), 0);
    assert_null(claim); /* somebody is at it */
    set_age(right, CLAIM_STALE_SECONDS + 30);
    assert_int_equal(claim_take(place->path, &claim, NULL, NULL, &err), 0);
    assert_non_null(claim);
    claim_release(&claim);
    assert_int_equal(files_in(place->folder), 0);
}

static void test_dead_process(void **state) {
    struct place *place = *state;
    struct claim *claim;
    struct claim_info info;
    struct error err = {0};
    bool found, over;
    pid_t child = fork();
    if (!child) {
        _exit(claim_take(place->path, &claim, NULL, NULL, NULL) || !claim);
    }
    int status;
    siginfo_t ended;
    assert_int_equal(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT), 0); /* a zombie is dead */
    assert_int_equal(claim_read(place->path, &found, &info, &err), 0);
    assert_true(found && !info.alive && info.process == child);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    set_age(place->path, -3600); /* its age does not matter */
    assert_int_equal(claim_take(place->path, &claim, &over, &info, &err), 0);
    assert_non_null(claim);
    assert_true(over);
    claim_release(&claim);
}

static void test_lost(void **state) {
    struct place *place = *state;
    struct claim *claim;
    struct error err = {0};
    assert_int_equal(claim_take(place->path, &claim, NULL, NULL, &err), 0);
    write_claim(place->path, "elsewhere", 1);
    assert_int_equal(claim_check(claim, &err), ERROR_IO);
    claim_release(&claim);
    assert_true(file_exists(place->path)); /* the other's */
}

struct race {
    const char *path;
    atomic_int holders, most, taken;
};

static void *take_often(void *context) {
    struct race *race = context;
    for (int i = 0; i < 60; i++) {
        struct claim *claim;
        if (claim_take(race->path, &claim, NULL, NULL, NULL) || !claim) continue;
        int holders = atomic_fetch_add(&race->holders, 1) + 1;
        if (holders > race->most) race->most = holders;
        race->taken++;
        usleep(200);
        atomic_fetch_sub(&race->holders, 1);
        claim_release(&claim);
    }
    return NULL;
}

static void test_race(void **state) {
    struct place *place = *state;
    pthread_t threads[4];
    struct race race = {.path = place->path};
    for (int round = 0; round < 4; round++) {
        if (round % 2) { /* a dead one is in the way of all */
            write_claim(place->path, "elsewhere", 1);
            set_age(place->path, CLAIM_STALE_SECONDS + 30);
        }
        for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, take_often, &race), 0);
        for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    }
    assert_int_equal(race.most, 1);
    assert_true(race.taken > 0);
    assert_int_equal(files_in(place->folder), 0);
}

static void test_names(void **state) {
    (void)state;
    char *path;
    assert_int_equal(claim_path("out/cells/a__0.1.h5", &path, NULL), 0);
    assert_string_equal(path, "out/cells/a__0.1.claim");
    memory_free(path);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {WITH_FOLDER(test_take_and_release),
                                       WITH_FOLDER(test_requeued),
                                       WITH_FOLDER(test_ages),
                                       WITH_FOLDER(test_right_left_behind),
                                       WITH_FOLDER(test_dead_process),
                                       WITH_FOLDER(test_lost),
                                       WITH_FOLDER(test_race),
                                       cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
