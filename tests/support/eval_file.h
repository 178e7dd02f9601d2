/* Temporary files for tests of eval/. */
#ifndef ADAPT_TESTS_EVAL_FILE_H
#define ADAPT_TESTS_EVAL_FILE_H

#include <stddef.h>

enum { EVAL_PATH_BYTES = 256 };

/* Makes a new folder and puts its path into `folder`; removes it with all it holds. */
void eval_folder_make(char folder[EVAL_PATH_BYTES]);
void eval_folder_remove(const char *folder);

/* Writes `folder`/`name` and puts its path into `path` (may be NULL). */
void eval_file_write(const char *folder, const char *name, const char *bytes, size_t length, char *path);

#endif
