#!/usr/bin/env python3
"""Records what a plain reference gives for the first records of the log-likelihood benchmarks.

    record.py DATA MODEL_DIR NAME     writes NAME.json here

DATA holds arc_challenge.jsonl and so on, MODEL_DIR a Hugging Face folder. The rules are those of lm-evaluation-harness
(lm_eval/api/model.py, _encode_pair; models/huggingface.py), run one request at a time through transformers in float32; the
log-softmax is taken in float64, because the float32 one is off by up to 1e-4 a token.
"""

import hashlib
import json
import pathlib
import sys

import torch
import transformers

COUNTS = {"arc_challenge": 50, "winogrande": 20, "piqa": 20, "boolq": 20}


def render(benchmark, doc):
    """(context, continuation) of each choice."""
    if benchmark == "arc_challenge":
        return [(f"Question: {doc['question']}\nAnswer:", f" {text}") for text in doc["choices"]["text"]]
    if benchmark == "piqa":
        return [(f"Question: {doc['goal']}\nAnswer:", f" {doc[key]}") for key in ("sol1", "sol2")]
    if benchmark == "boolq":
        return [(f"{doc['passage']}\nQuestion: {doc['question']}?\nAnswer:", f" {word}") for word in ("no", "yes")]
    blank = doc["sentence"].index("_")
    rest = doc["sentence"][blank + 1 :].strip()
    return [(doc["sentence"][:blank] + doc[key], f" {rest}") for key in ("option1", "option2")]


def encode(tokenizer, context, continuation):
    begin = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    bos = tokenizer.decode([begin])

    def tokens(text):
        return tokenizer.encode(text, **({"add_special_tokens": False} if text.startswith(bos) else {}))

    spaces = len(context) - len(context.rstrip())
    if spaces:
        context, continuation = context[:-spaces], context[-spaces:] + continuation
    whole, ctx = tokens(context + continuation), tokens(context)
    return ctx, whole[len(ctx) :]


def score(model, ctx, cont):
    with torch.inference_mode():
        logits = model(torch.tensor([(ctx + cont)[:-1]])).logits[0, -len(cont) :]
    target = torch.tensor(cont)
    chosen = torch.log_softmax(logits.double(), -1).gather(-1, target[:, None])
    return chosen.sum().item(), bool((logits.argmax(-1) == target).all())


def main(data, folder, name):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    out = {"transformers": transformers.__version__, "torch": torch.__version__, "benchmarks": {}}
    for benchmark, count in COUNTS.items():
        lines = (pathlib.Path(data) / f"{benchmark}.jsonl").read_text(encoding="utf-8").splitlines()[:count]
        records = []
        for line in lines:
            requests = []
            for context, continuation in render(benchmark, json.loads(line)):
                ctx, cont = encode(tokenizer, context, continuation)
                value, greedy = score(model, ctx, cont)
                ids = ",".join(map(str, ctx + cont))
                requests.append({"ids": hashlib.sha256(ids.encode()).hexdigest(), "length": len(ctx + cont),
                                 "scored": len(cont), "log_likelihood": value, "greedy": greedy})
            records.append(requests)
        out["benchmarks"][benchmark] = records
        print(benchmark, len(records), flush=True)
    text = json.dumps(out, separators=(",", ":")).replace("[[", "[\n[").replace("],[", "],\n[")
    (pathlib.Path(__file__).parent / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
