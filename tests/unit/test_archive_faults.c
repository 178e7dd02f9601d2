/* The archive when things go wrong: writers killed at any instant, full disks, damaged files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "io/file.h"
#include "tests/support/archive_check.h"
#include <fcntl.h>
#include <hdf5.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct synthetic_cell cell = {1, 1, 2, 2};

static int make_folder(void **state) {
    static char folder[ARCHIVE_PATH_BYTES];
    archive_folder_make_in_memory(folder);
    *state = folder;
    return 0;
}

static int remove_folder(void **state) {
    archive_folder_remove(*state);
    return 0;
}

static int create(const char *path, struct archive_cell **archive, struct error *err) {
    struct archive_cell_plan plan = synthetic_plan(cell);
    return archive_cell_create(path, &synthetic_run, &plan, archive, err);
}

/* ---- kill -9 */

/* A child process without cmocka's signal handlers, which would go on with the next test in it. */
static pid_t fork_plain(void) {
    static const int caught[] = {SIGSEGV, SIGABRT, SIGFPE, SIGILL, SIGBUS};
    pid_t child = fork();
    assert_true(child >= 0);
    for (size_t i = 0; !child && i < sizeof caught / sizeof *caught; i++) signal(caught[i], SIG_DFL);
    return child;
}

/* What a writer has been promised, in memory that outlives it. */
struct promise {
    volatile int64_t flushed; /* steps */
    volatile int finished;
};

static struct promise *share_promise(void) {
    struct promise *promise =
        mmap(NULL, sizeof *promise, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(promise != MAP_FAILED);
    return promise;
}

/* Random but the same in every run of the test; the instants themselves are the machine's. */
static useconds_t pause_of(int round, int most) {
    struct random_key key = {.seed = 11, .purpose = RANDOM_TEST};
    return (useconds_t)random_below(key, (uint64_t)round, (uint64_t)most);
}

/* ADAPT_KILL_ROUNDS asks for more than the usual number. */
static int rounds_wanted(void) {
    const char *wanted = getenv("ADAPT_KILL_ROUNDS");
    return wanted && atoi(wanted) > 0 ? atoi(wanted) : 40;
}

static void kill_after(pid_t child, useconds_t microseconds) {
    int status;
    usleep(microseconds);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void test_kill_while_appending(void **state) {
    const int rounds = rounds_wanted();
    enum { LONGEST = 60000 };
    struct promise *promise = share_promise();
    char path[ARCHIVE_PATH_BYTES];
    archive_path(*state, "killed.h5", path);
    int plain = 0;
    int64_t rows = 0, most_lost = 0;
    for (int round = 0; round < rounds; round++) {
        promise->flushed = -1;
        pid_t child = fork_plain();
        if (!child) {
            struct error err;
            struct archive_cell *archive;
            if (create(path, &archive, &err)) _exit(1);
            promise->flushed = 0;
            for (int64_t i = 0; i < 1 << 20; i++) {
                if (synthetic_append(archive, cell, (int)i, (int)i + 1, &err) ||
                    archive_cell_flush(archive, &err)) {
                    _exit(1);
                }
                promise->flushed = i + 1;
            }
            _exit(1);
        }
        while (promise->flushed < 0) usleep(200);
        kill_after(child, pause_of(round, LONGEST));
        int64_t promised = promise->flushed;
        struct archive_cell_summary s = archive_check_cell(path, cell);
        assert_int_equal(s.state, ARCHIVE_RUNNING);
        if (s.steps < promised)
            fail_msg("round %d: %lld rows, %lld were flushed", round, (long long)s.steps,
                     (long long)promised);
        assert_true(s.steps <= promised + 1);
        rows += s.steps;
        if (promised + 1 - s.steps > most_lost) most_lost = promised + 1 - s.steps;
        plain += archive_opens_plainly(path);
    }
    print_message("%d writers killed: all files open, %lld rows, at most %lld unflushed row lost; %d open "
                  "without SWMR\n",
                  rounds, (long long)rows, (long long)most_lost, plain);
    assert_true(plain > rounds / 2);
    munmap(promise, sizeof *promise);
}

/* Creating and finishing are never seen half done. */
static void test_kill_at_any_stage(void **state) {
    const int rounds = rounds_wanted();
    enum { LONGEST = 200000, CELLS = 64 };
    struct promise *promise = share_promise();
    int files = 0, done = 0;
    for (int round = 0; round < rounds; round++) {
        char folder[ARCHIVE_PATH_BYTES], path[ARCHIVE_PATH_BYTES], name[32];
        snprintf(name, sizeof name, "round%d", round);
        archive_path(*state, name, folder);
        promise->finished = 0;
        pid_t child = fork_plain();
        if (!child) {
            for (int i = 0; i < CELLS; i++) {
                struct error err;
                struct archive_cell *archive;
                snprintf(name, sizeof name, "%d.h5", i);
                archive_path(folder, name, path);
                if (create(path, &archive, &err) || synthetic_append(archive, cell, 0, 7, &err) ||
                    archive_cell_flush(archive, &err) || synthetic_evaluate(archive, cell, &err) ||
                    archive_cell_finish(&archive, ARCHIVE_DONE, "", NULL, &err)) {
                    _exit(1);
                }
                promise->finished = i + 1;
            }
            pause();
            _exit(1);
        }
        kill_after(child, pause_of(1000 + round, LONGEST));
        for (int i = 0; i < CELLS; i++) {
            snprintf(name, sizeof name, "%d.h5", i);
            archive_path(folder, name, path);
            if (!file_exists(path)) {
                assert_true(i >= promise->finished);
                continue;
            }
            struct archive_cell_summary s = archive_check_cell(path, cell);
            files++;
            done += s.state == ARCHIVE_DONE;
            if (i < promise->finished) assert_int_equal(s.state, ARCHIVE_DONE);
            if (s.state == ARCHIVE_DONE) assert_true(s.steps == 7 && s.evaluations == SYNTHETIC_BENCHMARKS);
        }
    }
    print_message("%d files of %d killed writers open; %d of them finished\n", files, rounds, done);
    assert_true(done > 0 && done < files);
    munmap(promise, sizeof *promise);
}

/* ---- full disks */

enum { EVERY = 16 }; /* rows of a flush */

/* Appends and flushes until it fails. Returns the steps that were flushed, or -1 - code if a failure is not
 * as it should be. */
static int64_t write_until_full(const char *path, const char *reason, char *message, size_t bytes) {
    struct error err = {0};
    struct archive_cell *archive;
    int64_t flushed = 0;
    int code = create(path, &archive, &err);
    if (!code) {
        for (int i = 0; i < 1 << 16 && !code; i += EVERY) {
            code = synthetic_append(archive, cell, i, i + EVERY, &err);
            if (!code) code = archive_cell_flush(archive, &err);
            if (!code) flushed = i + EVERY;
        }
        struct error again;
        if (code && synthetic_append(archive, cell, 0, 1, &again) != ERROR_IO) return -100;
        if (code && archive_cell_flush(archive, &again) != ERROR_IO) return -101;
        if (code && !strstr(again.message, reason)) return -102;
        if (code && archive_cell_finish(&archive, ARCHIVE_DONE, "", NULL, &again) != ERROR_IO) return -103;
        if (archive) return -104;
    } else {
        flushed = -1;
    }
    snprintf(message, bytes, "%s", err.message);
    if (code != ERROR_IO || !strstr(err.message, path) || !strstr(err.message, reason)) return -105;
    return flushed;
}

/* In a process of its own, whose exit status says whether the library survived: HDF5 closes what is left at
 * exit. */
static void test_file_size_limit(void **state) {
    char path[ARCHIVE_PATH_BYTES];
    struct promise *promise = share_promise();
    char *message = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int some_rows = 0, no_file = 0;
    archive_path(*state, "limited.h5", path);
    for (rlim_t limit = 4096; limit < 600000; limit += limit < 60000 ? 6007 : 29989) {
        unlink(path);
        pid_t child = fork_plain();
        if (!child) {
            struct rlimit limits = {limit, RLIM_INFINITY};
            signal(SIGXFSZ, SIG_IGN);
            setrlimit(RLIMIT_FSIZE, &limits);
            promise->flushed = write_until_full(path, "File too large", message, 4096);
            exit(0);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFEXITED(status) || WEXITSTATUS(status))
            fail_msg("limit %lld: status %x", (long long)limit, status);
        if (promise->flushed < -1)
            fail_msg("limit %lld: %lld: %s", (long long)limit, (long long)promise->flushed, message);
        if (promise->flushed == -1) { /* not even the head fitted: there is no file */
            assert_false(file_exists(path));
            no_file++;
            continue;
        }
        struct archive_cell_summary s = archive_check_cell(path, cell);
        /* A flush that fails in its last bytes has written its rows: there may be one flush more. */
        if (s.steps != promise->flushed && s.steps != promise->flushed + EVERY) {
            fail_msg("limit %lld: %lld rows, %lld were flushed", (long long)limit, (long long)s.steps,
                     (long long)promise->flushed);
        }
        some_rows += s.steps > 0;
        if (!archive_opens_plainly(path))
            fail_msg("limit %lld: does not open without SWMR", (long long)limit);
    }
    print_message("%d limits before the first row, %d after it; the last message: %s\n", no_file, some_rows,
                  message);
    assert_true(some_rows > 5 && no_file > 2);
    munmap(message, 4096);
    munmap(promise, sizeof *promise);
}

/* A real full disk: a small tmpfs in a mount namespace of its own, where the user may make one. */
static void test_full_disk(void **state) {
    struct promise *promise = share_promise();
    char *message = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char path[ARCHIVE_PATH_BYTES];
    archive_path(*state, "disk/full.h5", path);
    pid_t child = fork_plain();
    if (!child) {
        char folder[ARCHIVE_PATH_BYTES], size[32];
        archive_path(*state, "disk", folder);
        for (int kilobytes = 64; kilobytes <= 640; kilobytes += 36) {
            snprintf(size, sizeof size, "size=%dk", kilobytes);
            mkdir(folder, 0777);
            if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
                mount("none", folder, "tmpfs", 0, size)) {
                _exit(77);
            }
            promise->flushed = write_until_full(path, "No space left on device", message, 4096);
            if (promise->flushed < -1) _exit(2);
            if (promise->flushed == -1 ? file_exists(path)
                                       : archive_check_cell(path, cell).steps != promise->flushed)
                _exit(3);
            umount(folder);
        }
        exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    bool may = !(WIFEXITED(status) && WEXITSTATUS(status) == 77);
    if (may && status) fail_msg("status %x: flushed %lld: %s", status, (long long)promise->flushed, message);
    print_message("%s\n", may ? message : "(not tested: this user may not mount a tmpfs)");
    munmap(message, 4096);
    munmap(promise, sizeof *promise);
    if (!may) skip();
}

/* ---- damaged files */

static void expect_refusal(const char *path, const char *says) {
    struct error err = {0};
    struct archive_reader *reader;
    int code = archive_reader_open(path, &reader, &err);
    assert_null(reader);
    assert_true(code == ERROR_INPUT || code == ERROR_IO || code == ERROR_MEMORY);
    if (!strstr(err.message, path) || !strstr(err.message, says))
        fail_msg("\"%s\" lacks \"%s\"", err.message, says);
}

static void write_bytes(const char *path, const void *bytes, size_t length) {
    assert_int_equal(file_write(path, bytes, length, NULL), 0);
}

static void test_not_archives(void **state) {
    char path[ARCHIVE_PATH_BYTES];
    unsigned char bytes[4096];
    struct random_key key = {.seed = 3, .purpose = RANDOM_TEST};
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)random_bits(key, i);
    archive_path(*state, "absent.h5", path);
    expect_refusal(path, "no such file");
    expect_refusal(*state, "not an ordinary file");
    archive_path(*state, "bad.h5", path);
    write_bytes(path, "", 0);
    expect_refusal(path, "not an HDF5 file");
    write_bytes(path, bytes, sizeof bytes);
    expect_refusal(path, "no HDF5 signature");
    memcpy(bytes, "\x89HDF\r\n\x1a\n\x00", 9);
    write_bytes(path, bytes, sizeof bytes);
    expect_refusal(path, "superblock version 0");
    memcpy(bytes + 8, "\x03\x08\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00", 12);
    write_bytes(path, bytes, sizeof bytes);
    expect_refusal(path, "checksum");

    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    H5Fclose(H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access));
    H5Pclose(access);
    expect_refusal(path, "not an archive of schema adapt-archive/1");
}

/* Whether byte `at` lies in one of HDF5's global heaps ("GCOL", a length at offset 8), where texts of
 * variable length are kept. They have no checksum, and HDF5 1.10 crashes on some damaged ones: that is not
 * ours to test. */
static bool in_global_heap(const struct text *file, size_t at) {
    for (size_t from = 0; from + 16 < file->length && from <= at; from++) {
        if (memcmp(file->data + from, "GCOL", 4) != 0) continue;
        uint64_t length;
        memcpy(&length, file->data + from + 8, sizeof length);
        if (at < from + length) return true;
    }
    return false;
}

struct damage {
    int cut, refused, read, silent;
};

/* Opens the file; counts what came of it. */
static void open_damaged(const char *path, struct damage *damage) {
    struct error err = {0};
    struct archive_reader *reader;
    int code = archive_reader_open(path, &reader, &err);
    damage->silent += code && !strstr(err.message, path);
    damage->refused += code != 0;
    damage->read += code == 0;
    archive_reader_close(&reader);
}

static void open_many_damaged(const struct text *original, const char *path, struct damage *damage) {
    enum { CUTS = 97, CHANGES = 300 };
    for (size_t i = 0; i < CUTS; i++) {
        file_write(path, original->data, original->length * i / CUTS, NULL);
        open_damaged(path, damage);
    }
    damage->cut = damage->refused;
    damage->refused = 0;
    /* Metadata is under checksums: a changed byte there is refused, one elsewhere is a wrong number in a
     * column. */
    struct random_key key = {.seed = 5, .purpose = RANDOM_TEST};
    struct text altered = {0};
    for (uint64_t i = 0; i < CHANGES; i++) {
        size_t at = random_below(key, 2 * i, original->length);
        if (i % 4 == 0) {
            text_clear(&altered);
            text_append(&altered, original->data, original->length, NULL);
        }
        if (in_global_heap(&altered, at)) continue;
        altered.data[at] ^= (char)(1 + random_below(key, 2 * i + 1, 255));
        file_write(path, altered.data, altered.length, NULL);
        open_damaged(path, damage);
    }
    text_free(&altered);
}

/* Cut at any length, a file is refused with a reason; altered, it is refused or read; nothing is printed by
 * HDF5, also not at exit. In a process of its own: HDF5 loses memory over damaged files. */
static void test_truncated_and_altered(void **state) {
    struct error err;
    struct archive_cell *archive;
    struct text whole = {0};
    char path[ARCHIVE_PATH_BYTES], printed[ARCHIVE_PATH_BYTES];
    struct damage *damage =
        mmap(NULL, sizeof *damage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    archive_path(*state, "whole.h5", path);
    assert_int_equal(create(path, &archive, &err), 0);
    assert_int_equal(synthetic_append(archive, cell, 0, SYNTHETIC_STEPS, &err), 0);
    assert_int_equal(synthetic_evaluate(archive, cell, &err), 0);
    assert_int_equal(archive_cell_finish(&archive, ARCHIVE_DONE, "", NULL, &err), 0);
    assert_int_equal(file_read(path, 1 << 24, &whole, &err), 0);
    archive_path(*state, "printed", printed);
    archive_path(*state, "damaged.h5", path);
    pid_t child = fork_plain();
    if (!child) {
        int to = open(printed, O_CREAT | O_WRONLY | O_TRUNC, 0600);
        dup2(to, 2);
        open_many_damaged(&whole, path, damage);
        H5close(); /* what exit would do, but for the leak checker */
        _exit(0);
    }
    int status;
    struct stat printing;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(stat(printed, &printing), 0);
    print_message("%d lengths refused; %d alterations refused, %d read\n", damage->cut, damage->refused,
                  damage->read);
    assert_int_equal(status, 0);
    assert_int_equal(printing.st_size, 0);
    assert_int_equal(damage->cut, 97);
    assert_int_equal(damage->silent, 0);
    assert_true(damage->refused > 0 && damage->read > 0);
    munmap(damage, sizeof *damage);
    text_free(&whole);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kill_while_appending, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_kill_at_any_stage, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_file_size_limit, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_full_disk, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_not_archives, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_truncated_and_altered, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
