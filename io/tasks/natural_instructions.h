/* Task files in the Natural Instructions v2 format (Wang et al., 2022), read as a stream: the file is mapped,
 * one pass finds where its top-level values lie (in any order), and instances are parsed one at a time. So
 * memory does not grow with the file.
 *
 *     { "Definition": ["..."], "Categories": ["..."], "Positive Examples": [{"input": "...", "output":
 * "..."}], "Instances": [{"id": "...", "input": "...", "output": ["...", ...]}, ...], ... }
 *
 * Keys that are not named here are skipped without a look inside. */
#ifndef ADAPT_IO_NATURAL_INSTRUCTIONS_H
#define ADAPT_IO_NATURAL_INSTRUCTIONS_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>

/* Borrowed from the file, valid until the next instance is read. */
struct instructions_instance {
    const char *input;  /* may be "" */
    const char *output; /* the first of "output"; never blank */
    size_t number;      /* from 1 */
};

/* An entry of "Positive Examples"; borrowed from the file. */
struct instructions_example {
    const char *input, *output;
};

struct instructions_file;

/* Opens a file and reads all but its instances. At most `examples` Positive Examples are kept. ERROR_INPUT,
 * naming the file and the place, when the text is cut short or not an object, a key is given twice,
 * "Instances" is missing, or one of the keys above has the wrong type; "Definition", "Categories" and
 * "Positive Examples" may be missing or empty. */
int instructions_open(const char *path, size_t examples, struct instructions_file **out, struct error *err);
/* As instructions_open, for bytes that stay the caller's and must outlive *out. `path` is used in messages.
 */
int instructions_open_bytes(const char *path, const char *bytes, size_t length, size_t examples,
                            struct instructions_file **out, struct error *err);
void instructions_close(struct instructions_file **file);

/* The definition (its first string where there are several, as the format's authors use it), or "". */
const char *instructions_definition(const struct instructions_file *file);
/* The first category, or NULL when there is none. */
const char *instructions_category(const struct instructions_file *file);
/* The Positive Examples that were kept. */
const struct instructions_example *instructions_examples(const struct instructions_file *file, size_t *count);

enum instructions_found { INSTRUCTIONS_END, INSTRUCTIONS_INSTANCE, INSTRUCTIONS_BAD };

/* Reads the next instance. *found says what there was: the end, an instance (in *out), or a malformed one;
 * then *out holds its number only, and the next call goes on behind it. A result other than 0 means that the
 * list itself is damaged or memory is out. */
int instructions_next(struct instructions_file *file, struct instructions_instance *out,
                      enum instructions_found *found, struct error *err);
/* ERROR_INPUT with what is wrong with the malformed instance that was just found: "FILE: instance 17 (line
 * 240): ...". */
int instructions_explain(const struct instructions_file *file, struct error *err);
/* Goes back to the first instance. */
void instructions_rewind(struct instructions_file *file);

#endif
