/* Temporary folders, and checks of a cell's file against the formulas of synthetic_archive.h. Failures are
 * cmocka's. */
#ifndef ADAPT_TESTS_ARCHIVE_CHECK_H
#define ADAPT_TESTS_ARCHIVE_CHECK_H

#include "tests/support/synthetic_archive.h"

enum { ARCHIVE_PATH_BYTES = 512 };

void archive_folder_make(char folder[ARCHIVE_PATH_BYTES]);
/* The same where a sync costs nothing, if there is such a place: a writer is then killed while it writes, not
 * while it waits. */
void archive_folder_make_in_memory(char folder[ARCHIVE_PATH_BYTES]);
void archive_folder_remove(const char *folder);
/* "folder/name" */
void archive_path(const char *folder, const char *name, char path[ARCHIVE_PATH_BYTES]);

/* Opens the file, checks every value of every column of steps/ and validation/ that the formulas give, and
 * returns the summary (its strings are gone). */
struct archive_cell_summary archive_check_cell(const char *path, struct synthetic_cell cell);

/* Whether HDF5 opens the file without any of the reader's care, as h5dump would. */
int archive_opens_plainly(const char *path);

/* Fails unless both are NaN or both are the same number. */
void archive_check_same(double found, double expected, const char *what, long long where);

#endif
