/* Errors: a code that is returned, and a message with context that travels beside it.
 *
 * Every function that can fail returns an int, 0 on success or a negative error_code, and takes a
 * `struct error *` as its last parameter. Callers propagate with TRY, and add what they know (the file, the
 * cell, the rank) with error_context. Nothing below runner/ prints or ends the process. */
#ifndef ADAPT_BASE_ERROR_H
#define ADAPT_BASE_ERROR_H

enum error_code {
    ERROR_NONE = 0,
    ERROR_INPUT = -1,       /* what the user gave is wrong: a file, a setting, a command line */
    ERROR_UNSUPPORTED = -2, /* well-formed input that asks for what is not implemented */
    ERROR_IO = -3,          /* the operating system refused: disk full, no permission, gone */
    ERROR_MEMORY = -4,      /* memory of the host or the device is exhausted */
    ERROR_NUMERIC = -5,     /* a number that must be finite is not */
    ERROR_DEVICE = -6,      /* the accelerator or its driver failed */
    ERROR_PEER = -7,        /* another rank of the group failed; its message is the one that counts */
    ERROR_INTERNAL = -8,    /* a broken promise between our own modules */
    ERROR_STOPPED = -9      /* a signal asked for an end; what was asked for is unfinished, not failed */
};

struct error {
    int code;           /* an error_code */
    char message[2048]; /* one line, without the program's name and without a final newline */
};

/* Sets `err` (which may be NULL) to `code` and the formatted message; returns `code`. A message too long for
 * the struct is cut. */
int error_set(struct error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts a formatted "context: " before the message that `err` already holds; returns err's code (or
 * ERROR_INTERNAL if err is NULL). */
int error_context(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As error_set with ERROR_IO, and strerror(errno) appended after ": ". */
int error_set_errno(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A short word for a code ("input", "memory", ...), for logs and for the archive. Never NULL. */
const char *error_code_name(int code);

/* Returns from the enclosing function with the code of `call` unless it is 0. */
#define TRY(call)                                                                                            \
    do {                                                                                                     \
        int try_code_ = (call);                                                                              \
        if (try_code_) return try_code_;                                                                     \
    } while (0)

#endif
