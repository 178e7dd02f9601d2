#include "io/archive/hdf5_file.h"

#include "io/archive/hdf5_superblock.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- opening */

enum { READ_ATTEMPTS = 24 }; /* 17 ms */

static hid_t access_properties(void) {
    hid_t properties = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(properties, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    H5Pset_fclose_degree(properties, H5F_CLOSE_STRONG);
    /* A reader beside a writer tries again when a checksum is wrong, and sleeps 1, 2, 4, ... ns between: by
     * HDF5's default of 100 times a damaged file would take an eternity. */
    H5Pset_metadata_read_attempts(properties, READ_ATTEMPTS);
    if (hdf5_driver_set(properties) < 0) hdf5_release(&properties);
    return properties;
}

/* Wraps an id that HDF5 gave (negative: it failed, with `code` and `what` to say). */
static int wrap(hid_t id, bool writing, int code, const char *path, const char *what, struct hdf5_file **out,
                struct error *err) {
    if (id < 0) return hdf5_error(err, code, "%s: %s", path, what);
    struct hdf5_file *file;
    code = memory_alloc(&file, 1, sizeof *file, err);
    if (code) {
        H5Fclose(id);
        return code;
    }
    *file = (struct hdf5_file){.id = id, .driver = hdf5_driver_of(id), .writing = writing};
    if (!file->driver) {
        H5Fclose(id);
        memory_free(file);
        return error_set(err, ERROR_INTERNAL, "%s: HDF5 did not open it with our driver", path);
    }
    *out = file;
    return 0;
}

/* A kill cuts a write short between two pages of memory, never inside one. So metadata, which is under
 * checksums and partly rewritten in place, must not cross a page: HDF5's paged strategy sees to that for
 * blocks that are smaller than a page. */
enum { PAGE_BYTES = 4096 };

int hdf5_file_create(const char *path, struct hdf5_file **out, struct error *err) {
    HDF5_ID properties = access_properties();
    HDF5_ID layout = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_file_space_strategy(layout, H5F_FSPACE_STRATEGY_PAGE, 0, 1);
    H5Pset_file_space_page_size(layout, PAGE_BYTES);
    *out = NULL;
    hid_t id = H5Fcreate(path, H5F_ACC_TRUNC, layout, properties);
    return wrap(id, true, ERROR_IO, path, "cannot create", out, err);
}

/* What can be told without HDF5 is told in plain words, and does not reach its parser. */
static int check_before(const char *path, struct error *err) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 && errno == ENOENT)
        return error_set(err, ERROR_INPUT, "%s: there is no such file", path);
    if (descriptor < 0) return error_set_errno(err, "%s: cannot open", path);
    struct stat status;
    struct hdf5_superblock block;
    int code = 0;
    if (fstat(descriptor, &status)) {
        code = error_set_errno(err, "%s: cannot inspect", path);
    } else if (!S_ISREG(status.st_mode)) {
        code = error_set(err, ERROR_INPUT, "%s: is not an ordinary file", path);
    } else {
        code = hdf5_superblock_read(descriptor, (uint64_t)status.st_size, &block, err);
        if (code) error_context(err, "%s", path);
    }
    close(descriptor);
    return code;
}

int hdf5_file_open(const char *path, bool writing, struct hdf5_file **out, struct error *err) {
    *out = NULL;
    TRY(check_before(path, err));
    HDF5_ID properties = access_properties();
    hid_t id = H5Fopen(path, writing ? H5F_ACC_RDWR : H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, properties);
    return wrap(id, writing, ERROR_INPUT, path, "cannot be opened by HDF5", out, err);
}

/* ---- while open */

int hdf5_file_start_swmr(struct hdf5_file *file, struct error *err) {
    if (H5Fstart_swmr_write(file->id) < 0)
        return hdf5_error(err, ERROR_IO, "cannot start writing beside readers");
    return 0;
}

int hdf5_file_flush(struct hdf5_file *file, struct error *err) {
    if (H5Fflush(file->id, H5F_SCOPE_LOCAL) < 0) return hdf5_error(err, ERROR_IO, "cannot write");
    errno = hdf5_driver_failure(file->driver);
    return errno ? error_set_errno(err, "cannot write") : 0;
}

int hdf5_file_unmark(struct hdf5_file *file, struct error *err) {
    int descriptor = hdf5_driver_descriptor(file->driver);
    struct stat status;
    if (fstat(descriptor, &status)) return error_set_errno(err, "cannot inspect");
    return hdf5_superblock_unmark(descriptor, (uint64_t)status.st_size, err);
}

int hdf5_file_sync(struct hdf5_file *file, struct error *err) {
    return fdatasync(hdf5_driver_descriptor(file->driver)) ? error_set_errno(err, "cannot sync") : 0;
}

/* ---- closing */

void hdf5_file_give_up(struct hdf5_file *file) {
    if (!file->writing) return;
    file->writing = false;
    hdf5_driver_detach(file->driver);
    hdf5_file_unmark(file, NULL);
}

void hdf5_file_abandon(struct hdf5_file **file) {
    if (!*file) return;
    hdf5_file_give_up(*file);
    if (H5Fclose((*file)->id) < 0) H5Eclear2(H5E_DEFAULT);
    memory_free(*file);
    *file = NULL;
}

int hdf5_file_close(struct hdf5_file **file, struct error *err) {
    if (!*file) return 0;
    int code = 0;
    /* After the flush and the sync there is nothing left that could be refused but the superblock, rewritten
     * in its place. */
    if ((*file)->writing) {
        code = hdf5_file_flush(*file, err);
        if (!code) code = hdf5_file_sync(*file, err);
    }
    if (code) {
        hdf5_file_abandon(file);
        return code;
    }
    if (H5Fclose((*file)->id) < 0) code = hdf5_error(err, ERROR_IO, "cannot close");
    memory_free(*file);
    *file = NULL;
    return code;
}

int hdf5_file_replace(const char *from, const char *to, struct error *err) {
    int descriptor = open(from, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return error_set_errno(err, "%s: cannot open", from);
    int code = fsync(descriptor) ? error_set_errno(err, "%s: cannot sync", from) : 0;
    if (close(descriptor) && !code) code = error_set_errno(err, "%s: cannot close", from);
    if (!code && rename(from, to)) code = error_set_errno(err, "%s: cannot put in place", to);
    return code;
}
