"""Compares `adapt tokenize` with the reference implementation, Hugging Face tokenizers, on random Unicode text.

usage: tokenizer_live.py ADAPT TOKENIZERS_FOLDER [--seed N] [--count N] [--sweep]

TOKENIZERS_FOLDER has one folder for each tokenizer, with a tokenizer.json. --sweep adds every code point in several
contexts. Exits 0 when every id and every decoded text is equal, else 1 with the first differences.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile

import tokenizers

WORDS = """the of and to in is was he for it with as his on be at by had not are but from or have an they which one you
were her all she there would their we him been has when who will more no if out so said what up its about than into them
can only other new some could time these two may then do first any my now such like our over man me even most made after
also did many before must through back years where much your way well down should because each just those people mr how
too little state good very make world still own see men work long get here between both life being under never day same
another know while last might us great old year off come since against go came right used take three""".split()
CONTRACTIONS = ["'s", "'S", "'t", "'T", "'re", "'RE", "'rE", "'ve", "'VE", "'m", "'M", "'ll", "'LL", "'lL", "'d", "'D",
                "'\u017f", "'\u017fx", "\u2019s", "''s", "'x", "' s", "'\u212a"]
SPACES = [chr(c) for c in [9, 10, 11, 12, 13, 28, 29, 30, 31, 32, 32, 32, 32, 0x85, 0xA0, 0x1680, 0x180E,
                           *range(0x2000, 0x2010), 0x2028, 0x2029, 0x202F, 0x205F, 0x2060, 0x3000, 0xFEFF]] + ["\r\n"]
ODD = ["\0", "\ufffd", "\ufffe", "\uffff", "\U0010ffff", "\x7f", "\x80", "\xad", "\u0149", "\u0130", "\u0131", "\xdf",
       "\u1e9e", "\u017f", "\u212a", "\u2581", "\u0120", "\u010a", "\ufb06", "\ufb01", "<0x0A>", "<0xE2>", "<unk>"]
EMOJI = ["\U0001F468\u200D\U0001F469\u200D\U0001F467\u200D\U0001F466", "\U0001F44D\U0001F3FD", "\U0001F1E9\U0001F1EA",
         "\u2764\ufe0f\u200d\U0001F525", "1\ufe0f\u20e3", "\U0001F600", "\U0001FAE8", "\U0001F6DC"]
BLOCKS = [(0x21, 0x7E), (0x21, 0x7E), (0xA1, 0x24F), (0x250, 0x36F), (0x300, 0x36F), (0x370, 0x52F), (0x591, 0x6FF),
          (0x660, 0x669), (0x700, 0x8FF), (0x900, 0xDFF), (0xE00, 0xFFF), (0x1000, 0x10FF), (0x1100, 0x11FF),
          (0x1200, 0x17FF), (0x1800, 0x1CFF), (0x1D00, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x2BFF), (0x2460, 0x24FF),
          (0x2C00, 0x2FFF), (0x3040, 0x30FF), (0x3130, 0x318F), (0x4E00, 0x9FFF), (0xA000, 0xABFF), (0xAC00, 0xD7FF),
          (0xE000, 0xF8FF), (0xF900, 0xFAFF), (0xFB00, 0xFFFF), (0x10000, 0x10FFF), (0x11000, 0x11FFF),
          (0x16000, 0x16FFF), (0x18D00, 0x18DFF), (0x1CC00, 0x1D2FF), (0x1D300, 0x1D7FF), (0x1DF00, 0x1E6FF),
          (0x1E800, 0x1EFFF), (0x1F000, 0x1FAFF), (0x20000, 0x2FFFF), (0x30000, 0x33FFF), (0xE0000, 0xE01FF)]
MARKED = "aeiouAEIOUcnsyzKk\u03b1\u03b9\u0915\u09c7\u0b47\u0cc6\u1100\u1161\u11a8\uac00\u3046\u30cf\u0f40\u0fb5\U00011131"


def block_char(rng):
    low, high = rng.choice(BLOCKS)
    return chr(rng.randint(low, high))


def marks(rng):
    ranges = [(0x300, 0x36F), (0x591, 0x5C7), (0x64B, 0x65F), (0x93C, 0x94D), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF),
              (0x3099, 0x309A), (0xFE20, 0xFE2F), (0x0F71, 0x0F84), (0x1D165, 0x1D182), (0x16D63, 0x16D6A)]
    out = ""
    for _ in range(rng.choice([1, 1, 2, 3, 5, 40])):
        low, high = rng.choice(ranges)
        out += chr(rng.randint(low, high))
    return out


def piece(rng, added):
    kind = rng.randrange(16)
    if kind < 4:
        word = rng.choice(WORDS)
        word = rng.choice([word, word, word.capitalize(), word.upper()])
        return rng.choice([" ", " ", " ", "", "  ", "\n", "_"]) + word + rng.choice(["", "", "", ",", ".", "!?", ")"])
    if kind == 4:
        return rng.choice(WORDS + ["", "IT", "\u00e9"]) + rng.choice(CONTRACTIONS)
    if kind == 5:
        return "".join(rng.choice(SPACES) for _ in range(rng.choice([1, 1, 2, 3, 9])))
    if kind == 6:
        return rng.choice(ODD)
    if kind == 7:
        return rng.choice(EMOJI)
    if kind == 8 and added:
        token = rng.choice(added)
        return rng.choice([token, token, " " + token + " ", token[:-1], token + token, token.upper()])
    if kind == 9:
        zero = rng.choice([0x30, 0x30, 0x30, 0x660, 0x966, 0xFF10, 0x1D7CE, 0x11F50, 0x10D40, 0x11DE0, 0xE50])
        return "".join(chr(zero + rng.randrange(10)) for _ in range(rng.randint(1, 7)))
    if kind == 10:
        return rng.choice(MARKED) + marks(rng)
    if kind == 11:
        char = rng.choice([block_char(rng), rng.choice(SPACES), rng.choice("a=-_.#\n 0'"), rng.choice(ODD)])
        return char * rng.choice([2, 3, 4, 5, 8, 16, 33, 100, 301])
    if kind == 12:
        low, high = rng.choice(BLOCKS)
        return "".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 12)))
    if kind == 13:
        return chr(rng.choice([*range(0xD800)] if rng.random() < .001 else [rng.randrange(0xE000, 0x110000)]))
    return block_char(rng)


def text(rng, added):
    out = "".join(piece(rng, added) for _ in range(rng.choice([1, 2, 3, 5, 8, 13, 30, 80])))
    return "".join(c for c in out if not 0xD800 <= ord(c) < 0xE000)


def sweep():
    """Every code point, beside letters, digits, quotes, spaces, marks and line ends."""
    contexts = ["a{}b", " {} ", "1{}2", "'{}", "\n{}\r\n", "e{}\u0301", "\u0301{}", "{}{} ", "\u0345{}\u0334", "?{}"]
    points = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    for start in range(0, len(points), 40):
        yield "".join(x.format(chr(c), chr(c)) for c in points[start:start + 40] for x in contexts)


def run(command, lines):
    """The command's output lines, parsed, for JSON input lines."""
    with tempfile.TemporaryFile() as given:
        given.write("".join(json.dumps(x) + "\n" for x in lines).encode())
        given.seek(0)
        done = subprocess.run(command, stdin=given, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}")
    return [json.loads(x) for x in done.stdout.decode().split("\n")[:-1]]


def compare(what, given, ours, theirs):
    if len(ours) != len(theirs):
        sys.exit(f"{what}: {len(ours)} lines of output for {len(theirs)} of input")
    wrong = [i for i in range(len(theirs)) if ours[i] != theirs[i]]
    for i in wrong[:3]:
        print(f"{what}: differs on {json.dumps(given[i])[:2000]}\n  adapt     {str(ours[i])[:600]}\n"
              f"  reference {str(theirs[i])[:600]}")
    return len(wrong)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("adapt")
    parser.add_argument("folder")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--sweep", action="store_true")
    options = parser.parse_args()
    print(f"seed {options.seed}, tokenizers {tokenizers.__version__}")
    names = sorted(x for x in os.listdir(options.folder)
                   if os.path.exists(os.path.join(options.folder, x, "tokenizer.json")))
    if not names:
        sys.exit(f"{options.folder}: no tokenizers")
    differences = 0
    for name in names:
        rng = random.Random(f"{options.seed} {name}")
        folder = os.path.join(options.folder, name)
        reference = tokenizers.Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
        with open(os.path.join(folder, "tokenizer.json")) as file:
            added = [x["content"] for x in json.load(file)["added_tokens"]]
        texts = [text(rng, added) for _ in range(options.count)] + ["", " ", "\0"]
        if options.sweep:
            texts += list(sweep())
        wrong = 0
        ids = [x.ids for x in reference.encode_batch(texts)]
        wrong += compare(f"{name}: encode", texts, run([options.adapt, "tokenize", folder], texts), ids)
        few = texts[:options.count // 4]
        plain = [reference.encode(x, add_special_tokens=False).ids for x in few]
        wrong += compare(f"{name}: encode --no-special", few,
                         run([options.adapt, "tokenize", folder, "--no-special"], few), plain)
        size = reference.get_vocab_size(with_added_tokens=True)
        lists = ids[:options.count] + [[rng.randrange(size) for _ in range(rng.choice([0, 1, 2, 5, 40]))]
                                       for _ in range(options.count)]
        byte_ids = [i for i in (reference.token_to_id(f"<0x{b:02X}>") for b in range(256)) if i is not None]
        if byte_ids:
            lists += [[rng.choice(byte_ids) if rng.random() < .8 else rng.randrange(size) for _ in range(8)]
                      for _ in range(options.count // 4)]
        for skip in [False, True]:
            decoded = [reference.decode(x, skip_special_tokens=skip) for x in lists]
            command = [options.adapt, "tokenize", folder, "--decode"] + ["--skip-special"] * skip
            wrong += compare(f"{name}: {' '.join(command[3:])}", lists, run(command, lists), decoded)
        print(f"{name}: {len(texts)} texts ({sum(map(len, texts))} characters, {sum(map(len, ids))} ids), "
              f"{2 * len(lists)} decodings, {wrong} differences")
        differences += wrong
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
