#!/usr/bin/env python3
"""Records samples.jsonl: what lm-evaluation-harness (evaluator.py, loggers/evaluation_tracker.py) would log for the answers
that tests/unit/test_eval_samples.c makes up."""

import hashlib
import json
import pathlib

NASTY = "quote \" backslash \\ tab \t bell \x07 nul-ish \x1f del \x7f \u00e9 \u2028 \U0001f600 / <&> \r\n"
SAMPLES = [
    {
        "doc": {"id": "X_1", "question": NASTY, "choices": {"text": ["a", "b\u00e9"], "label": ["A", "B"]}, "answerKey": "B",
                "empty": [], "none": None, "flags": [True, False], "object": {}, "numbers": [0, -7, 2.5, 1e-7, 1e300, 123456789012]},
        "target": 1, "arguments": [("Question: q\nAnswer:", " a"), ("Question: q\nAnswer:", " b\u00e9")],
        "answers": [(-12.5, False), (-3.0, True)], "metrics": {"acc": 1.0, "acc_norm": 0.0},
    },
    {
        "doc": {"sentence": "_ x."}, "target": "x.", "arguments": [("A", " x."), ("B", " x.")],
        "answers": [(-0.1, False), (-1.2345678901234567e-05, False)], "metrics": {"acc": 0.0, "acc_norm": 1.0},
    },
    {
        "doc": {}, "target": 0, "arguments": [("", " y")], "answers": [(-123456.78901234567, True)],
        "metrics": {"acc": 1.0, "acc_norm": 1.0},
    },
]


def digest(text):
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def strings(value):
    return [strings(item) for item in value] if isinstance(value, (list, tuple)) else str(value)


def main():
    with open(pathlib.Path(__file__).parent / "samples.jsonl", "w", encoding="utf-8", newline="\n") as out:
        for index, sample in enumerate(SAMPLES):
            line = {
                "doc_id": index,
                "doc": sample["doc"],
                "target": str(sample["target"]),
                "arguments": {f"gen_args_{i}": {f"arg_{j}": text for j, text in enumerate(pair)}
                              for i, pair in enumerate(sample["arguments"])},
                "resps": strings([[answer] for answer in sample["answers"]]),
                "filtered_resps": strings(sample["answers"]),
                "filter": "none",
                "metrics": list(sample["metrics"]),
                "doc_hash": digest(json.dumps(sample["doc"], indent=2, ensure_ascii=False)),
                "prompt_hash": digest(sample["arguments"][0][0]),
                "target_hash": digest(str(sample["target"])),
                **sample["metrics"],
            }
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
