"""Records what transformers computes for tiny models of each family, in float32 on the CPU.

    python record.py            writes one folder for each variant beside this file
    python record.py real DIR   writes real.json: losses of the models that DIR holds

A variant's folder is a Hugging Face model folder (config.json in the dialect of transformers 4 or 5, weights as BF16, F16 or
F32) and golden.safetensors:
    ids, lengths, prompts   the sequences, end to end; the tokens from `prompts` on are supervised
    weights                 each sequence's factor in the objective, sum_n weight * loss_n / targets
    logits, losses          [targets, vocabulary], [targets]
    gradient.NAME           of the objective
    alignments              [sequences], the inner product of each sequence's gradient with the parameters themselves
    steps.losses, steps.norms   six AdamW steps on the same sequences: the objective before and the norm of its gradient
    steps.sums, steps.squares   of every tensor afterwards, in the order of the names
    steps.heads             the first numbers of every tensor afterwards
"""
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

HERE = pathlib.Path(__file__).parent
LENGTHS, PROMPTS, WEIGHTS = [19, 7, 26, 4], [9, 3, 14, 1], [0.7, 1.3, 0.4, 2.0]
RATE, DECAY, CLIP, BETAS, EPSILON, STEPS, HEADS = 5e-3, 0.1, 0.5, (0.9, 0.99), 1e-8, 6, 8

LLAMA = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 150, "hidden_size": 32,
         "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
         "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "hidden_act": "silu", "bos_token_id": 1,
         "eos_token_id": [2, 3]}
QWEN3 = {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "vocab_size": 131, "hidden_size": 24,
         "intermediate_size": 36, "num_hidden_layers": 3, "num_attention_heads": 3, "num_key_value_heads": 1,
         "head_dim": 12, "max_position_embeddings": 64, "rms_norm_eps": 1e-6, "hidden_act": "silu", "bos_token_id": None,
         "eos_token_id": 5}
GEMMA3 = {"architectures": ["Gemma3ForCausalLM"], "model_type": "gemma3_text", "vocab_size": 140, "hidden_size": 20,
          "intermediate_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2,
          "head_dim": 8, "max_position_embeddings": 64, "rms_norm_eps": 1e-6, "hidden_activation": "gelu_pytorch_tanh",
          "bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0, "query_pre_attn_scalar": 11, "sliding_window": 5}

# name: (config, dtype of the weights, bytes of a shard or None)
VARIANTS = {
    "llama_4": ({**LLAMA, "tie_word_embeddings": False, "rope_theta": 500.0, "torch_dtype": "bfloat16",
                 "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                  "original_max_position_embeddings": 16}}, torch.bfloat16, None),
    "llama_5": ({**LLAMA, "tie_word_embeddings": True, "num_key_value_heads": 4, "head_dim": 10, "dtype": "float32",
                 "rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1000.0}}, torch.float32, None),
    "qwen3_4": ({**QWEN3, "tie_word_embeddings": False, "rope_theta": 10000, "rope_scaling": None,
                 "use_sliding_window": True, "sliding_window": 6, "max_window_layers": 1, "torch_dtype": "float16"},
                torch.float16, 20000),
    "qwen3_5": ({**QWEN3, "tie_word_embeddings": True, "use_sliding_window": False, "sliding_window": None,
                 "layer_types": ["full_attention"] * 3, "dtype": "bfloat16",
                 "rope_parameters": {"rope_type": "default", "rope_theta": 1000000}}, torch.bfloat16, None),
    "gemma3_4": ({**GEMMA3, "rope_theta": 1000000.0, "rope_local_base_freq": 10000.0, "sliding_window_pattern": 3,
                  "rope_scaling": {"rope_type": "linear", "factor": 8.0}, "torch_dtype": "bfloat16"},
                 torch.bfloat16, None),
    "gemma3_5": ({**GEMMA3, "tie_word_embeddings": True, "dtype": "float32",
                  "layer_types": ["sliding_attention", "full_attention", "full_attention", "sliding_attention"],
                  "rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 20000.0},
                                      "sliding_attention": {"rope_type": "default", "rope_theta": 300.0}}},
                 torch.float32, None),
}


def fill(model, dtype, generator):
    """Weights that matter: matrices of a size that makes logits spread, norms far from their usual start."""
    for name, weight in model.named_parameters():
        spread = 0.3 if weight.dim() == 1 else 1.2 / weight.shape[1] ** 0.5
        centre = 1.0 if weight.dim() == 1 and "Gemma" not in type(model).__name__ else 0.0
        weight.data = (centre + spread * torch.randn(weight.shape, generator=generator)).to(dtype).float()


def write_weights(model, folder, dtype, shard_bytes):
    tensors = {name: weight.data.to(dtype).contiguous() for name, weight in model.named_parameters()}
    if shard_bytes is None:
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        return
    shards, size = [{}], 0
    for name, tensor in tensors.items():
        if shards[-1] and size + tensor.nbytes > shard_bytes:
            shards.append({})
            size = 0
        shards[-1][name] = tensor
        size += tensor.nbytes
    places = {}
    for i, shard in enumerate(shards):
        file = f"model-{i + 1:05}-of-{len(shards):05}.safetensors"
        save_file(shard, folder / file, metadata={"format": "pt"})
        places.update(dict.fromkeys(shard, file))
    index = {"metadata": {"total_size": sum(t.nbytes for t in tensors.values())}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1))


def target_losses(model, ids, prompt):
    """Logits and losses at the rows that predict the tokens from `prompt` on; the last token is never fed."""
    logits = model(input_ids=ids[None, :-1], use_cache=False).logits[0, prompt - 1:]
    return logits, torch.nn.functional.cross_entropy(logits, ids[prompt:], reduction="none")


def objective(model, sequences, targets):
    return sum(weight * target_losses(model, ids, prompt)[1].sum() / targets
               for ids, prompt, weight in zip(sequences, PROMPTS, WEIGHTS))


def record(name, config, dtype, shard_bytes, seed):
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    if "eos_token_id" in config and isinstance(config["eos_token_id"], list):
        (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [3, 7]}, indent=1))
    generator = torch.Generator().manual_seed(seed)
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder), dtype=torch.float32)
    fill(model, dtype, generator)
    write_weights(model, folder, dtype, shard_bytes)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    model.eval()

    # not the padding token: nn.Embedding leaves its row out of the gradient
    sequences = [torch.randint(1, config["vocab_size"], (n,), generator=generator) for n in LENGTHS]
    targets = sum(LENGTHS) - sum(PROMPTS)
    out = {"ids": torch.cat(sequences).int(), "lengths": torch.tensor(LENGTHS).int(),
           "prompts": torch.tensor(PROMPTS).int(), "weights": torch.tensor(WEIGHTS)}
    with torch.no_grad():
        pairs = [target_losses(model, ids, prompt) for ids, prompt in zip(sequences, PROMPTS)]
    out["logits"] = torch.cat([p[0] for p in pairs])
    out["losses"] = torch.cat([p[1] for p in pairs])

    alignments = []
    for k in range(len(sequences)):
        model.zero_grad()
        (WEIGHTS[k] * target_losses(model, sequences[k], PROMPTS[k])[1].sum() / targets).backward()
        alignments.append(sum((w.grad.double() * w.double()).sum() for w in model.parameters()).item())
    out["alignments"] = torch.tensor(alignments, dtype=torch.float64)

    model.zero_grad()
    objective(model, sequences, targets).backward()
    for key, weight in model.named_parameters():
        out["gradient." + key] = weight.grad.clone()

    groups = [{"params": [w for w in model.parameters() if w.dim() > 1], "weight_decay": DECAY},
              {"params": [w for w in model.parameters() if w.dim() == 1], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE, betas=BETAS, eps=EPSILON)
    losses, norms = [], []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = objective(model, sequences, targets)
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP).item())
        losses.append(loss.item())
        optimizer.step()
    names = sorted(key for key, _ in model.named_parameters())
    after = {key: weight.detach() for key, weight in model.named_parameters()}
    out["steps.losses"] = torch.tensor(losses, dtype=torch.float64)
    out["steps.norms"] = torch.tensor(norms, dtype=torch.float64)
    out["steps.sums"] = torch.tensor([after[n].double().sum().item() for n in names], dtype=torch.float64)
    out["steps.squares"] = torch.tensor([after[n].double().square().sum().item() for n in names], dtype=torch.float64)
    out["steps.heads"] = torch.stack([after[n].flatten()[:HEADS] for n in names])
    save_file({k: v.contiguous() for k, v in out.items()}, folder / "golden.safetensors")
    print(f"{name}: losses {losses[0]:.4f} -> {losses[-1]:.4f}, norms {norms[0]:.3f}, logits to "
          f"{out['logits'].abs().max():.1f}, alignments {alignments}")


TEXT = """Nitrogen makes up about four fifths of the air we breathe. It is a gas without colour or smell, and most living
things cannot use it directly: bacteria in the soil, or lightning, must first bind it to oxygen or hydrogen.
Question: Which part of the air is nitrogen?
Answer: About 78 %, or 4/5 of it."""


def record_real(models):
    """Losses of one text's tokens after the first, and the norm of the gradient of their mean."""
    out = {}
    for folder in sorted(pathlib.Path(models).iterdir()):
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        ids = AutoTokenizer.from_pretrained(folder)(TEXT, return_tensors="pt").input_ids[0]
        logits, losses = target_losses(model, ids, 1)
        losses.mean().backward()
        squares = sum(w.grad.double().square().sum() for w in model.parameters())
        padding = model.get_input_embeddings().padding_idx
        assert model.config.tie_word_embeddings and (padding is None or padding not in ids)
        out[folder.name] = {"ids": ids.tolist(), "losses": [round(x, 6) for x in losses.tolist()],
                            "greedy": (logits.argmax(-1) == ids[1:]).int().tolist(),
                            "gradient_norm": squares.sqrt().item()}
        print(folder.name, losses.mean().item(), squares.sqrt().item())
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(value)}" for name, value in out.items())
    (HERE / "real.json").write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "real":
        record_real(sys.argv[2])
    else:
        for seed, (name, (config, dtype, shard_bytes)) in enumerate(VARIANTS.items()):
            record(name, config, dtype, shard_bytes, 1000 + seed)
