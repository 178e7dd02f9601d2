"""Records what the reference, Hugging Face tokenizers, makes of texts.

usage: record.py TOKENIZERS_FOLDER       (writes beside this file; recorded with tokenizers 0.23.3)

components.json: small tokenizers made here, one for each component, with texts, ids and decodings.
texts.json and gemma3.json, ...: random texts, and their ids in the real tokenizers of TOKENIZERS_FOLDER.
A text with NULs is written as the list of the stretches between them, because JSON readers stumble over \\u0000.
"""
import copy
import hashlib
import itertools
import json
import os
import random
import sys

import tokenizers

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
import tokenizer_live  # noqa: E402  pylint: disable=wrong-import-position

NAMES = ["gemma3", "llama3_2", "qwen3", "smollm2"]
ENGLISH = """The quick brown fox jumps over the lazy dog, and then it's back again; we'll see 12 foxes in 2024.
They're all here: don't stop! The dogs' dog has 3.14 bones (or 100)."""


def written(text):
    return text.split("\0") if "\0" in text else text


def save(name, value):
    """One element a line, so that differences can be read."""
    with open(os.path.join(HERE, name), "w", encoding="utf-8") as file:
        if isinstance(value, list):
            file.write("[\n" + ",\n".join(json.dumps(x) for x in value) + "\n]\n")
        else:
            parts = [f"{json.dumps(k)}: " + ("[\n" + ",\n".join(json.dumps(x) for x in v) + "\n]"
                                             if isinstance(v, list) else json.dumps(v)) for k, v in value.items()]
            file.write("{\n" + ",\n".join(parts) + "\n}\n")


def added(content, token_id, **flags):
    return {"id": token_id, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": False, **flags}


def plain(vocab, merges=(), **settings):
    """A tokenizer of single characters and merges, with nothing around it."""
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
             "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
             "vocab": {x: i for i, x in enumerate(vocab)}, "merges": [list(x) for x in merges], **settings}
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
            "pre_tokenizer": None, "post_processor": None, "decoder": None, "model": model}


def with_parts(tokenizer, **parts):
    return {**copy.deepcopy(tokenizer), **parts}


def byte_level():
    """What a demonstration's generator writes: a byte-level BPE trained on a few lines."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=330, show_progress=False, special_tokens=["<|end|>"],
                                             initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator([ENGLISH] * 3, trainer)
    return json.loads(tokenizer.to_str())


def fixtures():
    """(name, tokenizer.json, texts)"""
    common = ["", " ", ENGLISH, "it's IT'S \u2019s we'll", "caf\u00e9 \u4f60\u597d \U0001F44D\U0001F3FD\n\n\n  x  \r\n",
              "\0a\0\0", "x<|end|>y <|end|><|end|>", "aaaaaaaaaaaaaaaaaaaaaaaa" * 20, "the dog " * 60, "\u0663\u0664 12345"]
    base = byte_level()
    yield "byte level", base, common
    legacy = with_parts(base)
    legacy["model"]["merges"] = ["#version: 0.2"] + [" ".join(x) for x in base["model"]["merges"]]
    yield "byte level, merges as strings", legacy, common
    prefixed = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    yield "byte level, prefix space", with_parts(base, pre_tokenizer=prefixed), common + ["dog", " dog", "\ndog"]
    whole = {**prefixed, "add_prefix_space": False, "use_regex": False}
    yield "byte level, no pattern", with_parts(base, pre_tokenizer=whole), common
    for single in [True, False]:
        parts = [{"type": "Digits", "individual_digits": single}, prefixed]
        yield (f"digits, individual {single}",
               with_parts(base, pre_tokenizer={"type": "Sequence", "pretokenizers": parts}), common + ["a 1 2b34 56c"])
    missing = with_parts(base)
    gone = [x for x in base["model"]["vocab"] if x in "\u0122\u0123qz"]
    missing["model"]["merges"] = [x for x in base["model"]["merges"] if not set("".join(x)) & set(gone)]
    kept = [x for x in base["model"]["vocab"] if not set(x) & set(gone)]
    missing["model"]["vocab"] = {x: i for i, x in enumerate(kept)}
    yield "byte level, bytes without token", missing, common + ["quick lazy \"#", "qq", "zaz" * 80]
    ignoring = with_parts(base)
    ignoring["model"]["ignore_merges"] = True
    unreachable = ["\u0120foxes", "xyzzy", "zzzz"]
    for word in unreachable:
        ignoring["model"]["vocab"][word] = len(ignoring["model"]["vocab"])
    yield "ignore merges", ignoring, common + ["xyzzy", "xyzzyx", " foxes foxes", "zzzz", "zzzzz"]
    reachable = with_parts(ignoring)
    reachable["model"]["ignore_merges"] = False
    yield "words out of reach", reachable, common + ["xyzzy", "xyzzyx", " foxes foxes", "zzzz"]

    # Splits show in the ids because everything merges with everything.
    letters = ["a", "b", "-", " "]
    pairs = [x + y for x, y in itertools.product(letters, letters)]
    merging = plain(letters + pairs + [x + y for x in pairs for y in letters],
                    [(x, y) for x, y in itertools.product(letters, letters)] + [(x, y) for x in pairs for y in letters])
    words = ["a-b", "-", "--", "---a", "a---", "a--b-a- -b", "ab ba--ab", "- -a -", "aaa-bbb", "-a" * 100, " a b  ab-"]
    behaviors = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
    patterns = [{"String": "-"}, {"Regex": "-|a "}, {"Regex": "\\p{L}{1,2}|\\s+(?!\\S)"}]
    for behavior, invert, pattern in itertools.product(behaviors, [False, True], patterns):
        split = {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}
        yield f"split {behavior}, invert {invert}, {pattern}", with_parts(merging, pre_tokenizer=split), words
    yield "no pre-tokenizer", merging, words
    yield ("a merge given twice", plain(["a", "b", "c", "ab", "bc"], [("a", "b"), ("b", "c"), ("a", "b")]),
           ["abc", "ab", "bc", "abcab" * 40])
    yield ("ignore merges, long words", plain(["x", "y", "z", "xy", "yz", "xyz"], [("x", "y"), ("y", "z")],
                                              ignore_merges=True), ["xyz", "xyz" * 60, "xy", "yz"])
    yield "legacy model without type", with_parts(merging, model={k: v for k, v in merging["model"].items()
                                                                  if k in ["type", "vocab", "merges"]}), words

    # SentencePiece style: byte fallback, unknown tokens, prepended space.
    for bytes_there, fuse, unknown in itertools.product([256, 0xA0, 0], [True, False], ["<unk>", None]):
        vocab = ["<unk>", "</s>"] + [f"<0x{b:02X}>" for b in range(bytes_there)] + list("\u2581abcde<>x\u00e9")
        merges = [("\u2581", "a"), ("a", "b"), ("\u2581a", "b"), ("c", "d"), ("x", "<"), (">", "x"), ("<unk>", "a"), ("d", "<unk>")]
        if bytes_there == 256:
            merges += [("<0xC3>", "<0xA8>"), ("<0xA8>", "a"), ("e", "<0xC3>")]
        vocab += [x + y for x, y in merges]
        yield (f"byte fallback, {bytes_there} bytes, fuse {fuse}, unknown {unknown}",
               with_parts(plain(vocab, merges, unk_token=unknown, byte_fallback=bytes_there > 0, fuse_unk=fuse),
                          normalizer={"type": "Sequence", "normalizers": [
                              {"type": "Prepend", "prepend": "\u2581"},
                              {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]},
                          decoder={"type": "Sequence", "decoders": [
                              {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "},
                              {"type": "ByteFallback"}, {"type": "Fuse"},
                              {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}),
               ["ab ab", "", " ab", "zz", "azzb", "\u00e8", "\u00e8ab", "a\u00e8\u00ffb\u00ffz\0ab", "\U0001F600\u4e00\u0080a",
                "x<0xC3>x", "ab cd" * 50, "ab\u4e00cd" * 50, "zyz" * 70, "dz" * 80, "e\u00e8" * 70, "dzze\u00e8\u4e00" * 40, "\u00e9\u00e8" * 60, "<unk>a z a"])

    # Added tokens.
    vocab = list("abcdefgh_ <>|[]\n") + ["ab", "\u00e9", "\u0301", "\t", ".", "\u3000", "\u00a0", "\u2028", "\u1680",
                                             "\x85", "\u180e", "\u200b"]
    size = len(vocab)
    tokens = [added("<a>", size, special=True), added("<ab", size + 1), added("<ab>", size + 2, special=True),
              added("[l]", size + 3, lstrip=True), added("[r]", size + 4, rstrip=True, special=True),
              added("[b]", size + 5, lstrip=True, rstrip=True), added("cab", size + 6, single_word=True),
              added(" d", size + 7), added("e\u0301", size + 8, normalized=True), added("f_", size + 9, normalized=True,
                                                                                      special=True),
              added("[lr] ", size + 10, lstrip=True, single_word=True), added("ab", vocab.index("ab"), special=True)]
    texts = ["<a><ab><ab<a", "a [l] a  [l][l]", "a [r]  a[r] \t\n[r]b", "a  [b]  [b]  b", "cab a cab. cabcab acab cab_ .cab.cab",
             "[r]  d d", "[r] d", "e\u0301\u00e9e", "f_ff_ f_", "a [lr] b", "\u00e9cab\u00e9", "\u4e00cab", "\u3000cab\u3000",
             "\u3000\u00a0\u2028[b]\u1680\u0085a", "\u180e[b]\u200b", "ab", "aab<a>b", "[l]" * 40, "\u200dcab", "\u0663cab", "\u2460cab", "\u24b6cab",
             "\U0001F170cab", "\u203fcab", "\U000110bdcab\u200c"]
    yield "added tokens", with_parts(plain(vocab, [("a", "b")]), added_tokens=tokens), texts
    yield ("added tokens, normalised", with_parts(plain(vocab, [("a", "b")]), added_tokens=tokens,
                                                  normalizer={"type": "Sequence", "normalizers": [
                                                      {"type": "NFC"},
                                                      {"type": "Replace", "pattern": {"Regex": "_+"}, "content": "|"}]}), texts)

    # Post-processors and decoders.
    def template(*names):
        pieces = [{"Sequence": {"id": "A", "type_id": 0}} if x == "A" else {"SpecialToken": {"id": x, "type_id": 0}}
                  for x in names]
        ids = {"<s>": [5], "</s>": [6, 7]}
        return {"type": "TemplateProcessing", "single": pieces, "pair": pieces + pieces, "special_tokens": {
            x: {"id": x, "ids": ids[x], "tokens": [x] * len(ids[x])} for x in ids}}

    letters = plain(list("abcd ") + ["<s>", "</s>", "aa", "aab", "caa"], [("a", "a"), ("aa", "b"), ("c", "aa")])
    offsets = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    yield "template", with_parts(letters, post_processor=template("<s>", "A", "</s>")), ["ab", "", "a b"]
    yield ("template in a sequence",
           with_parts(letters, post_processor={"type": "Sequence", "processors": [
               offsets, template("</s>", "<s>", "A", "<s>"), offsets]}), ["ab", ""])
    for decoder in [None, {"type": "Fuse"}, {"type": "Strip", "content": "a", "start": 1, "stop": 0},
                    {"type": "Strip", "content": "a", "start": 0, "stop": 1},
                    {"type": "Replace", "pattern": {"Regex": "b|\\s"}, "content": "<\u00e9>"}, {"type": "ByteFallback"}]:
        yield f"decoder {decoder}", with_parts(letters, decoder=decoder), ["abcd dcba", "", "aabb  ", "caaca aa aaa"]

    # Normal form C.
    marks = "e\u0301 a\u0323\u0307 a\u0307\u0323 \u1100\u1161\u11a8 \u0f71\u0f72\u0f74 \u0915\u093c \u09c7\u09be \u2126 \u212b"
    points = sorted(set(marks + "\u00e9\u1ea1\u0307\u1e05\ub4a1\uac01\u09cb\u03a9\u00c5\u1ea1\u00e1\u0301\u0345\u0327\u0334x"))
    yield ("NFC", with_parts(plain(points), normalizer={"type": "NFC"}),
           [marks, "x\u0301", "\u0345\u0327\u0334", "e" + "\u0301\u0323" * 50, "\u0301e", "\uac00\u11a8", "plain", "\ud7a3"])
    nothing = {"type": "Sequence", "normalizers": [{"type": "Replace", "pattern": {"String": "a"}, "content": ""},
                                                   {"type": "Prepend", "prepend": "b"}]}
    yield "nothing left to normalise", with_parts(letters, normalizer=nothing), ["a", "aa", "c", "ac", "", "aba"]


def decodings(reference, lists):
    return [{"ids": x, "text": written(reference.decode(x, skip_special_tokens=False)),
             "skipped": written(reference.decode(x, skip_special_tokens=True))} for x in lists]


def record_components():
    rng = random.Random(3)
    out = []
    for name, tokenizer, texts in fixtures():
        reference = tokenizers.Tokenizer.from_str(json.dumps(tokenizer))
        ids = [reference.encode(x).ids for x in texts]
        size = reference.get_vocab_size()
        lists = [x for x in ids if len(x) < 100] + [[rng.randrange(size) for _ in range(6)] for _ in range(8)]
        out.append({"name": name, "tokenizer": tokenizer,
                    "texts": [{"text": written(x), "ids": i,
                               "plain": reference.encode(x, add_special_tokens=False).ids}
                              for x, i in zip(texts, ids)],
                    "decodings": decodings(reference, lists)})
    save("components.json", out)


def record_real(folder):
    rng = random.Random(7)
    names = {name: os.path.join(folder, name, "tokenizer.json") for name in NAMES}
    specials = []
    for path in names.values():
        with open(path, encoding="utf-8") as file:
            specials += [x["content"] for x in json.load(file)["added_tokens"][:60]]
    texts = []
    while len(texts) < 300:
        text = tokenizer_live.text(rng, specials)
        if len(text) <= 160:
            texts.append(text)
    save("texts.json", [written(x) for x in texts])
    for name, path in names.items():
        reference = tokenizers.Tokenizer.from_file(path)
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        lists = [[rng.randrange(reference.get_vocab_size()) for _ in range(rng.randint(1, 12))] for _ in range(60)]
        save(name + ".json", {"sha256": digest, "ids": [reference.encode(x).ids for x in texts],
                              "decodings": decodings(reference, lists)})


if len(sys.argv) != 2:
    sys.exit(__doc__)
record_components()
record_real(sys.argv[1])
