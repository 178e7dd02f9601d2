#include "runner/report/table.h"

#include "base/memory.h"
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

struct item {
    char *text; /* in the arena; NULL ends a row */
    int width;  /* columns on a screen */
};

struct table {
    struct arena *arena;
    struct item *items; /* row after row */
    size_t count, capacity;
    int left;
};

int table_create(int left, struct table **out, struct error *err) {
    *out = NULL;
    struct table *table;
    TRY(memory_alloc(&table, 1, sizeof *table, err));
    table->left = left;
    int code = arena_create(&table->arena, err);
    if (code) {
        memory_free(table);
        return code;
    }
    *out = table;
    return 0;
}

void table_destroy(struct table **table) {
    if (!*table) return;
    arena_destroy(&(*table)->arena);
    memory_free((*table)->items);
    memory_free(*table);
    *table = NULL;
}

static int screen_width(const char *text) {
    int width = 0;
    size_t left = strlen(text);
    while (left) {
        utf8proc_int32_t point;
        utf8proc_ssize_t bytes =
            utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)left, &point);
        if (bytes <= 0) {
            bytes = 1; /* not UTF-8: what a terminal shows for one byte */
            width++;
        } else {
            width += utf8proc_charwidth(point);
        }
        text += bytes;
        left -= (size_t)bytes;
    }
    return width;
}

int table_add(struct table *table, struct error *err, const char *format, ...) {
    va_list args;
    char cell[512];
    va_start(args, format);
    vsnprintf(cell, sizeof cell, format, args);
    va_end(args);
    for (char *c = cell; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f) *c = ' ';
    }
    TRY(memory_reserve(&table->items, &table->capacity, table->count + 1, sizeof *table->items, err));
    struct item *item = &table->items[table->count];
    TRY(arena_copy(table->arena, cell, strlen(cell), &item->text, err));
    item->width = screen_width(cell);
    table->count++;
    return 0;
}

int table_end_row(struct table *table, struct error *err) {
    TRY(memory_reserve(&table->items, &table->capacity, table->count + 1, sizeof *table->items, err));
    table->items[table->count++] = (struct item){NULL, 0};
    return 0;
}

/* ---- printing */

static int add_repeated(struct text *out, char c, int times, struct error *err) {
    for (int i = 0; i < times; i++) TRY(text_append(out, &c, 1, err));
    return 0;
}

static int print_row(const struct table *table, const struct item *row, const int *widths, struct text *out,
                     struct error *err) {
    for (int column = 0; row[column].text; column++) {
        int fill = widths[column] - row[column].width;
        bool right = column >= table->left, last = !row[column + 1].text;
        if (column) TRY(text_append_string(out, "  ", err));
        if (right) TRY(add_repeated(out, ' ', fill, err));
        TRY(text_append_string(out, row[column].text, err));
        if (!right && !last) TRY(add_repeated(out, ' ', fill, err));
    }
    while (out->length && out->data[out->length - 1] == ' ') out->data[--out->length] = '\0';
    return text_append_string(out, "\n", err);
}

/* widths[columns], freshly allocated. */
static int measure(const struct table *table, int **widths, int *columns, struct error *err) {
    *columns = 0;
    int column = 0;
    for (size_t i = 0; i < table->count; i++) {
        column = table->items[i].text ? column + 1 : 0;
        if (column > *columns) *columns = column;
    }
    TRY(memory_alloc(widths, (size_t)*columns, sizeof **widths, err));
    column = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct item *item = &table->items[i];
        if (item->text && item->width > (*widths)[column]) (*widths)[column] = item->width;
        column = item->text ? column + 1 : 0;
    }
    return 0;
}

static int print_rows(const struct table *table, const int *widths, int columns, struct text *out,
                      struct error *err) {
    for (size_t i = 0, start = 0; i < table->count; i++) {
        if (table->items[i].text) continue;
        TRY(print_row(table, &table->items[start], widths, out, err));
        if (start == 0) {
            int total = 2 * (columns - 1);
            for (int c = 0; c < columns; c++) total += widths[c];
            TRY(add_repeated(out, '-', total, err));
            TRY(text_append_string(out, "\n", err));
        }
        start = i + 1;
    }
    return 0;
}

int table_print(const struct table *table, struct text *out, struct error *err) {
    int *widths, columns;
    TRY(measure(table, &widths, &columns, err));
    int code = print_rows(table, widths, columns, out, err);
    memory_free(widths);
    return code;
}

const char *table_duration(double seconds, char out[DURATION_BYTES]) {
    if (!isfinite(seconds)) {
        snprintf(out, DURATION_BYTES, "-");
    } else if (seconds < 100.0) {
        snprintf(out, DURATION_BYTES, "%.0f s", seconds);
    } else if (seconds < 6000.0) {
        snprintf(out, DURATION_BYTES, "%.0f min", seconds / 60.0);
    } else if (seconds < 360000.0) {
        snprintf(out, DURATION_BYTES, "%.1f h", seconds / 3600.0);
    } else {
        snprintf(out, DURATION_BYTES, "%.1f d", seconds / 86400.0);
    }
    return out;
}
