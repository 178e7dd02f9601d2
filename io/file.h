/* Files and folders: whole-file reads, memory maps, atomic writes. Errors name the path and the reason. */
#ifndef ADAPT_IO_FILE_H
#define ADAPT_IO_FILE_H

#include "base/error.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>

/* A read-only memory map of a whole file. */
struct file_map {
    const unsigned char *data; /* NULL for an empty file */
    size_t length;
};
int file_map(const char *path, struct file_map *out, struct error *err);
void file_unmap(struct file_map *map);

/* Reads a file of at most `limit` bytes into `out` (appended). */
int file_read(const char *path, size_t limit, struct text *out, struct error *err);

/* Writes bytes so that the path holds either the old or the whole new content at every instant: temporary
 * name in the same folder, fsync, rename, fsync of the folder. */
int file_write(const char *path, const void *bytes, size_t length, struct error *err);

/* A file written piece by piece under a temporary name; commit makes it appear (fsync, rename), abandon
 * removes it. */
struct file_writer;
int file_writer_open(const char *path, struct file_writer **out, struct error *err);
int file_writer_append(struct file_writer *writer, const void *bytes, size_t length, struct error *err);
int file_writer_commit(struct file_writer **writer,
                       struct error *err);             /* *writer is NULL afterwards, always */
void file_writer_abandon(struct file_writer **writer); /* *writer may be NULL */

/* Makes a folder and its parents; an existing folder is fine. */
int file_make_folder(const char *path, struct error *err);
bool file_exists(const char *path);
bool file_is_folder(const char *path);
/* Removes a file or a folder with all it holds; a missing one is fine. */
int file_remove_tree(const char *path, struct error *err);
/* Copies one file, atomically. */
int file_copy(const char *from, const char *to, struct error *err);

/* "folder/name", or `name` itself where it is absolute, in freshly allocated memory (memory_free). */
int file_join(const char *folder, const char *name, char **out, struct error *err);
/* The folder part of a path ("." when it has none), freshly allocated. */
int file_folder_of(const char *path, char **out, struct error *err);

/* The names in a folder that end in `suffix`, sorted bytewise, hidden ones (.name) left out; names and list
 * are freshly allocated: free each, then the list (file_free_list). */
int file_list(const char *folder, const char *suffix, char ***names, size_t *count, struct error *err);
/* Removes what writers (file_write, file_writer_open) left in a folder under temporary names when they were
 * killed. Only where nobody else can be writing. */
int file_remove_temporary(const char *folder, struct error *err);
void file_free_list(char **names, size_t count);

#endif
