"""How far bfloat16 is from float32 on the recorded models: the yardstick of tests/unit/test_model_halves.c.

    python3 halves.py

"bfloat16" is PyTorch's own (model.to(bfloat16), the loss in float32); "linear", "norm" and "stream" round only what goes into
and comes out of linear layers, what norms give, or the residual stream behind embedding and layers, forwards and backwards,
and compute in float32. Printed: the largest error of a target's loss relative to 1 + loss, and |g16 - g32| / |g32| of the
whole gradient."""
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

HERE = Path(__file__).resolve().parent


class Round(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        return x.bfloat16().float()

    @staticmethod
    def backward(context, gradient):
        return gradient.bfloat16().float()


def round_first(output):
    return Round.apply(output) if torch.is_tensor(output) else (Round.apply(output[0]),) + tuple(output[1:])


def prepare(model, mode):
    if mode == "bfloat16":
        return model.to(torch.bfloat16)
    for name, module in model.named_modules():
        kind = type(module).__name__
        if mode == "linear" and kind == "Linear" and "lm_head" not in name:
            module.weight.data = module.weight.data.bfloat16().float()
            module.register_forward_pre_hook(lambda _, inputs: (Round.apply(inputs[0]),))
            module.register_forward_hook(lambda _, inputs, output: Round.apply(output))
        if mode == "norm" and "Norm" in kind:
            module.register_forward_hook(lambda _, inputs, output: Round.apply(output))
        if mode == "stream" and ("Layer" in kind or "Embedding" in kind and "Rotary" not in kind):
            module.register_forward_hook(lambda _, inputs, output: round_first(output))
    return model


def measure(folder, mode):
    golden = load_file(folder / "golden.safetensors")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    model = prepare(model, mode)
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
    error = ((torch.cat(losses) - golden["losses"]).abs() / (1 + golden["losses"].abs())).max().item()
    difference = length = 0.0
    for name, weight in model.named_parameters():
        want = golden["gradient." + name].double()
        difference += (weight.grad.double() - want).square().sum().item()
        length += want.square().sum().item()
    print(f"{folder.name:10} {mode:9} loss {error:.4f} gradient {(difference / length) ** 0.5:.4f}")


for path in sorted(p for p in HERE.iterdir() if (p / "golden.safetensors").exists()):
    for mode in ["bfloat16", "linear", "norm", "stream"]:
        measure(path, mode)
