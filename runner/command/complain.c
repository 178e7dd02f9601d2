#include "runner/command/complain.h"

#include "base/error.h"
#include <stdio.h>
#include <string.h>

void complain(const char *kind, const char *message) {
    for (const char *line = message; *line;) {
        int length = (int)strcspn(line, "\n");
        fprintf(stderr, "adapt: %s%s%.*s\n", kind ? kind : "", kind ? ": " : "", length, line);
        line += length + (line[length] == '\n');
    }
}

int complain_status(int code) {
    return code == ERROR_INPUT || code == ERROR_UNSUPPORTED ? 2 : 1;
}
