/* Files: maps, limits, atomic writes (also when the disk is full), folders and names. */
#include "io/file.h"

#include "base/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/adapt-file-XXXXXX";

/* A path in the test's folder; a few at a time. */
static const char *in_folder(const char *name) {
    static char paths[4][256];
    static int next;
    next = (next + 1) % 4;
    snprintf(paths[next], sizeof paths[next], "%s/%s", folder, name);
    return paths[next];
}

static void assert_content(const char *path, const char *expected) {
    struct text text = {0};
    struct error err = {0};
    if (file_read(path, 1 << 20, &text, &err)) fail_msg("%s", err.message);
    assert_int_equal(text.length, strlen(expected));
    assert_string_equal(text_string(&text), expected);
    text_free(&text);
}

static size_t entries(const char *suffix) {
    char **names;
    size_t count;
    assert_int_equal(file_list(folder, suffix, &names, &count, NULL), 0);
    file_free_list(names, count);
    return count;
}

static void removes_what_killed_writers_left(void **state) {
    (void)state;
    struct error err = {0};
    char place[256];
    struct file_writer *writer;
    snprintf(place, sizeof place, "%s", in_folder("left"));
    assert_int_equal(file_make_folder(place, &err), 0);
    static const char *const others[] = {"left/a.tmp-x", "left/a.tmp-1-2.h5", "left/b"};
    for (size_t i = 0; i < 3; i++) assert_int_equal(file_write(in_folder(others[i]), "1", 1, &err), 0);
    if (!fork()) { /* killed while it writes */
        if (file_writer_open(in_folder("left/c"), &writer, &err)) _exit(1);
        kill(getpid(), SIGKILL);
    }
    int status;
    assert_true(wait(&status) > 0 && WIFSIGNALED(status));
    char **names;
    size_t count;
    assert_int_equal(file_list(place, "", &names, &count, &err), 0);
    file_free_list(names, count);
    assert_int_equal(count, 4);
    assert_int_equal(file_remove_temporary(place, &err), 0);
    for (size_t i = 0; i < 3; i++) assert_content(in_folder(others[i]), "1");
    assert_int_equal(file_list(place, "", &names, &count, &err), 0);
    file_free_list(names, count);
    assert_int_equal(count, 3);
    assert_int_equal(file_remove_tree(place, &err), 0);
}

static void writes_and_reads(void **state) {
    (void)state;
    struct error err = {0};
    const char *path = in_folder("a");
    assert_int_equal(file_write(path, "hello", 5, &err), 0);
    assert_content(path, "hello");
    assert_int_equal(file_write(path, "other", 5, &err), 0);
    assert_content(path, "other");
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    mode_t mask = umask(0);
    umask(mask);
    assert_int_equal(status.st_mode & 0777, 0666 & ~mask);

    struct text text = {0};
    assert_int_equal(text_append_string(&text, "> ", &err), 0);
    assert_int_equal(file_read(path, 5, &text, &err), 0);
    assert_string_equal(text_string(&text), "> other");
    text_clear(&text);
    assert_int_equal(file_read(path, 4, &text, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "larger than the 4 bytes"));
    assert_int_equal(file_read(in_folder("none"), 4, &text, &err), ERROR_IO);
    assert_non_null(strstr(err.message, "none: cannot open: No such file"));
    assert_int_equal(file_read(folder, 4, &text, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "is a folder"));
    text_free(&text);

    assert_int_equal(file_copy(path, in_folder("b"), &err), 0);
    assert_content(in_folder("b"), "other");
    assert_int_equal(file_copy(in_folder("none"), in_folder("b"), &err), ERROR_IO);
    assert_content(in_folder("b"), "other");
    assert_int_equal(entries(""), 2); /* no temporary file stays behind */
}

static void maps(void **state) {
    (void)state;
    struct error err = {0};
    struct file_map map;
    assert_int_equal(file_write(in_folder("map"), "bytes", 5, &err), 0);
    assert_int_equal(file_map(in_folder("map"), &map, &err), 0);
    assert_int_equal(map.length, 5);
    assert_memory_equal(map.data, "bytes", 5);
    file_unmap(&map);
    assert_null(map.data);
    file_unmap(&map);
    assert_int_equal(file_write(in_folder("empty"), NULL, 0, &err), 0);
    assert_int_equal(file_map(in_folder("empty"), &map, &err), 0);
    assert_null(map.data);
    assert_int_equal(map.length, 0);
    assert_int_equal(file_map(folder, &map, &err), ERROR_INPUT);
    assert_int_equal(file_map("/dev/null", &map, &err), ERROR_INPUT);
}

static void commits_or_leaves_the_old(void **state) {
    (void)state;
    struct error err = {0};
    const char *path = in_folder("atomic");
    assert_int_equal(file_write(path, "old", 3, &err), 0);
    struct file_writer *writer;
    assert_int_equal(file_writer_open(path, &writer, &err), 0);
    assert_int_equal(file_writer_append(writer, "new", 3, &err), 0);
    assert_content(path, "old");
    file_writer_abandon(&writer);
    assert_null(writer);
    file_writer_abandon(&writer);
    assert_content(path, "old");

    struct file_writer *other; /* two writers of one path do not disturb each other */
    assert_int_equal(file_writer_open(path, &writer, &err), 0);
    assert_int_equal(file_writer_open(path, &other, &err), 0);
    struct text expected = {0};
    for (int i = 0; i < 20000; i++) {
        char piece[32];
        int length = snprintf(piece, sizeof piece, "piece %d;", i);
        assert_int_equal(file_writer_append(writer, piece, (size_t)length, &err), 0);
        assert_int_equal(text_append(&expected, piece, (size_t)length, &err), 0);
    }
    char *large = calloc(1, 200000);
    memset(large, 'x', 199999);
    assert_int_equal(file_writer_append(writer, large, 199999, &err), 0);
    assert_int_equal(text_append_string(&expected, large, &err), 0);
    free(large);
    assert_int_equal(file_writer_append(other, "last", 4, &err), 0);
    assert_int_equal(file_writer_commit(&writer, &err), 0);
    assert_null(writer);
    assert_content(path, text_string(&expected));
    assert_int_equal(file_writer_commit(&other, &err), 0);
    assert_content(path, "last");
    text_free(&expected);
    assert_int_equal(file_writer_open(in_folder("no/such"), &writer, &err), ERROR_IO);
    assert_null(writer);
    assert_non_null(strstr(err.message, "no/such: cannot create: No such file"));
}

/* Writes 200 kB where only less fits; the old content must survive and nothing else stay. */
static void assert_full_disk(const char *path, const char *reason) {
    struct error err = {0};
    char *large = calloc(1, 200000);
    assert_int_equal(file_write(path, large, 200000, &err), ERROR_IO);
    if (!strstr(err.message, reason)) fail_msg("\"%s\" lacks \"%s\"", err.message, reason);
    /* small pieces fail when the buffer is flushed, at the latest at the commit */
    struct file_writer *writer;
    assert_int_equal(file_writer_open(path, &writer, &err), 0);
    int code = 0;
    for (int i = 0; i < 2000 && !code; i++) code = file_writer_append(writer, large, 100, &err);
    assert_int_equal(code, ERROR_IO);
    assert_int_equal(file_writer_append(writer, "x", 1, &err), ERROR_IO);
    assert_int_equal(file_writer_commit(&writer, &err), ERROR_IO);
    assert_null(writer);
    free(large);
    assert_content(path, "old");
}

static void survives_a_full_disk(void **state) {
    (void)state;
    struct error err = {0};
    const char *mounted = in_folder("tiny");
    assert_int_equal(file_make_folder(mounted, &err), 0);
    if (!mount("none", mounted, "tmpfs", 0, "size=64k")) {
        assert_int_equal(file_write(in_folder("tiny/file"), "old", 3, &err), 0);
        assert_full_disk(in_folder("tiny/file"), "No space left on device");
        assert_int_equal(umount(mounted), 0);
    } else { /* not allowed to mount: a limit on the size of files fails the same calls */
        struct rlimit limit, tight;
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
        tight = limit;
        tight.rlim_cur = 65536;
        signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(file_write(in_folder("tiny/file"), "old", 3, &err), 0);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
        assert_full_disk(in_folder("tiny/file"), "File too large");
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    }
}

static void makes_and_removes_folders(void **state) {
    (void)state;
    struct error err = {0};
    assert_int_equal(file_make_folder(in_folder("x/y//z/"), &err), 0);
    assert_true(file_is_folder(in_folder("x/y/z")));
    assert_int_equal(file_make_folder(in_folder("x/y/z"), &err), 0);
    assert_int_equal(file_write(in_folder("x/y/file"), "1", 1, &err), 0);
    assert_true(file_exists(in_folder("x/y/file")));
    assert_false(file_is_folder(in_folder("x/y/file")));
    assert_int_equal(file_make_folder(in_folder("x/y/file"), &err), ERROR_INPUT);
    assert_int_equal(file_make_folder(in_folder("x/y/file/z"), &err), ERROR_IO);
    assert_int_equal(file_make_folder("", &err), ERROR_INPUT);

    assert_int_equal(file_write(in_folder("kept"), "k", 1, &err), 0);
    assert_int_equal(symlink(in_folder("kept"), in_folder("x/link")),
                     0); /* links are removed, not followed */
    assert_int_equal(file_remove_tree(in_folder("x"), &err), 0);
    assert_false(file_exists(in_folder("x")));
    assert_true(file_exists(in_folder("kept")));
    assert_int_equal(file_remove_tree(in_folder("x"), &err), 0);
    assert_int_equal(file_remove_tree(in_folder("kept"), &err), 0);
    assert_false(file_exists(in_folder("kept")));
}

static void assert_joined(const char *left, const char *right, const char *expected) {
    char *joined;
    assert_int_equal(file_join(left, right, &joined, NULL), 0);
    assert_string_equal(joined, expected);
    memory_free(joined);
}

static void assert_folder_of(const char *path, const char *expected) {
    char *part;
    assert_int_equal(file_folder_of(path, &part, NULL), 0);
    assert_string_equal(part, expected);
    memory_free(part);
}

static void handles_names(void **state) {
    (void)state;
    assert_joined("a/b", "c", "a/b/c");
    assert_joined("a/", "c", "a/c");
    assert_joined("/", "c", "/c");
    assert_joined("a", "/c", "/c");
    assert_joined("", "c", "c");
    assert_folder_of("a/b/c", "a/b");
    assert_folder_of("c", ".");
    assert_folder_of("/c", "/");
    assert_folder_of("a//c", "a");
    assert_folder_of("", ".");

    struct error err = {0};
    static const char *const made[] = {"b.list", "a.list", "B.list", ".hidden.list", "list", "c.lis"};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        assert_int_equal(file_write(in_folder(made[i]), "", 0, &err), 0);
    }
    char **names;
    size_t count;
    assert_int_equal(file_list(folder, ".list", &names, &count, &err), 0);
    assert_int_equal(count, 3);
    assert_string_equal(names[0], "B.list");
    assert_string_equal(names[1], "a.list");
    assert_string_equal(names[2], "b.list");
    file_free_list(names, count);
    assert_int_equal(file_list(folder, ".nothing", &names, &count, &err), 0);
    assert_int_equal(count, 0);
    file_free_list(names, count);
    assert_int_equal(file_list(in_folder("none"), "", &names, &count, &err), ERROR_IO);
    assert_non_null(strstr(err.message, "none: cannot open the folder"));
}

static int set_up(void **state) {
    (void)state;
    return !mkdtemp(folder);
}

static int tear_down(void **state) {
    (void)state;
    return file_remove_tree(folder, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_reads),
        cmocka_unit_test(maps),
        cmocka_unit_test(removes_what_killed_writers_left),
        cmocka_unit_test(commits_or_leaves_the_old),
        cmocka_unit_test(survives_a_full_disk),
        cmocka_unit_test(makes_and_removes_folders),
        cmocka_unit_test(handles_names),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
