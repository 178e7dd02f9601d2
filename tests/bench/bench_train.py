#!/usr/bin/env python3
"""Times training by `adapt bench` beside PyTorch + transformers: the same model, machine, run and number of threads.

    bench_train.py MODEL_DIR --peer bench_pytorch.py [--tasks DIR] [--adapt PROGRAM] [--rounds N] [--steps N] [--threads N]
        [--work full,real,meta,cost,ranks] [--device cpu|cuda] [--peer-options "--dtype bfloat16"]

The peer is a script that takes MODEL_DIR --work full|real, --tasks, --batch, --steps, --threads, --meta and prints one JSON
line (tokens_per_s, step_s, meta_s, peak_gib); --device where it is not the CPU, and --peer-options are passed on to it. Both sides take turns, the first place changing; medians over the rounds are
compared.
  full   4 sequences of 512 tokens, all supervised; adapt takes two at a time
  real   the tasks in DIR (Natural Instructions files), completion-only: two examples a step for the peer, 2048 tokens for adapt
  meta   the same with the mixture's signal, two examples of each of 20 tasks, every one the task's instance of median
         length: the peer's autograd, a backward pass a task, against what adapt's alignments add to a training step
  cost   adapt alone: an update step against plain steps for 5, 20 and 50 tasks
  ranks  adapt alone: two ranks of half the threads against one rank
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--peer", type=pathlib.Path)
    parser.add_argument("--tasks", type=pathlib.Path)
    parser.add_argument("--adapt", type=pathlib.Path, default=HERE.parents[1] / "build/adapt")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", default="full,real,meta,cost,ranks")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--peer-options", default="")
    return parser.parse_args()


OPTIONS = arguments()


def run(command, **environment):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, check=False,
                          env={**os.environ, **environment})
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit status {done.returncode}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def adapt(*words, ranks=1, threads=None):
    threads = threads or OPTIONS.threads
    launch = ["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-np", ranks] if ranks > 1 else []
    return run([*launch, OPTIONS.adapt, "bench", *words, "--steps", OPTIONS.steps, "--threads", threads, "--device", OPTIONS.device],
               OMP_NUM_THREADS=str(threads))


def peer(*words):
    device = ["--device", OPTIONS.device] if OPTIONS.device != "cpu" else []
    return run([sys.executable, OPTIONS.peer, OPTIONS.model, "--steps", OPTIONS.steps, "--threads", OPTIONS.threads, *device,
                *OPTIONS.peer_options.split(), *words],
               OMP_NUM_THREADS=str(OPTIONS.threads))


def take_turns(ours, theirs):
    """Runs both OPTIONS.rounds times; two lists of results."""
    results = ([], [])
    for i in range(OPTIONS.rounds):
        for side in (0, 1) if i % 2 == 0 else (1, 0):
            results[side].append((ours, theirs)[side]())
    return results


def median(results, *path):
    def value(result):
        for key in path:
            result = result[key]
        return result
    return statistics.median(value(result) for result in results)


def row(what, ours, theirs, ratio, unit):
    print(f"{what:44} {ours:10.3f} {theirs:10.3f} {ratio:8.2f}  {unit}", flush=True)


def experiment(folder, method, tasks):
    """An experiment file on the tasks; the method's examples for an update are two of each task."""
    path = pathlib.Path(folder) / "experiment.json"
    chosen = {"name": method} if method != "adapt" else {"name": "adapt", "probe": 2, "validation_batch": 2}
    path.write_text(json.dumps({
        "name": "bench",
        "models": [{"name": OPTIONS.model.name, "path": str(OPTIONS.model.resolve())}],
        "tasks": {"path": str(tasks.resolve()), "group_by": "file", "max_tokens": 1128, "on_bad_instance": "skip",
                  "max_examples": 64, "validation_examples": 8, "template": "{definition}\n\n{input}\n"},
        "budgets": [1.0],
        "methods": [chosen],
        "seeds": [0],
        "training": {"batch_tokens": 2048, "micro_batch_tokens": 1128},
        "out": "run",
        "cache": str(pathlib.Path(folder).parent / "bench-cache"),
    }))
    return path


def bench_full():
    words = ("--method", "uniform", "--micro-batch-tokens", 1024)
    ours, theirs = take_turns(lambda: adapt(OPTIONS.model, *words), lambda: peer("--work", "full"))
    rate, other = median(ours, "plain", "tokens_per_s"), median(theirs, "tokens_per_s")
    row("full: tokens/s", rate, other, rate / other, "times the peer")
    memory, other = median(ours, "plain_peak_gib"), median(theirs, "peak_gib")
    row("full: peak memory, GiB", memory, other, memory / other, "of the peer")
    share = median(ours, "plain", "product_share")
    row("full: GFLOP/s, of the matrix product's", median(ours, "plain", "gflops"), median(ours, "product_gflops"), share, "share")


def bench_real(folder):
    path = experiment(folder, "uniform", OPTIONS.tasks)
    ours, theirs = take_turns(lambda: adapt(path),
                              lambda: peer("--work", "real", "--tasks", OPTIONS.tasks, "--batch", 2))
    for name in ("tokens_per_s", "supervised_per_s"):
        rate, other = median(ours, "plain", name), median(theirs, name)
        row(f"real: {name.replace('_per_', '/')}", rate, other, rate / other, "times the peer")
    memory, other = median(ours, "plain_peak_gib"), median(theirs, "peak_gib")
    row("real: peak memory, GiB", memory, other, memory / other, "of the peer")


def median_instances(folder):
    """The tasks with one instance each, again and again: that of median length, with a number behind it because equal ones
    are kept together. Whatever either side draws, it is as long."""
    out = pathlib.Path(folder) / "median-tasks"
    out.mkdir(exist_ok=True)
    for path in sorted(OPTIONS.tasks.glob("*.json")):
        task = json.loads(path.read_text())
        instances = sorted(task["Instances"][:64], key=lambda instance: len(instance["input"]))
        chosen = instances[len(instances) // 2]
        task["Instances"] = [{**chosen, "id": f"{chosen['id']}-{i}", "input": f"{chosen['input']} {10 + i}"} for i in range(40)]
        (out / path.name).write_text(json.dumps(task))
    return out


def bench_meta(folder):
    """Ours: the update step's training pass less the plain step's on the same examples; the peer's: all of its signal."""
    tasks = median_instances(folder)
    path = experiment(folder, "adapt", tasks)
    ours, theirs = take_turns(lambda: adapt(path), lambda: peer("--work", "real", "--tasks", tasks, "--batch", 2,
                                                                "--meta", "naive", "--task-count", 20, "--steps", 2))
    extra = statistics.median(r["update"]["phase_seconds"]["train"] - r["plain_matching"]["phase_seconds"]["train"] for r in ours)
    whole = statistics.median(r["update"]["step_seconds"] - r["plain_matching"]["step_seconds"] for r in ours)
    other = median(theirs, "meta_s")
    row("meta: seconds of the alignments", extra, other, extra / other, "of the peer")
    row("meta: with the validation gradient", whole, other, whole / other, "of the peer")


def bench_cost():
    for tasks in (5, 20, 50):
        length = max(8, 2048 // tasks // 2)
        results = [adapt(OPTIONS.model, "--tasks", tasks, "--length", length) for _ in range(OPTIONS.rounds)]
        row(f"cost: {tasks} tasks, update against plain step", median(results, "update", "step_seconds"),
            median(results, "plain_matching", "step_seconds"), median(results, "update_ratio"), "times, per token")
        row(f"cost: {tasks} tasks, a run with updates", median(results, "update", "step_seconds"),
            median(results, "plain", "step_seconds"), median(results, "amortised_ratio"),
            f"times one without, interval {results[0]['interval']}")


def bench_ranks():
    one, two = take_turns(lambda: adapt(OPTIONS.model, "--method", "uniform"),
                          lambda: adapt(OPTIONS.model, "--method", "uniform", ranks=2, threads=max(1, OPTIONS.threads // 2)))
    rate, other = median(two, "plain", "tokens_per_s"), median(one, "plain", "tokens_per_s")
    row("ranks: tokens/s, two ranks against one", rate, other, rate / other, "times one rank")


def main():
    works = OPTIONS.work.split(",")
    if not OPTIONS.peer and {"full", "real", "meta"} & set(works):
        sys.exit("--peer is needed for full, real and meta")
    if not OPTIONS.tasks and {"real", "meta"} & set(works):
        sys.exit("--tasks is needed for real and meta")
    place = adapt(OPTIONS.model, "--method", "uniform", "--length", 64, "--batch-tokens", 64)
    print(f"{OPTIONS.model.name}, {place['cpu']}, {OPTIONS.threads} threads, load {os.getloadavg()[0]:.2f} at the start; medians of "
          f"{OPTIONS.rounds} rounds of {OPTIONS.steps} steps")
    print(f"{'':44} {'adapt':>10} {'other':>10} {'ratio':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for name in works:
            if name in ("real", "meta"):
                {"real": bench_real, "meta": bench_meta}[name](folder)
            else:
                {"full": bench_full, "cost": bench_cost, "ranks": bench_ranks}[name]()


if __name__ == "__main__":
    main()
