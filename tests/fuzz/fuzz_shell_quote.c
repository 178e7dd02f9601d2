/* Any bytes as a word of a shell script: by the shell's grammar every quoted text is one word that stands for
 * exactly these bytes; and some of them are given to sh itself. */
#include "slurm/shell_quote.h"

#include <errno.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the word stands for, by XCU 2.2: single quotes take everything as it is; outside of them only plain
 * characters and an escaped quote may stand. Aborts on anything else. */
static size_t unquote(const char *word, char *out) {
    size_t length = 0;
    while (*word) {
        if (*word == '\'') {
            for (word++; *word != '\''; word++) {
                if (!*word) abort();
                out[length++] = *word;
            }
            word++;
        } else if (*word == '\\') {
            if (word[1] != '\'') abort();
            out[length++] = '\'';
            word += 2;
        } else {
            if (strchr(" \t\n|&;<>()$`\"*?[]#~!{}^", *word) || (unsigned char)*word < ' ' ||
                (unsigned char)*word > 126)
                abort();
            out[length++] = *word++;
        }
    }
    return length;
}

/* sh -c "printf %s WORD" into a file in memory. */
static void ask_shell(const char *word, const char *data) {
    struct text command = {0};
    size_t length = strlen(data);
    char *found = malloc(length + 2);
    int file = memfd_create("out", 0), status = 0;
    pid_t child;
    posix_spawn_file_actions_t actions;
    if (!found || file < 0 || text_printf(&command, NULL, "w=%s; printf %%s \"$w\"", word)) abort();
    char *argv[] = {(char *)"sh", (char *)"-c", command.data, NULL}, *none[] = {NULL};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, file, 1);
    if (posix_spawn(&child, "/bin/sh", &actions, NULL, argv, none)) abort();
    while (waitpid(child, &status, 0) != child) /* libFuzzer's alarm interrupts it */
        if (errno != EINTR) abort();
    if (status || pread(file, found, length + 2, 0) != (ssize_t)length || memcmp(found, data, length))
        abort();
    posix_spawn_file_actions_destroy(&actions);
    close(file);
    free(found);
    text_free(&command);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static unsigned turn;
    struct text word = {0};
    char *data = malloc(size + 1), *back = malloc(size + 1);
    if (!data || !back) return 0;
    size_t length = strnlen((const char *)bytes, size);
    if (length) memcpy(data, bytes, length);
    data[length] = 0;
    if (shell_quote(data, &word, NULL) || !word.length) abort();
    if (unquote(text_string(&word), back) != length || memcmp(back, data, length)) abort();
    if (length < 4096 && turn++ % 256 == 0) ask_shell(text_string(&word), data);
    text_free(&word);
    free(back);
    free(data);
    return 0;
}
