#include "tests/support/eval_file.h"

#include "io/file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

void eval_folder_make(char folder[EVAL_PATH_BYTES]) {
    const char *root = getenv("TMPDIR");
    snprintf(folder, EVAL_PATH_BYTES, "%s/adapt-eval-XXXXXX", root ? root : "/tmp");
    assert_non_null(mkdtemp(folder));
}

void eval_folder_remove(const char *folder) {
    assert_int_equal(file_remove_tree(folder, NULL), 0);
}

void eval_file_write(const char *folder, const char *name, const char *bytes, size_t length, char *path) {
    char own[EVAL_PATH_BYTES];
    if (!path) path = own;
    snprintf(path, EVAL_PATH_BYTES, "%.200s/%.50s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}
