#include "io/archive/hdf5_driver.h"

#include "base/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

struct hdf5_driver {
    H5FD_t base; /* first: HDF5 sees only this */
    int descriptor;
    haddr_t end_allocated; /* HDF5's view of the file's end */
    haddr_t end;           /* of the file, or of its copy in memory */
    dev_t device;
    ino_t inode;
    int failure;
    bool detached;
    unsigned char
        *memory; /* after a failure or detaching, [capacity]; NULL also when there was no room for a copy */
    size_t capacity;
};

static struct hdf5_driver *self(H5FD_t *file) {
    return (struct hdf5_driver *)file;
}

static const struct hdf5_driver *self_const(const H5FD_t *file) {
    return (const struct hdf5_driver *)file;
}

/* ---- the disk */

/* Reads until `size` bytes are there or the file ends; what lies behind its end is zero. */
static int disk_read(int descriptor, haddr_t at, size_t size, unsigned char *to) {
    while (size) {
        ssize_t got = pread(descriptor, to, size, (off_t)at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        to += got;
        at += (haddr_t)got;
        size -= (size_t)got;
    }
    if (size) memset(to, 0, size);
    return 0;
}

static int disk_write(int descriptor, haddr_t at, size_t size, const unsigned char *from) {
    while (size) {
        ssize_t put = pwrite(descriptor, from, size, (off_t)at);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return -1;
        from += put;
        at += (haddr_t)put;
        size -= (size_t)put;
    }
    return 0;
}

/* ---- detaching */

void hdf5_driver_detach(struct hdf5_driver *driver) {
    if (driver->detached) return;
    driver->detached = true;
    /* Without memory for the copy HDF5 may read back zeros where it wrote, and then fails to close: the best
     * that is left. */
    if (memory_reserve(&driver->memory, &driver->capacity, driver->end, 1, NULL) ||
        disk_read(driver->descriptor, 0, driver->end, driver->memory)) {
        memory_free(driver->memory);
        driver->memory = NULL;
        driver->capacity = 0;
    }
}

static void fail(struct hdf5_driver *driver, int reason) {
    driver->failure = reason;
    hdf5_driver_detach(driver);
}

static void memory_write(struct hdf5_driver *driver, haddr_t at, size_t size, const void *from) {
    if (!driver->memory || memory_reserve(&driver->memory, &driver->capacity, at + size, 1, NULL)) return;
    memcpy(driver->memory + at, from, size);
}

static void memory_read(const struct hdf5_driver *driver, haddr_t at, size_t size, unsigned char *to) {
    size_t held = driver->memory && at < driver->capacity ? driver->capacity - at : 0;
    if (held > size) held = size;
    if (held) memcpy(to, driver->memory + at, held);
    if (size > held) memset(to + held, 0, size - held);
}

/* ---- what HDF5 calls */

static int open_flags(unsigned flags) {
    int mode = flags & H5F_ACC_RDWR ? O_RDWR : O_RDONLY;
    if (flags & H5F_ACC_TRUNC) mode |= O_TRUNC;
    if (flags & H5F_ACC_CREAT) mode |= O_CREAT;
    if (flags & H5F_ACC_EXCL) mode |= O_EXCL;
    return mode | O_CLOEXEC;
}

static H5FD_t *driver_open(const char *name, unsigned flags, hid_t properties, haddr_t most) {
    (void)properties, (void)most;
    struct stat status;
    struct hdf5_driver *driver;
    int descriptor = open(name, open_flags(flags), 0666);
    if (descriptor < 0 || fstat(descriptor, &status) || memory_alloc(&driver, 1, sizeof *driver, NULL)) {
        const char *reason = strerror(errno);
        H5Epush2(H5E_DEFAULT, __FILE__, __func__, __LINE__, H5E_ERR_CLS, H5E_FILE, H5E_CANTOPENFILE, "%s",
                 reason);
        if (descriptor >= 0) close(descriptor);
        return NULL;
    }
    driver->descriptor = descriptor;
    driver->end = (haddr_t)status.st_size;
    driver->device = status.st_dev;
    driver->inode = status.st_ino;
    return &driver->base;
}

static herr_t driver_close(H5FD_t *file) {
    struct hdf5_driver *driver = self(file);
    close(driver->descriptor); /* what may have failed was said by a sync before */
    memory_free(driver->memory);
    memory_free(driver);
    return 0;
}

static int compare(uint64_t left, uint64_t right) {
    return left < right ? -1 : left > right;
}

static int driver_compare(const H5FD_t *left, const H5FD_t *right) {
    const struct hdf5_driver *a = self_const(left), *b = self_const(right);
    int by_device = compare((uint64_t)a->device, (uint64_t)b->device);
    return by_device ? by_device : compare((uint64_t)a->inode, (uint64_t)b->inode);
}

static herr_t driver_query(const H5FD_t *file, unsigned long *flags) {
    (void)file;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_SUPPORTS_SWMR_IO | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static haddr_t driver_get_eoa(const H5FD_t *file, H5FD_mem_t type) {
    (void)type;
    return self_const(file)->end_allocated;
}

static herr_t driver_set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t end) {
    (void)type;
    self(file)->end_allocated = end;
    return 0;
}

static haddr_t driver_get_eof(const H5FD_t *file, H5FD_mem_t type) {
    (void)type;
    return self_const(file)->end;
}

static herr_t driver_get_handle(H5FD_t *file, hid_t properties, void **handle) {
    (void)properties;
    *handle = file;
    return 0;
}

static herr_t driver_read(H5FD_t *file, H5FD_mem_t type, hid_t properties, haddr_t at, size_t size,
                          void *to) {
    (void)type, (void)properties;
    struct hdf5_driver *driver = self(file);
    if (driver->detached) {
        memory_read(driver, at, size, to);
        return 0;
    }
    if (!disk_read(driver->descriptor, at, size, to)) return 0;
    H5Epush2(H5E_DEFAULT, __FILE__, __func__, __LINE__, H5E_ERR_CLS, H5E_IO, H5E_READERROR, "%s",
             strerror(errno));
    return -1;
}

static herr_t driver_write(H5FD_t *file, H5FD_mem_t type, hid_t properties, haddr_t at, size_t size,
                           const void *from) {
    (void)type, (void)properties;
    struct hdf5_driver *driver = self(file);
    if (!driver->detached && disk_write(driver->descriptor, at, size, from)) fail(driver, errno);
    if (driver->detached) memory_write(driver, at, size, from);
    if (at + size > driver->end) driver->end = at + size;
    return 0;
}

static herr_t driver_truncate(H5FD_t *file, hid_t properties, hbool_t closing) {
    (void)properties, (void)closing;
    struct hdf5_driver *driver = self(file);
    if (driver->end == driver->end_allocated) return 0;
    if (!driver->detached && ftruncate(driver->descriptor, (off_t)driver->end_allocated)) fail(driver, errno);
    driver->end = driver->end_allocated;
    return 0;
}

static const H5FD_class_t driver_class = {
#if H5_VERSION_GE(1, 13, 0)
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)513, /* above 512: drivers that are not registered with the HDF Group */
#endif
    .name = "adapt",
    .maxaddr = INT64_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .open = driver_open,
    .close = driver_close,
    .cmp = driver_compare,
    .query = driver_query,
    .get_eoa = driver_get_eoa,
    .set_eoa = driver_set_eoa,
    .get_eof = driver_get_eof,
    .get_handle = driver_get_handle,
    .read = driver_read,
    .write = driver_write,
    .truncate = driver_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

/* ---- what we call */

herr_t hdf5_driver_set(hid_t access_properties) {
    hid_t driver = H5FDregister(&driver_class);
    if (driver < 0) return -1;
    herr_t set = H5Pset_driver(access_properties, driver, NULL); /* takes a reference of its own */
    H5FDunregister(driver);
    return set;
}

struct hdf5_driver *hdf5_driver_of(hid_t file) {
    void *handle = NULL;
    if (H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) < 0 || !handle) return NULL;
    return ((H5FD_t *)handle)->cls->open == driver_open ? handle : NULL;
}

int hdf5_driver_descriptor(const struct hdf5_driver *driver) {
    return driver->descriptor;
}

int hdf5_driver_failure(const struct hdf5_driver *driver) {
    return driver->failure;
}

bool hdf5_driver_detached(const struct hdf5_driver *driver) {
    return driver->detached;
}
