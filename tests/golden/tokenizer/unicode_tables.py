"""Prints the rows of io/tokenizer/unicode_tables.c: where Unicode data differ from what the reference goes by.

usage: unicode_tables.py        (needs tokenizers 0.23.3, unicodedata2 18.0.0, and a Python with Unicode 14: 3.11)

The reference, Hugging Face tokenizers, is asked code point by code point. A code point is in the first table when its class
(letter, number, mark or other) in the reference is not the class it has in every Unicode version from 14 (the oldest PCRE2
that we build with) to the newest known: the table then says the class in the reference. It is in the second when it takes
part in normal form C in the newest Unicode but not in the reference.
"""
import unicodedata

import unicodedata2
from tokenizers import Regex, normalizers, pre_tokenizers

POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
EVERYTHING = "".join(map(chr, POINTS))


def matched(regex):
    split = pre_tokenizers.Split(Regex(regex), "removed", invert=True)
    return {ord(c) for part, _ in split.pre_tokenize_str(EVERYTHING) for c in part}


def reference_classes():
    letters, numbers, marks = matched(r"\p{L}"), matched(r"\p{N}"), matched(r"\p{M}")
    digits = {ord(part) for part, _ in pre_tokenizers.Digits(individual_digits=True).pre_tokenize_str(
        "a" + "a".join(map(chr, POINTS)) + "a") if len(part) == 1 and part != "a"}
    return {c: "LETTER" if c in letters else "NUMBER" if c in numbers else "MARK" if c in marks else
               "DIGITS" if c in digits else "OTHER" for c in POINTS}


def class_of(category):
    return {"L": "LETTER", "N": "NUMBER", "M": "MARK"}.get(category[0], "OTHER")


def class_rows():
    ours = reference_classes()
    differ = {c for c in POINTS if {class_of(unicodedata.category(chr(c))), class_of(unicodedata2.category(chr(c)))}
              != {ours[c]}}
    differ.add(0x180E)  # PCRE2 counts it as white space
    return rows(differ, lambda c: ours[c])


def inert_rows():
    compose, decompose = normalizers.NFC().normalize_str, normalizers.NFD().normalize_str
    inert = set()
    for c in POINTS:
        char = chr(c)
        parts = unicodedata2.normalize("NFD", char)
        if parts != char:
            if decompose(char) == char:
                inert.add(c)
                first = int(unicodedata2.decomposition(char).split()[0], 16)
                if compose(chr(first) + "\u0301") == chr(first) + "\u0301":
                    inert.add(first)  # so that the new composition does not happen
        elif unicodedata2.combining(char):
            moves = decompose("\u0345" + char) != "\u0345" + char or decompose(char + "\u0334") != char + "\u0334"
            if not moves:
                inert.add(c)
    inert -= {0x345, 0x334}
    return rows(inert, lambda c: None)


def rows(points, label):
    out = []
    for c in sorted(points):
        if out and out[-1][1] == c - 1 and out[-1][2] == label(c):
            out[-1][1] = c
        else:
            out.append([c, c, label(c)])
    return ["{" + ", ".join([f"0x{a:05x}", f"0x{b:05x}"] + [x] * (x is not None)) + "}," for a, b, x in out]


print("class_ranges:", *class_rows(), sep="\n")
print("inert_ranges:", *inert_rows(), sep="\n")
