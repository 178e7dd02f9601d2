/* Files and folders, on plain POSIX calls. */
#include "io/file.h"

#include "base/memory.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY ".tmp-" /* in names of files that are being written */

/* ---- reading */

static int open_regular(const char *path, int *fd, struct stat *status, struct error *err) {
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0) return error_set_errno(err, "%s: cannot open", path);
    if (fstat(*fd, status)) {
        int code = error_set_errno(err, "%s: cannot inspect", path);
        close(*fd);
        return code;
    }
    if (S_ISDIR(status->st_mode)) {
        close(*fd);
        return error_set(err, ERROR_INPUT, "%s: is a folder, where a file is expected", path);
    }
    return 0;
}

int file_map(const char *path, struct file_map *out, struct error *err) {
    out->data = NULL;
    out->length = 0;
    int fd;
    struct stat status;
    TRY(open_regular(path, &fd, &status, err));
    int code = 0;
    if (!S_ISREG(status.st_mode)) {
        code = error_set(err, ERROR_INPUT, "%s: is not an ordinary file", path);
    } else if (status.st_size > 0) {
        void *data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED) {
            code = error_set_errno(err, "%s: cannot map %lld bytes", path, (long long)status.st_size);
        } else {
            out->data = data;
            out->length = (size_t)status.st_size;
        }
    }
    close(fd);
    return code;
}

void file_unmap(struct file_map *map) {
    if (map->data) munmap((void *)(uintptr_t)map->data, map->length);
    map->data = NULL;
    map->length = 0;
}

/* Reads until the end of the file and hands each piece to `take`. */
typedef int take_piece(void *context, const void *bytes, size_t length, struct error *err);

static int read_pieces(const char *path, take_piece *take, void *context, struct error *err) {
    int fd;
    struct stat status;
    TRY(open_regular(path, &fd, &status, err));
    enum { PIECE = 1 << 18 };
    char *piece = NULL;
    int code = memory_alloc(&piece, PIECE, 1, err);
    while (!code) {
        ssize_t got = read(fd, piece, PIECE);
        if (got == 0) break;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            code = error_set_errno(err, "%s: cannot read", path);
        } else {
            code = take(context, piece, (size_t)got, err);
        }
    }
    memory_free(piece);
    close(fd);
    return code;
}

struct limited_text {
    const char *path;
    size_t limit, taken;
    struct text *text;
};

static int take_into_text(void *context, const void *bytes, size_t length, struct error *err) {
    struct limited_text *into = context;
    if (length > into->limit - into->taken) {
        return error_set(err, ERROR_INPUT, "%s: larger than the %zu bytes allowed", into->path, into->limit);
    }
    into->taken += length;
    return text_append(into->text, bytes, length, err);
}

int file_read(const char *path, size_t limit, struct text *out, struct error *err) {
    struct limited_text into = {.path = path, .limit = limit, .text = out};
    return read_pieces(path, take_into_text, &into, err);
}

/* ---- writing */

enum { WRITER_BUFFER = 1 << 16 };

struct file_writer {
    int fd;
    int failed; /* the error code of an earlier append: such a file must not be committed */
    char *path, *temporary;
    size_t filled;
    char buffer[WRITER_BUFFER];
};

static int writer_flush(struct file_writer *writer, const char *bytes, size_t length, struct error *err) {
    while (length) {
        ssize_t put = write(writer->fd, bytes, length);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return error_set_errno(err, "%s: cannot write", writer->path);
        bytes += put;
        length -= (size_t)put;
    }
    return 0;
}

/* A name in the same folder that nobody else uses, also not on another host of a shared file system: O_EXCL
 * decides. */
static int open_temporary(struct file_writer *writer, struct error *err) {
    struct text name = {0};
    for (int attempt = 0;; attempt++) {
        text_clear(&name);
        int code = text_printf(&name, err, "%s" TEMPORARY "%ld-%d", writer->path, (long)getpid(), attempt);
        if (code) {
            text_free(&name);
            return code;
        }
        writer->fd = open(text_string(&name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (writer->fd >= 0 || errno != EEXIST || attempt == 9999) break;
    }
    int code = 0;
    if (writer->fd < 0) {
        code = error_set_errno(err, "%s: cannot create", writer->path);
    } else {
        code = memory_alloc(&writer->temporary, name.length + 1, 1, err);
        if (code) {
            unlink(text_string(&name));
        } else {
            memcpy(writer->temporary, text_string(&name), name.length);
        }
    }
    text_free(&name);
    return code;
}

int file_writer_open(const char *path, struct file_writer **out, struct error *err) {
    *out = NULL;
    struct file_writer *writer;
    TRY(memory_alloc(&writer, 1, sizeof *writer, err));
    writer->fd = -1;
    size_t length = strlen(path);
    int code = memory_alloc(&writer->path, length + 1, 1, err);
    if (!code) {
        memcpy(writer->path, path, length);
        code = open_temporary(writer, err);
    }
    if (code) {
        file_writer_abandon(&writer);
    } else {
        *out = writer;
    }
    return code;
}

int file_writer_append(struct file_writer *writer, const void *bytes, size_t length, struct error *err) {
    if (writer->failed) return error_set(err, writer->failed, "%s: an earlier write failed", writer->path);
    if (length > WRITER_BUFFER - writer->filled) {
        writer->failed = writer_flush(writer, writer->buffer, writer->filled, err);
        writer->filled = 0;
        if (!writer->failed && length >= WRITER_BUFFER) {
            writer->failed = writer_flush(writer, bytes, length, err);
            return writer->failed;
        }
        if (writer->failed) return writer->failed;
    }
    if (length) memcpy(writer->buffer + writer->filled, bytes, length);
    writer->filled += length;
    return 0;
}

static int sync_folder(const char *path, struct error *err) {
    char *folder;
    TRY(file_folder_of(path, &folder, err));
    int code = 0;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        code = error_set_errno(err, "%s: cannot open", folder);
    } else {
        /* EINVAL: some network file systems have no sync of folders, and promise the rename by themselves. */
        if (fsync(fd) && errno != EINVAL) code = error_set_errno(err, "%s: cannot sync", folder);
        close(fd);
    }
    memory_free(folder);
    return code;
}

int file_writer_commit(struct file_writer **out, struct error *err) {
    struct file_writer *writer = *out;
    *out = NULL;
    int code = 0;
    if (writer->failed) code = error_set(err, writer->failed, "%s: an earlier write failed", writer->path);
    if (!code) code = writer_flush(writer, writer->buffer, writer->filled, err);
    if (!code && fsync(writer->fd)) code = error_set_errno(err, "%s: cannot sync", writer->path);
    /* close may be where a network file system reports that the disk is full */
    int fd = writer->fd;
    writer->fd = -1;
    if (close(fd) && !code) code = error_set_errno(err, "%s: cannot close", writer->path);
    if (!code && rename(writer->temporary, writer->path)) {
        code = error_set_errno(err, "%s: cannot put in place", writer->path);
    }
    if (!code) {
        memory_free(writer->temporary);
        writer->temporary = NULL;
        code = sync_folder(writer->path, err);
    }
    file_writer_abandon(&writer);
    return code;
}

void file_writer_abandon(struct file_writer **out) {
    struct file_writer *writer = *out;
    *out = NULL;
    if (!writer) return;
    if (writer->fd >= 0) close(writer->fd);
    if (writer->temporary) unlink(writer->temporary);
    memory_free(writer->temporary);
    memory_free(writer->path);
    memory_free(writer);
}

int file_write(const char *path, const void *bytes, size_t length, struct error *err) {
    struct file_writer *writer;
    TRY(file_writer_open(path, &writer, err));
    int code = file_writer_append(writer, bytes, length, err);
    if (code) {
        file_writer_abandon(&writer);
        return code;
    }
    return file_writer_commit(&writer, err);
}

static int take_into_file(void *context, const void *bytes, size_t length, struct error *err) {
    return file_writer_append(context, bytes, length, err);
}

int file_copy(const char *from, const char *to, struct error *err) {
    struct file_writer *writer;
    TRY(file_writer_open(to, &writer, err));
    int code = read_pieces(from, take_into_file, writer, err);
    if (code) {
        file_writer_abandon(&writer);
        return code;
    }
    return file_writer_commit(&writer, err);
}

/* ---- folders */

int file_make_folder(const char *path, struct error *err) {
    size_t length = strlen(path);
    if (!length) return error_set(err, ERROR_INPUT, "a folder's name is empty");
    char *part;
    TRY(memory_alloc(&part, length + 1, 1, err));
    int code = 0;
    for (size_t end = 1; end <= length && !code; end++) {
        if (end < length && path[end] != '/') continue;
        memcpy(part, path, end);
        part[end] = 0;
        if (mkdir(part, 0777) && errno != EEXIST)
            code = error_set_errno(err, "%s: cannot make the folder", part);
    }
    memory_free(part);
    if (!code && !file_is_folder(path)) {
        code = error_set(err, ERROR_INPUT, "%s: exists and is not a folder", path);
    }
    return code;
}

bool file_exists(const char *path) {
    struct stat status;
    return !stat(path, &status);
}

bool file_is_folder(const char *path) {
    struct stat status;
    return !stat(path, &status) && S_ISDIR(status.st_mode);
}

int file_remove_tree(const char *path, struct error *err) {
    struct stat status;
    if (lstat(path, &status)) {
        if (errno == ENOENT) return 0;
        return error_set_errno(err, "%s: cannot inspect", path);
    }
    char *roots[] = {(char *)(uintptr_t)path, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (!walk) return error_set_errno(err, "%s: cannot walk", path);
    int code = 0;
    errno = 0;
    for (FTSENT *entry; !code && (entry = fts_read(walk)); errno = 0) {
        if (entry->fts_info == FTS_D) continue; /* comes again, as FTS_DP, after what it holds */
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR) {
            errno = entry->fts_errno;
            code = error_set_errno(err, "%s: cannot walk", entry->fts_accpath);
        } else if (remove(entry->fts_accpath) && errno != ENOENT) {
            code = error_set_errno(err, "%s: cannot remove", entry->fts_accpath);
        }
    }
    if (!code && errno) code = error_set_errno(err, "%s: cannot walk", path);
    fts_close(walk);
    return code;
}

/* ---- names */

int file_join(const char *folder, const char *name, char **out, struct error *err) {
    struct text joined = {0};
    bool absolute = name[0] == '/' || !folder[0];
    size_t length = strlen(folder);
    const char *between = absolute || folder[length - 1] == '/' ? "" : "/";
    int code = text_printf(&joined, err, "%s%s%s", absolute ? "" : folder, between, name);
    *out = NULL;
    if (!code) code = memory_alloc(out, joined.length + 1, 1, err);
    if (!code && joined.length) memcpy(*out, joined.data, joined.length);
    text_free(&joined);
    return code;
}

int file_folder_of(const char *path, char **out, struct error *err) {
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    while (length > 1 && path[length - 1] == '/') length--;
    const char *from = slash ? path : ".";
    if (!length) length = 1; /* "." or "/" */
    TRY(memory_alloc(out, length + 1, 1, err));
    memcpy(*out, from, length);
    return 0;
}

static int compare_names(const void *left, const void *right) {
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static bool ends_in(const char *name, const char *suffix) {
    size_t length = strlen(name), tail = strlen(suffix);
    return length >= tail && !strcmp(name + length - tail, suffix);
}

int file_list(const char *folder, const char *suffix, char ***names, size_t *count, struct error *err) {
    *names = NULL;
    *count = 0;
    DIR *stream = opendir(folder);
    if (!stream) return error_set_errno(err, "%s: cannot open the folder", folder);
    char **list = NULL;
    size_t filled = 0, capacity = 0;
    int code = 0;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(stream);
        if (!entry) {
            if (errno) code = error_set_errno(err, "%s: cannot list the folder", folder);
            break;
        }
        if (entry->d_name[0] == '.' || !ends_in(entry->d_name, suffix)) continue;
        size_t length = strlen(entry->d_name);
        code = memory_reserve(&list, &capacity, filled + 1, sizeof *list, err);
        if (!code) code = memory_alloc(&list[filled], length + 1, 1, err);
        if (code) break;
        memcpy(list[filled++], entry->d_name, length);
    }
    closedir(stream);
    if (code) {
        file_free_list(list, filled);
        return code;
    }
    if (filled) qsort(list, filled, sizeof *list, compare_names);
    *names = list;
    *count = filled;
    return 0;
}

void file_free_list(char **names, size_t count) {
    for (size_t i = 0; i < count; i++) memory_free(names[i]);
    memory_free(names);
}

/* "NAME.tmp-PROCESS-ATTEMPT", as open_temporary makes it. */
static bool is_temporary(const char *name) {
    const char *mark = strstr(name, TEMPORARY);
    long process;
    int attempt, end = 0;
    return mark && mark > name &&
           sscanf(mark + strlen(TEMPORARY), "%ld-%d%n", &process, &attempt, &end) == 2 &&
           !mark[strlen(TEMPORARY) + (size_t)end];
}

int file_remove_temporary(const char *folder, struct error *err) {
    char **names;
    size_t count;
    TRY(file_list(folder, "", &names, &count, err));
    int code = 0;
    for (size_t i = 0; i < count && !code; i++) {
        char *path;
        if (!is_temporary(names[i])) continue;
        code = file_join(folder, names[i], &path, err);
        if (!code) code = file_remove_tree(path, err);
        memory_free(path);
    }
    file_free_list(names, count);
    return code;
}
