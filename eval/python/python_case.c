#include "eval/python/python_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <utf8proc.h>

/* Title case where it takes several code points (SpecialCasing.txt, unconditional). */
static const struct {
    uint16_t point, title[3];
} long_titles[] = {
    {0x00df, {0x0053, 0x0073}},         {0x0149, {0x02bc, 0x004e}},
    {0x01f0, {0x004a, 0x030c}},         {0x0390, {0x0399, 0x0308, 0x0301}},
    {0x03b0, {0x03a5, 0x0308, 0x0301}}, {0x0587, {0x0535, 0x0582}},
    {0x1e96, {0x0048, 0x0331}},         {0x1e97, {0x0054, 0x0308}},
    {0x1e98, {0x0057, 0x030a}},         {0x1e99, {0x0059, 0x030a}},
    {0x1e9a, {0x0041, 0x02be}},         {0x1f50, {0x03a5, 0x0313}},
    {0x1f52, {0x03a5, 0x0313, 0x0300}}, {0x1f54, {0x03a5, 0x0313, 0x0301}},
    {0x1f56, {0x03a5, 0x0313, 0x0342}}, {0x1fb2, {0x1fba, 0x0345}},
    {0x1fb4, {0x0386, 0x0345}},         {0x1fb6, {0x0391, 0x0342}},
    {0x1fb7, {0x0391, 0x0342, 0x0345}}, {0x1fc2, {0x1fca, 0x0345}},
    {0x1fc4, {0x0389, 0x0345}},         {0x1fc6, {0x0397, 0x0342}},
    {0x1fc7, {0x0397, 0x0342, 0x0345}}, {0x1fd2, {0x0399, 0x0308, 0x0300}},
    {0x1fd3, {0x0399, 0x0308, 0x0301}}, {0x1fd6, {0x0399, 0x0342}},
    {0x1fd7, {0x0399, 0x0308, 0x0342}}, {0x1fe2, {0x03a5, 0x0308, 0x0300}},
    {0x1fe3, {0x03a5, 0x0308, 0x0301}}, {0x1fe4, {0x03a1, 0x0313}},
    {0x1fe6, {0x03a5, 0x0342}},         {0x1fe7, {0x03a5, 0x0308, 0x0342}},
    {0x1ff2, {0x1ffa, 0x0345}},         {0x1ff4, {0x038f, 0x0345}},
    {0x1ff6, {0x03a9, 0x0342}},         {0x1ff7, {0x03a9, 0x0342, 0x0345}},
    {0xfb00, {0x0046, 0x0066}},         {0xfb01, {0x0046, 0x0069}},
    {0xfb02, {0x0046, 0x006c}},         {0xfb03, {0x0046, 0x0066, 0x0069}},
    {0xfb04, {0x0046, 0x0066, 0x006c}}, {0xfb05, {0x0053, 0x0074}},
    {0xfb06, {0x0053, 0x0074}},         {0xfb13, {0x0544, 0x0576}},
    {0xfb14, {0x0544, 0x0565}},         {0xfb15, {0x0544, 0x056b}},
    {0xfb16, {0x054e, 0x0576}},         {0xfb17, {0x0544, 0x056d}},
};

static int append_point(struct text *out, int32_t point, struct error *err) {
    utf8proc_uint8_t bytes[4];
    utf8proc_ssize_t size = utf8proc_encode_char(point, bytes);
    return text_append(out, bytes, (size_t)size, err);
}

static int append_title(struct text *out, int32_t point, struct error *err) {
    for (size_t i = 0; i < sizeof long_titles / sizeof long_titles[0]; i++) {
        if (long_titles[i].point != point) continue;
        for (size_t j = 0; j < 3 && long_titles[i].title[j]; j++) {
            TRY(append_point(out, long_titles[i].title[j], err));
        }
        return 0;
    }
    return append_point(out, utf8proc_totitle(point), err);
}

/* Upper and lower case by property and not by category: Other_Uppercase, Other_Lowercase (PropList.txt). */
struct point_range {
    int32_t first, last;
};
static const struct point_range other_upper[] = {
    {0x2160, 0x216f}, {0x24b6, 0x24cf}, {0x1f130, 0x1f149}, {0x1f150, 0x1f169}, {0x1f170, 0x1f189}};
static const struct point_range other_lower[] = {
    {0xaa, 0xaa},       {0xba, 0xba},       {0x2b0, 0x2b8},     {0x2c0, 0x2c1},    {0x2e0, 0x2e4},
    {0x345, 0x345},     {0x37a, 0x37a},     {0x1d2c, 0x1d6a},   {0x1d78, 0x1d78},  {0x1d9b, 0x1dbf},
    {0x2071, 0x2071},   {0x207f, 0x207f},   {0x2090, 0x209c},   {0x2170, 0x217f},  {0x24d0, 0x24e9},
    {0x2c7c, 0x2c7d},   {0xa69c, 0xa69d},   {0xa770, 0xa770},   {0xa7f8, 0xa7f9},  {0xab5c, 0xab5f},
    {0x10780, 0x10780}, {0x10783, 0x10785}, {0x10787, 0x107b0}, {0x107b2, 0x107ba}};

/* Case_Ignorable by Word_Break: MidLetter, MidNumLet and Single_Quote (WordBreakProperty.txt). */
static const struct point_range other_ignorable[] = {
    {'\'', '\''},     {'.', '.'},       {':', ':'},       {0xb7, 0xb7},
    {0x387, 0x387},   {0x55f, 0x55f},   {0x5f4, 0x5f4},   {0x2018, 0x2019},
    {0x2024, 0x2024}, {0x2027, 0x2027}, {0xfe13, 0xfe13}, {0xfe52, 0xfe52},
    {0xfe55, 0xfe55}, {0xff07, 0xff07}, {0xff0e, 0xff0e}, {0xff1a, 0xff1a}};

static bool is_within(int32_t point, const struct point_range *ranges, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (point >= ranges[i].first && point <= ranges[i].last) return true;
    }
    return false;
}
#define IS_WITHIN(point, ranges) is_within(point, ranges, sizeof(ranges) / sizeof(ranges)[0])

static bool is_upper(int32_t point) {
    return utf8proc_category(point) == UTF8PROC_CATEGORY_LU || IS_WITHIN(point, other_upper);
}

static bool is_lower(int32_t point) {
    return utf8proc_category(point) == UTF8PROC_CATEGORY_LL || IS_WITHIN(point, other_lower);
}

static bool is_title(int32_t point) {
    return utf8proc_category(point) == UTF8PROC_CATEGORY_LT;
}

/* Unicode's derived properties Cased, for what is not case-ignorable, and Case_Ignorable. */
static bool is_cased(int32_t point) {
    return is_upper(point) || is_lower(point) || is_title(point);
}

static bool is_case_ignorable(int32_t point) {
    switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK: return true;
    default: return IS_WITHIN(point, other_ignorable);
    }
}

/* Whether the capital sigma before byte `next` ends its word (Final_Sigma of the Unicode standard, 3.13).
 * `cased`: the nearest code point before it that is not case-ignorable is cased. */
static bool is_final_sigma(const char *text, size_t length, size_t next, bool cased) {
    while (cased && next < length) {
        size_t used;
        int32_t point = python_point_at(text, length, next, &used);
        if (!is_case_ignorable(point)) return !is_cased(point);
        next += used;
    }
    return cased;
}

/* Appends text[at ..] in lower case. `cased`: as is_final_sigma has it, for the code point at `at`. */
static int append_lower(const char *text, size_t length, size_t at, bool cased, struct text *out,
                        struct error *err) {
    for (size_t used; at < length; at += used) {
        int32_t point = python_point_at(text, length, at, &used);
        if (point == 0x130) { /* the one code point whose lower case is two */
            TRY(text_append_string(out, "i\xcc\x87", err));
        } else if (point == 0x3a3) {
            TRY(append_point(out, is_final_sigma(text, length, at + used, cased) ? 0x3c2 : 0x3c3, err));
        } else {
            TRY(append_point(out, utf8proc_tolower(point), err));
        }
        if (!is_case_ignorable(point)) cased = is_cased(point);
    }
    return 0;
}

int python_lower(const char *text, size_t length, struct text *out, struct error *err) {
    return append_lower(text, length, 0, false, out, err);
}

int python_capitalize(const char *text, size_t length, struct text *out, struct error *err) {
    if (!length) return 0;
    size_t used;
    int32_t first = python_point_at(text, length, 0, &used);
    TRY(append_title(out, first, err));
    return append_lower(text, length, used, !is_case_ignorable(first) && is_cased(first), out, err);
}

bool python_is_upper(const char *text, size_t length) {
    bool upper = false;
    for (size_t at = 0, used; at < length; at += used) {
        int32_t point = python_point_at(text, length, at, &used);
        if (is_lower(point) || is_title(point)) return false;
        upper |= is_upper(point);
    }
    return upper;
}

bool python_is_lower(const char *text, size_t length) {
    bool lower = false;
    for (size_t at = 0, used; at < length; at += used) {
        int32_t point = python_point_at(text, length, at, &used);
        if (is_upper(point) || is_title(point)) return false;
        lower |= is_lower(point);
    }
    return lower;
}
