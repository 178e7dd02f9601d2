#include "eval/sandbox/python.h"

#include "base/spawn.h"
#include <string.h>
#include <unistd.h>

enum { PROBE_SECONDS = 60 }; /* a cold network file system */

/* Prints "KIND value" lines: the executable, folders to show, sys.path. Modules with libraries of their own
 * are loaded so that the map of the process tells where these are. Folders that hold the home folder are
 * never shown. */
static const char probe[] =
    "import os, sys\n"
    "if sys.version_info < (3, 6):\n"
    "    sys.exit('Python 3.6 or newer is needed, this is ' + sys.version.split()[0])\n"
    "for name in 'bz2 ctypes decimal hashlib lzma math sqlite3 ssl uuid zlib numpy'.split():\n"
    "    try:\n"
    "        __import__(name)\n"
    "    except Exception:\n"
    "        pass\n"
    "real = os.path.realpath\n"
    "home = real(os.path.expanduser('~')) + '/'\n"
    "folders = []\n"
    "def show(folder):\n"
    "    for each in (os.path.abspath(folder), real(folder)):\n"
    "        if os.path.isdir(each) and not home.startswith(real(each).rstrip('/') + '/') and '\\n' not in "
    "each:\n"
    "            folders.append(each)\n"
    "def shown(path):\n"
    "    return any(path == folder or path.startswith(folder + '/') for folder in folders)\n"
    "for prefix in (sys.base_prefix, sys.base_exec_prefix, sys.prefix, sys.exec_prefix):\n"
    "    for name in ('lib', 'lib64'):\n"
    "        show(os.path.join(prefix, name))\n"
    "if sys.base_prefix == '/usr':\n"
    "    show('/usr/local/lib')\n"
    "with open('/proc/self/maps') as maps:\n"
    "    for line in maps:\n"
    "        part = line.rstrip('\\n').split(None, 5)\n"
    "        if len(part) == 6 and '.so' in part[5] and not shown(os.path.dirname(part[5])):\n"
    "            show(os.path.dirname(part[5]))\n"
    "print('python', real(getattr(sys, '_base_executable', None) or sys.executable))\n"
    "for folder in sorted(set(folders)):\n"
    "    print('folder', folder)\n"
    "for path in sys.path:\n"
    "    if os.path.isabs(path) and (shown(path) or shown(real(path))):\n"
    "        print('path', path)\n";

static int list_add(struct arena *arena, struct python_list *list, const char *name, size_t length,
                    size_t most, struct error *err) {
    if (!list->names) TRY(arena_alloc(arena, &list->names, most + 1, sizeof *list->names, err));
    TRY(arena_copy(arena, name, length, &list->names[list->count], err));
    list->count++;
    return 0;
}

static int read_answer(struct python *out, const char *answer, struct error *err) {
    size_t lines = 0;
    for (const char *at = answer; *at; at++) lines += *at == '\n';
    for (const char *line = answer; *line;) {
        size_t length = strcspn(line, "\n"), key = strcspn(line, " \n");
        const char *value = line + key + 1;
        size_t rest = length > key ? length - key - 1 : 0;
        if (rest && key == 6 && !strncmp(line, "python", key)) {
            TRY(arena_copy(out->arena, value, rest, &out->executable, err));
        } else if (rest && key == 6 && !strncmp(line, "folder", key)) {
            TRY(list_add(out->arena, &out->folders, value, rest, lines, err));
        } else if (rest && key == 4 && !strncmp(line, "path", key)) {
            TRY(list_add(out->arena, &out->path, value, rest, lines, err));
        }
        line += length + (line[length] == '\n');
    }
    if (out->executable && out->executable[0] == '/' && out->folders.count && out->path.count) return 0;
    return error_set(err, ERROR_INPUT, "python3 does not say where its library is");
}

/* The last line of a text, without the newline after it. */
static const char *last_line(struct text *text) {
    while (text->length && text->data[text->length - 1] == '\n') text->data[--text->length] = '\0';
    const char *end = strrchr(text_string(text), '\n');
    return end ? end + 1 : text_string(text);
}

int python_find(struct python *out, struct error *err) {
    *out = (struct python){0};
    char *found;
    TRY(spawn_find("python3", &found, err));
    if (!found)
        return error_set(err, ERROR_INPUT,
                         "no python3 in PATH: programs of the code benchmarks are written in Python");
    char *argv[] = {(char[]){"python3"}, (char[]){"-s"}, (char[]){"-B"}, (char[]){"-c"}, NULL, NULL};
    char text_of_probe[sizeof probe];
    memcpy(text_of_probe, probe, sizeof probe);
    argv[4] = text_of_probe;
    struct text answer = {0};
    int status = -1;
    int code = arena_create(&out->arena, err);
    if (!code) code = spawn_capture(found, argv, environ, PROBE_SECONDS, &answer, &status, err);
    if (!code && status != 0)
        code = error_set(err, ERROR_INPUT, "%s does not work: %s", found,
                         answer.length ? last_line(&answer) : "it ended with an error and said nothing");
    if (!code) code = read_answer(out, text_string(&answer), err);
    text_free(&answer);
    memory_free(found);
    return code;
}

void python_free(struct python *python) {
    arena_destroy(&python->arena);
    *python = (struct python){0};
}
