#include "eval/overlap/overlap.h"

#include "base/hash.h"
#include "base/memory.h"
#include "eval/benchmarks/benchmark.h"
#include "eval/overlap/ngrams.h"
#include "io/file.h"
#include <string.h>

static const char suffix[] = ".jsonl";

/* A place of the table; free while `benchmarks` is 0. */
struct slot {
    uint64_t gram;
    uint64_t benchmarks; /* that have it */
};

/* A benchmark's records, and where in `record` they begin. */
struct benchmark_records {
    size_t begin, count;
    int64_t without;
};

struct overlap {
    struct slot *slots;   /* [1 << bits], open addressing with linear probing, at most half full */
    unsigned char *found; /* [1 << bits] the gram was in a text that was looked at */
    int bits;
    size_t used;
    struct ngrams all;    /* the records' n-grams, record after record */
    struct ngrams looked; /* those of the texts that are being looked at */
    size_t *record;       /* [record_count] index of the first n-gram behind a record's */
    size_t record_count, record_capacity;
    struct benchmark_records benchmark[OVERLAP_BENCHMARKS_MAX];
    int benchmarks;
};

/* ---- the table */

enum { FIRST_BITS = 10, LOOK_AHEAD = 16 };

/* Fingerprints are well mixed: their high bits are as good as any. */
static size_t home(const struct overlap *overlap, uint64_t gram) {
    return (size_t)(gram >> (64 - overlap->bits));
}

/* The slot that holds the gram, or the free one where it belongs. */
static size_t find(const struct overlap *overlap, uint64_t gram) {
    size_t mask = ((size_t)1 << overlap->bits) - 1, at = home(overlap, gram);
    while (overlap->slots[at].benchmarks && overlap->slots[at].gram != gram) at = (at + 1) & mask;
    return at;
}

/* Begins loading what find will read first: the table is larger than the caches, and the n-grams to come are
 * known. */
static void prefetch(const struct overlap *overlap, const struct ngrams *grams, size_t at) {
    if (at < grams->count) __builtin_prefetch(&overlap->slots[home(overlap, grams->gram[at])]);
}

static int grow(struct overlap *overlap, int bits, struct error *err) {
    struct overlap old = *overlap;
    size_t size = (size_t)1 << bits;
    struct slot *slots;
    unsigned char *found;
    TRY(memory_alloc(&slots, size, sizeof *slots, err));
    if (memory_alloc(&found, size, 1, err)) {
        memory_free(slots);
        return ERROR_MEMORY;
    }
    overlap->slots = slots;
    overlap->found = found;
    overlap->bits = bits;
    for (size_t i = 0; old.slots && i < (size_t)1 << old.bits; i++) {
        if (!old.slots[i].benchmarks) continue;
        size_t at = find(overlap, old.slots[i].gram);
        slots[at] = old.slots[i];
        found[at] = old.found[i];
    }
    memory_free(old.slots);
    memory_free(old.found);
    return 0;
}

/* Enters the n-grams from `begin` on. */
static int enter(struct overlap *overlap, size_t begin, uint64_t benchmark, struct error *err) {
    const struct ngrams *all = &overlap->all;
    for (size_t i = begin; i < all->count; i++) {
        if (2 * (overlap->used + 1) > (size_t)1 << overlap->bits) TRY(grow(overlap, overlap->bits + 1, err));
        prefetch(overlap, all, i + LOOK_AHEAD);
        struct slot *slot = &overlap->slots[find(overlap, all->gram[i])];
        overlap->used += !slot->benchmarks;
        slot->gram = all->gram[i];
        slot->benchmarks |= benchmark;
    }
    return 0;
}

/* ---- records */

static int add_strings(struct ngrams *grams, const cJSON *value, struct error *err) {
    if (cJSON_IsString(value)) TRY(ngrams_append(grams, value->valuestring, strlen(value->valuestring), err));
    const cJSON *item;
    if (cJSON_IsObject(value) || cJSON_IsArray(value)) {
        cJSON_ArrayForEach(item, value) TRY(add_strings(grams, item, err));
    }
    return 0;
}

/* The benchmark that is being added. */
struct adding {
    struct overlap *overlap;
    const struct benchmark *benchmark;
    long long limit;
    struct text text;
};

/* The question with each of its choices, if they stand inside it: else all choices share one context. */
static int add_choices(struct adding *adding, struct record *record, struct error *err) {
    struct document document = {0};
    TRY(adding->benchmark->render(record, &document, err));
    bool inside = document.requests > 1 && strcmp(document.context[0], document.context[1]);
    for (int i = 0; inside && i < document.requests; i++) {
        text_clear(&adding->text);
        TRY(text_append_string(&adding->text, document.context[i], err));
        TRY(text_append_string(&adding->text, document.continuation[i], err));
        TRY(ngrams_append(&adding->overlap->all, text_string(&adding->text), adding->text.length, err));
    }
    return 0;
}

static int add_texts(struct adding *adding, struct record *record, struct error *err) {
    TRY(add_strings(&adding->overlap->all, record->object, err));
    if (benchmark_generates(adding->benchmark)) return 0;
    TRY(arena_create(&record->arena, err)); /* a record is not needed any more when its n-grams are taken */
    int code = add_choices(adding, record, err);
    arena_destroy(&record->arena);
    return code;
}

static int take_record(void *context, struct record *record, struct error *err) {
    struct adding *adding = context;
    struct overlap *overlap = adding->overlap;
    struct benchmark_records *benchmark = &overlap->benchmark[overlap->benchmarks];
    TRY(memory_reserve(&overlap->record, &overlap->record_capacity, overlap->record_count + 1,
                       sizeof *overlap->record, err));
    size_t begin = overlap->all.count;
    TRY(add_texts(adding, record, err));
    overlap->record[overlap->record_count++] = overlap->all.count;
    benchmark->count++;
    benchmark->without += overlap->all.count == begin;
    return enter(overlap, begin, (uint64_t)1 << overlap->benchmarks, err);
}

/* Calls `use` for the file, or for each file of the folder, in order of name. */
static int for_each_file(const char *path, int (*use)(void *context, const char *file, struct error *err),
                         void *context, struct error *err) {
    if (!file_is_folder(path)) return use(context, path, err);
    char **names;
    size_t count;
    TRY(file_list(path, suffix, &names, &count, err));
    int code = count ? 0 : error_set(err, ERROR_INPUT, "%s: holds no *%s files", path, suffix);
    for (size_t i = 0; i < count && !code; i++) {
        char *file;
        code = file_join(path, names[i], &file, err);
        if (code) break;
        code = use(context, file, err);
        memory_free(file);
    }
    file_free_list(names, count);
    return code;
}

static int add_file(void *context, const char *file, struct error *err) {
    struct adding *adding = context;
    char hash[HASH_HEX_BYTES];
    return record_read(file, adding->limit, NULL, take_record, adding, hash, err);
}

int overlap_add(struct overlap *overlap, const char *benchmark, const char *path, long long limit,
                struct error *err) {
    if (overlap->benchmarks == OVERLAP_BENCHMARKS_MAX)
        return error_set(err, ERROR_UNSUPPORTED, "more than %d benchmarks to look for",
                         OVERLAP_BENCHMARKS_MAX);
    struct adding adding = {.overlap = overlap, .limit = limit};
    TRY(benchmark_get(benchmark, &adding.benchmark, err));
    overlap->benchmark[overlap->benchmarks] = (struct benchmark_records){.begin = overlap->record_count};
    int code = for_each_file(path, add_file, &adding, err);
    text_free(&adding.text);
    if (!code) overlap->benchmarks++;
    return code;
}

struct overlap_records overlap_records(const struct overlap *overlap, int index) {
    const struct benchmark_records *benchmark = &overlap->benchmark[index];
    struct overlap_records out = {.all = (int64_t)benchmark->count, .without = benchmark->without};
    size_t gram = benchmark->begin ? overlap->record[benchmark->begin - 1] : 0;
    for (size_t i = benchmark->begin; i < benchmark->begin + benchmark->count; i++) {
        bool found = false;
        for (; gram < overlap->record[i]; gram++)
            found = found || overlap->found[find(overlap, overlap->all.gram[gram])];
        out.found += found;
    }
    return out;
}

/* ---- looking */

int overlap_look(struct overlap *overlap, const char *const *texts, int count, uint64_t *benchmarks,
                 struct error *err) {
    struct ngrams *looked = &overlap->looked;
    *benchmarks = 0;
    ngrams_clear(looked);
    for (int i = 0; i < count; i++) TRY(ngrams_append(looked, texts[i], strlen(texts[i]), err));
    for (size_t i = 0; i < LOOK_AHEAD; i++) prefetch(overlap, looked, i);
    for (size_t i = 0; i < looked->count; i++) {
        prefetch(overlap, looked, i + LOOK_AHEAD);
        size_t at = find(overlap, looked->gram[i]);
        if (!overlap->slots[at].benchmarks) continue;
        *benchmarks |= overlap->slots[at].benchmarks;
        overlap->found[at] = 1;
    }
    return 0;
}

/* ---- content */

static int hash_file(void *context, const char *file, struct error *err) {
    struct hash *hash = context;
    struct file_map map;
    char hex[HASH_HEX_BYTES];
    if (!file_exists(file))
        return error_set(err, ERROR_INPUT, "%s: no such file (one JSON object a line expected)", file);
    TRY(file_map(file, &map, err));
    int code = hash_bytes(map.data, map.length, hex, err);
    file_unmap(&map);
    return code ? code : hash_update_string(hash, hex, err);
}

int overlap_content(const char *path, char hex[65], struct error *err) {
    struct hash *hash;
    TRY(hash_create(&hash, err));
    int code = for_each_file(path, hash_file, hash, err);
    if (!code) return hash_finish(&hash, hex, err);
    hash_destroy(&hash);
    return code;
}

/* ---- life */

int overlap_create(int words, struct overlap **out, struct error *err) {
    *out = NULL;
    if (words < 1 || words > NGRAMS_WORDS_MAX)
        return error_set(err, ERROR_INPUT, "n-grams of %d words (1 to %d are expected)", words,
                         NGRAMS_WORDS_MAX);
    struct overlap *overlap;
    TRY(memory_alloc(&overlap, 1, sizeof *overlap, err));
    overlap->all.words = overlap->looked.words = words;
    int code = grow(overlap, FIRST_BITS, err);
    if (code) {
        overlap_destroy(&overlap);
    } else {
        *out = overlap;
    }
    return code;
}

void overlap_destroy(struct overlap **out) {
    struct overlap *overlap = *out;
    *out = NULL;
    if (!overlap) return;
    memory_free(overlap->slots);
    memory_free(overlap->found);
    ngrams_free(&overlap->all);
    ngrams_free(&overlap->looked);
    memory_free(overlap->record);
    memory_free(overlap);
}
