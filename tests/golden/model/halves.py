"""How far PyTorch's own bfloat16 is from float32 on the recorded models: the yardstick of tests/unit/test_model_halves.c.

    python3 halves.py

Weights and activations are bfloat16 (model.to(bfloat16)), the loss is taken in float32. Printed for each variant: the largest
error of a target's loss relative to 1 + loss, and |g16 - g32| / |g32| of the whole gradient."""
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

HERE = Path(__file__).resolve().parent
for folder in sorted(p for p in HERE.iterdir() if (p / "golden.safetensors").exists()):
    golden = load_file(folder / "golden.safetensors")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    model.eval().to(torch.bfloat16)
    losses, at, objective = [], 0, 0.0
    targets = int(golden["lengths"].sum() - golden["prompts"].sum())
    for length, prompt, weight in zip(golden["lengths"].tolist(), golden["prompts"].tolist(), golden["weights"].tolist()):
        ids = golden["ids"][at:at + length].long()
        at += length
        logits = model(input_ids=ids[None, :-1], use_cache=False).logits[0, prompt - 1:].float()
        loss = torch.nn.functional.cross_entropy(logits, ids[prompt:], reduction="none")
        objective = objective + weight * loss.sum() / targets
        losses.append(loss.detach())
    objective.backward()
    losses = torch.cat(losses)
    error = ((losses - golden["losses"]).abs() / (1 + golden["losses"].abs())).max().item()
    difference = length = 0.0
    for name, weight in model.named_parameters():
        want = golden["gradient." + name].double()
        difference += (weight.grad.double() - want).square().sum().item()
        length += want.square().sum().item()
    print(f"{folder.name:10} losses {error:.4f} gradient {(difference / length) ** 0.5:.4f}")
