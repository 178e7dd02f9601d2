#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, int code, const char *format, ...) {
    if (!err) return code;
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    err->code = code;
    return code;
}

int error_context(struct error *err, const char *format, ...) {
    if (!err) return ERROR_INTERNAL;
    char old[sizeof err->message];
    memcpy(old, err->message, sizeof old);
    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (used < 0) used = 0;
    if ((size_t)used < sizeof err->message)
        snprintf(err->message + used, sizeof err->message - (size_t)used, ": %.*s", 2045 - used, old);
    return err->code ? err->code : ERROR_INTERNAL;
}

int error_set_errno(struct error *err, const char *format, ...) {
    const char *reason = strerror(errno);
    if (!err) return ERROR_IO;
    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof err->message)
        snprintf(err->message + used, sizeof err->message - (size_t)used, ": %s", reason);
    err->code = ERROR_IO;
    return ERROR_IO;
}

const char *error_code_name(int code) {
    switch (code) {
    case ERROR_NONE: return "none";
    case ERROR_INPUT: return "input";
    case ERROR_UNSUPPORTED: return "unsupported";
    case ERROR_IO: return "io";
    case ERROR_MEMORY: return "memory";
    case ERROR_NUMERIC: return "numeric";
    case ERROR_DEVICE: return "device";
    case ERROR_PEER: return "peer";
    case ERROR_STOPPED: return "stopped";
    default: return "internal";
    }
}
