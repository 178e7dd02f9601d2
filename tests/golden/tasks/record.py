"""Records how many prompt and completion tokens the twenty Natural Instructions tasks have, by the reference tokenizer.

    python record.py DATA > smollm2.json

DATA holds natural-instructions/tasks/*.json and tokenizers/smollm2/tokenizer.json. Needs the `tokenizers` package.
The prompt is "{definition}\\n\\n{input}\\n", or "{input}\\n" where the definition is empty; the completion is the first
output and one end token. Instances with a blank output are left out.
"""

import json
import pathlib
import sys

from tokenizers import Tokenizer

data = pathlib.Path(sys.argv[1])
tokenizer = Tokenizer.from_file(str(data / "tokenizers/smollm2/tokenizer.json"))
record = {}
for path in sorted((data / "natural-instructions/tasks").glob("*.json")):
    task = json.loads(path.read_text(encoding="utf-8"))
    head = task["Definition"][0] + "\n\n" if task["Definition"] else ""
    kept = [i for i in task["Instances"] if i["output"][0].strip()]
    prompts = tokenizer.encode_batch([head + i["input"] + "\n" for i in kept], add_special_tokens=True)
    completions = tokenizer.encode_batch([i["output"][0] for i in kept], add_special_tokens=False)
    record[path.stem] = {
        "kept": len(kept),
        "bad": len(task["Instances"]) - len(kept),
        "prompt_tokens": sum(len(e.ids) for e in prompts),
        "completion_tokens": sum(len(e.ids) + 1 for e in completions),
        "id_sum": sum(sum(e.ids) for e in prompts) + sum(sum(e.ids) for e in completions),
    }
json.dump(record, sys.stdout, indent=1)
print()
