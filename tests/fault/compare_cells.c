/* compare_cells A.h5 B.h5 [--rounding R]: two files of a cell hold the same rows, set points and evaluations:
 * every dataset and every number and text among the attributes, bit for bit, but for what tells of time and
 * place. With --rounding, real numbers may differ by R relative to the largest of their dataset. Exit status
 * 0, or 1 with what differs. */
#include <hdf5.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct comparison {
    hid_t a, b;
    double rounding;
    int datasets, attributes, differences;
};

static void differ(struct comparison *c, const char *path, const char *name, const char *what) {
    if (c->differences++ < 20) fprintf(stderr, "%s%s%s: %s\n", path, name ? "@" : "", name ? name : "", what);
}

static bool is_of_time_or_place(const char *name) {
    static const char *const names[] = {"time",         "started", "ended",   "updated", "created",
                                        "host",         "ranks",   "threads", "config",  "path",
                                        "model_folder", "backend", "link",    "message", "experiment_path"};
    if (!strncmp(name, "seconds", strlen("seconds"))) return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i])) return true;
    return false;
}

/* Values in memory: of native numbers, or of strings of variable length. */
struct values {
    hid_t type, space;
    hssize_t count;
    size_t size;
    bool text, real;
    unsigned char *bytes;
};

static bool prepare(struct values *v, hid_t type, hid_t space) {
    H5T_class_t kind = H5Tget_class(type);
    v->space = space;
    v->text = kind == H5T_STRING;
    v->real = kind == H5T_FLOAT;
    bool known = kind == H5T_FLOAT || kind == H5T_INTEGER || (v->text && H5Tis_variable_str(type) > 0);
    v->type = H5Tget_native_type(type, H5T_DIR_ASCEND);
    v->size = H5Tget_size(v->type);
    v->count = H5Sget_simple_extent_npoints(space);
    v->bytes = calloc((size_t)v->count + 1, v->size);
    return known && v->bytes;
}

static bool same_reals(const struct values *a, const struct values *b, double rounding) {
    const double *x = (const void *)a->bytes, *y = (const void *)b->bytes;
    double largest = 0.0;
    for (hssize_t i = 0; i < a->count; i++)
        if (fabs(x[i]) > largest && isfinite(x[i])) largest = fabs(x[i]);
    for (hssize_t i = 0; i < a->count; i++) {
        bool equal = !memcmp(&x[i], &y[i], sizeof *x) || (isnan(x[i]) && isnan(y[i]));
        if (!equal && !(fabs(x[i] - y[i]) <= rounding * largest)) return false;
    }
    return true;
}

static bool same(const struct values *a, const struct values *b, double rounding) {
    if (a->count != b->count || a->size != b->size || a->text != b->text) return false;
    if (a->real && a->size == sizeof(double)) return same_reals(a, b, rounding);
    if (!a->text) return !memcmp(a->bytes, b->bytes, (size_t)a->count * a->size);
    char **x = (void *)a->bytes, **y = (void *)b->bytes;
    for (hssize_t i = 0; i < a->count; i++)
        if (strcmp(x[i] ? x[i] : "", y[i] ? y[i] : "")) return false;
    return true;
}

static void drop(struct values *v) {
    if (v->bytes && v->text) H5Dvlen_reclaim(v->type, v->space, H5P_DEFAULT, v->bytes);
    free(v->bytes);
    H5Tclose(v->type);
    H5Sclose(v->space);
}

static void compare_datasets(struct comparison *c, const char *path) {
    hid_t x = H5Dopen2(c->a, path, H5P_DEFAULT), y = H5Dopen2(c->b, path, H5P_DEFAULT);
    if (x < 0 || y < 0) {
        differ(c, path, NULL, "is in one of the files only");
    } else {
        struct values a = {0}, b = {0};
        hid_t type_a = H5Dget_type(x), type_b = H5Dget_type(y);
        bool known = prepare(&a, type_a, H5Dget_space(x)) & prepare(&b, type_b, H5Dget_space(y));
        if (known && (H5Dread(x, a.type, H5S_ALL, H5S_ALL, H5P_DEFAULT, a.bytes) < 0 ||
                      H5Dread(y, b.type, H5S_ALL, H5S_ALL, H5P_DEFAULT, b.bytes) < 0))
            differ(c, path, NULL, "cannot be read");
        else if (!known)
            differ(c, path, NULL, "is of a kind that is not known here");
        else if (!same(&a, &b, c->rounding))
            differ(c, path, NULL, a.count == b.count ? "differs" : "is of another length");
        drop(&a);
        drop(&b);
        H5Tclose(type_a);
        H5Tclose(type_b);
        c->datasets++;
    }
    if (x >= 0) H5Dclose(x);
    if (y >= 0) H5Dclose(y);
}

static void compare_attribute(struct comparison *c, const char *path, const char *name) {
    hid_t x = H5Aopen_by_name(c->a, path, name, H5P_DEFAULT, H5P_DEFAULT);
    hid_t y = H5Aopen_by_name(c->b, path, name, H5P_DEFAULT, H5P_DEFAULT);
    if (x < 0 || y < 0) {
        differ(c, path, name, "is in one of the files only");
    } else {
        struct values a = {0}, b = {0};
        hid_t type_a = H5Aget_type(x), type_b = H5Aget_type(y);
        /* Dimension scales' references are of other kinds, and left out. */
        if (prepare(&a, type_a, H5Aget_space(x)) & prepare(&b, type_b, H5Aget_space(y))) {
            H5Aread(x, a.type, a.bytes);
            H5Aread(y, b.type, b.bytes);
            if (!same(&a, &b, c->rounding)) differ(c, path, name, "differs");
            c->attributes++;
        } else {
            a.text = b.text = false;
        }
        drop(&a);
        drop(&b);
        H5Tclose(type_a);
        H5Tclose(type_b);
    }
    if (x >= 0) H5Aclose(x);
    if (y >= 0) H5Aclose(y);
}

static herr_t visit_attribute(hid_t object, const char *name, const H5A_info_t *info, void *context) {
    struct comparison *c = ((void **)context)[0];
    (void)object;
    (void)info;
    if (!is_of_time_or_place(name)) compare_attribute(c, ((void **)context)[1], name);
    return 0;
}

static herr_t visit(hid_t file, const char *name, const H5O_info_t *info, void *context) {
    struct comparison *c = context;
    const char *last = strrchr(name, '/');
    (void)file;
    if (is_of_time_or_place(last ? last + 1 : name)) return 0;
    if (H5Lexists(c->b, name, H5P_DEFAULT) <= 0 && strcmp(name, ".")) {
        differ(c, name, NULL, "is in the first file only");
        return 0;
    }
    hid_t object = H5Oopen(c->a, name, H5P_DEFAULT);
    void *place[2] = {c, (void *)(size_t)name};
    H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_attribute, place);
    H5Oclose(object);
    if (info->type == H5O_TYPE_DATASET) compare_datasets(c, name);
    return 0;
}

static herr_t count_object(hid_t file, const char *name, const H5O_info_t *info, void *context) {
    (void)file;
    (void)name;
    (void)info;
    ++*(int *)context;
    return 0;
}

int main(int argc, char **argv) {
    struct comparison c = {0};
    int objects_a = 0, objects_b = 0;
    if (argc == 5 && !strcmp(argv[3], "--rounding")) c.rounding = atof(argv[4]);
    if (argc != 3 && argc != 5) return 2;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    c.a = H5Fopen(argv[1], H5F_ACC_RDONLY, H5P_DEFAULT);
    c.b = H5Fopen(argv[2], H5F_ACC_RDONLY, H5P_DEFAULT);
    if (c.a < 0 || c.b < 0) {
        fprintf(stderr, "%s cannot be opened\n", c.a < 0 ? argv[1] : argv[2]);
        return 1;
    }
    H5Ovisit2(c.a, H5_INDEX_NAME, H5_ITER_INC, visit, &c, H5O_INFO_BASIC);
    H5Ovisit2(c.a, H5_INDEX_NAME, H5_ITER_INC, count_object, &objects_a, H5O_INFO_BASIC);
    H5Ovisit2(c.b, H5_INDEX_NAME, H5_ITER_INC, count_object, &objects_b, H5O_INFO_BASIC);
    if (objects_a != objects_b) differ(&c, "/", NULL, "the files hold different numbers of objects");
    H5Fclose(c.a);
    H5Fclose(c.b);
    if (c.datasets < 20) differ(&c, "/", NULL, "is not a cell's file");
    if (c.differences) fprintf(stderr, "%s and %s: %d differences\n", argv[1], argv[2], c.differences);
    return c.differences > 0;
}
