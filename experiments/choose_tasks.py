#!/usr/bin/env python3
"""Choose the tasks of paper.json from a clone of https://github.com/allenai/natural-instructions.

    experiments/choose_tasks.py NATURAL_INSTRUCTIONS [--categories 20] > NATURAL_INSTRUCTIONS/paper_tasks.txt

The paper trains on 20 task types and its abstract does not name them. This takes the training tasks of the default
split whose input, output and instructions are English, and of those the 20 categories with the most instances: a rule that
anybody can repeat, not the paper's own list. Prints the names of their task files, one a line.
"""
import argparse
import collections
import json
import pathlib
import sys

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("folder", type=pathlib.Path, help="the clone: holds tasks/ and splits/")
parser.add_argument("--categories", type=int, default=20)
arguments = parser.parse_args()

split = arguments.folder / "splits" / "default" / "train_tasks.txt"
try:
    names = split.read_text().split()
except OSError as error:
    sys.exit(f"choose_tasks.py: {error}")

tasks, instances = collections.defaultdict(list), collections.Counter()
for name in names:
    path = arguments.folder / "tasks" / f"{name}.json"
    if not path.exists():
        print(f"choose_tasks.py: {path} is missing: left out", file=sys.stderr)
        continue
    task = json.loads(path.read_text())
    languages = [task[key] for key in ("Input_language", "Output_language", "Instruction_language")]
    if any(language != ["English"] for language in languages):
        continue
    tasks[task["Categories"][0]].append(name)
    instances[task["Categories"][0]] += len(task["Instances"])

for category, count in sorted(instances.items(), key=lambda item: (-item[1], item[0]))[: arguments.categories]:
    print(f"{category}: {len(tasks[category])} tasks, {count} instances", file=sys.stderr)
    print("\n".join(tasks[category]))
