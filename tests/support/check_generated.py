#!/usr/bin/env python3
"""check_generated.py DEMO ADAPT: checks the demonstration's tasks, benchmarks and tokenizers against what they promise."""
import collections
import json
import pathlib
import subprocess
import sys

from tokenizers import Tokenizer

demo, adapt = pathlib.Path(sys.argv[1]), sys.argv[2]


def records(name):
    return [json.loads(line) for line in (demo / "benchmarks" / f"{name}.jsonl").read_text().splitlines()]


tasks = {path.stem: json.loads(path.read_text()) for path in sorted((demo / "tasks").glob("*.json"))}
assert len(tasks) == 20 and len({task["Categories"][0] for task in tasks.values()}) == 20
sizes = [len(task["Instances"]) for task in tasks.values()]
assert min(sizes) == 60 and max(sizes) >= 3000, sizes
for name, task in tasks.items():
    assert all(i["input"] and len(i["output"]) == 1 and i["output"][0].startswith(" ") for i in task["Instances"]), name
    assert len({i["id"] for i in task["Instances"]}) == len(task["Instances"]), name

# Noise: how often does an instance agree with the most frequent answer to its own input, where inputs repeat?
def agreement(name):
    answers = collections.defaultdict(collections.Counter)
    for instance in tasks[name]["Instances"]:
        answers[instance["input"]][instance["output"][0]] += 1
    repeated = [counter for counter in answers.values() if counter.total() > 1]
    return sum(counter.most_common(1)[0][1] for counter in repeated) / sum(counter.total() for counter in repeated)


assert agreement("task001_color_of_object") == 1.0
assert 0.8 < agreement("task007_junk_mail") < 0.98, agreement("task007_junk_mail")

# No benchmark's text occurs in a task.
inputs = "\n".join(instance["input"] for task in tasks.values() for instance in task["Instances"])
outputs = "\n".join(instance["output"][0] for task in tasks.values() for instance in task["Instances"])
for record in records("arc_challenge"):
    assert record["question"] not in inputs, record
for record in records("piqa"):
    assert record["goal"] not in inputs, record
for record in records("boolq"):
    assert record["passage"] not in inputs, record
for record in records("hellaswag"):
    assert f"{record['activity_label']}: {record['ctx_a']}" not in inputs, record
for record in records("winogrande"):
    before, after = record["sentence"].split("_")
    assert before + record[f"option{record['answer']}"] + after not in outputs, record

# Right answers are spread evenly, and choices differ.
golds = {
    "arc_challenge": [r["choices"]["label"].index(r["answerKey"]) for r in records("arc_challenge")],
    "hellaswag": [int(r["label"]) for r in records("hellaswag")],
    "winogrande": [int(r["answer"]) - 1 for r in records("winogrande")],
    "piqa": [r["label"] for r in records("piqa")],
    "boolq": [r["label"] for r in records("boolq")],
}
for name, gold in golds.items():
    counts = collections.Counter(gold)
    places = 4 if name in ("arc_challenge", "hellaswag") else 2
    assert len(gold) == 80 and all(abs(counts[i] - 80 / places) <= 5 for i in range(places)), (name, counts)
assert all(len(set(r["choices"]["text"])) == len(r["choices"]["label"]) for r in records("arc_challenge"))
assert {len(r["choices"]["text"]) for r in records("arc_challenge")} == {3, 4, 5}
assert all(len(set(r["endings"])) == 4 for r in records("hellaswag"))

# The reference reads the tokenizers, and gives the ids that we give.
texts = [instance["input"] + "\nAnswer:" + instance["output"][0] for task in tasks.values() for instance in task["Instances"][:20]]
texts += ["", " ", "\n\n  x", "Größe 3.14, déjà vu 你好", "<|begin|>a<|end|>"]
for folder in sorted((demo / "models").iterdir()):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    ours = subprocess.run([adapt, "tokenize", str(folder)], input=lines, capture_output=True, text=True, check=True).stdout
    for text, line in zip(texts, ours.splitlines(), strict=True):
        ids = tokenizer.encode(text).ids
        assert json.loads(line) == ids, (folder.name, text, line, ids)
        assert text == "" or tokenizer.decode(ids, skip_special_tokens=False).endswith(text), (folder.name, text)
print("20 tasks, 5 benchmarks and 3 tokenizers are as promised")
