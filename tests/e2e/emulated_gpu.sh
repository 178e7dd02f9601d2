#!/usr/bin/env bash
# emulated_gpu.sh BUILD: cells of the demonstration on the cuda backend with an emulated GPU (tests/emulation) walk the CPU's
# path: in float32 to 1e-4 of losses and mixture, alone, on two ranks that share the GPU, and on two with a GPU each; in bfloat16
# to 1 % of the losses. `adapt bench` tells where the device's time goes. A device without room for a cell says so with the
# numbers, one that is lost ends its cell with a reason and takes no more, and neither breaks the archive.
set -euo pipefail
build=$1
. "$(dirname "$0")/../support/e2e.sh"
emulated=$build/tests/adapt_on_emulator
if [ ! -x "$emulated" ]; then
  echo "skipped: no emulator in this build (it needs a C++ compiler)"
  exit 77
fi

expect 0 "$build/adapt_generate" "$work/demo"
demo_part "$work/run.json" tiny-qwen3 0.001 0
sed -i -e 's|"limit": 20|"limit": 1|' -e 's|"validation_examples": 8|"validation_examples": 2|' "$work/run.json"
for kind in float32 bfloat16 ranks nccl small lost; do
  dtype=float32
  [ $kind = bfloat16 ] && dtype=bfloat16
  sed -e "s|\"out\": \"run\"|\"out\": \"$kind\", \"device\": \"cuda\", \"dtype\": \"$dtype\"|" "$work/run.json" >"$work/$kind.json"
done
sed -i 's|"ranks_per_cell": 1|"ranks_per_cell": 2|' "$work/ranks.json" "$work/nccl.json"

# close RELATIVE KIND METHOD ROWS...: both archives' rows hold the same numbers
close() {
  local relative=$1 kind=$2 method=$3 rows cell
  cell="tiny-qwen3__0.001__${method}__seed0.h5"
  shift 3
  for rows in "$@"; do
    h5diff -p "$relative" "$work/run/cells/$cell" "$work/$kind/cells/$cell" \
      "/cells/tiny-qwen3/0.001/$method/seed0/$rows" >"$work/out" 2>&1 || {
      cat "$work/out" >&2
      fail "$kind, $method: $rows differs from the CPU's by more than $relative"
    }
  done
}

expect 0 "$adapt" run "$work/run.json"
ADAPT_EMULATION_WAITS=1 expect 0 "$emulated" run "$work/float32.json" --cells 1
waits=$(grep 'the host waited' "$work/err")
close 1e-4 float32 uniform steps/loss
# AdamW's first steps divide rounding errors of small gradients by their size: norms part sooner than losses.
close 1e-3 float32 uniform steps/grad_norm
# The host waits for a pass, not for each of its micro-batches.
sed 's|"micro_batch_tokens": 512|"micro_batch_tokens": 128|' "$work/float32.json" >"$work/micro.json"
ADAPT_EMULATION_WAITS=1 expect 0 "$emulated" run "$work/micro.json" --cells 1 --out "$work/micro"
close 1e-4 micro uniform steps/loss
says err "$waits"
expect 0 "$mpirun" 2 "$emulated" run "$work/ranks.json"
says err "sums over the ranks: MPI through the host's memory (ranks 0 and 1 have the same GPU)"
close 1e-4 ranks adapt steps/loss steps/mixture steps/validation_loss
ADAPT_EMULATION_DEVICES=2 expect 0 "$mpirun" 2 "$emulated" run "$work/nccl.json"
says err 'sums over the ranks: NCCL 2.27.3'
close 1e-4 nccl adapt steps/loss steps/mixture steps/validation_loss
expect 0 "$emulated" run "$work/bfloat16.json" --cells 1
says err '1 cell, 1 to run' 'cuda in bfloat16' 'tiny-qwen3: a rank takes up to' 'bfloat16 copies' 'GiB are free'
close 1e-2 bfloat16 uniform steps/loss

# The emulated GPU works only while it is waited for: what operations took is nearly all of a step, and what calling them took
# would be hardly any.
bench=("$emulated" bench "$work/demo/models/tiny-qwen3" --device cuda --steps 1 --threads 1 --tasks 3 --length 32 --batch-tokens 96)
expect 0 "${bench[@]}"
says out '"device":"cuda"' '"dtype":"bfloat16"'
if command -v python3 >/dev/null; then
  python3 - "$work/out" <<'PY' || fail "operations do not add up to a step"
import json, sys
result = json.loads(open(sys.argv[1]).read())
for kind in "plain", "plain_matching", "update":
    step, parts = result[kind]["step_seconds"], result[kind]["operation_seconds"]
    print(kind, step, sum(parts.values()), parts)
    assert 0.7 * step < sum(parts.values()) < 1.001 * step
    for name, seconds in parts.items():
        assert seconds > 0, name
PY
fi
ADAPT_EMULATION_LOST=4000 expect 1 timeout 60 "${bench[@]}"
says err 'on CUDA device 0: unknown error'

expect 2 "$emulated" run "$work/float32.json" --out "$work/wrong" --cells 99
sed 's|"device": "cuda"|"device": "cpu"|' "$work/bfloat16.json" >"$work/cpu16.json"
expect 2 "$adapt" check "$work/cpu16.json"
says err 'device cpu computes in float32'

expect 0 "$emulated" check "$work/small.json"
says out 'at most: weights' 'validation gradient' 'activations' 'workspace'
ADAPT_EMULATION_MEMORY=8000000 expect 2 "$emulated" check "$work/small.json"
says err 'GiB of memory (weights' 'the device has'
ADAPT_EMULATION_MEMORY=8000000 expect 1 "$emulated" run "$work/small.json"
says err 'GiB of device memory (weights' 'are free' '0 cells done, 2 failed'
ADAPT_EMULATION_LOST=1000 expect 1 "$emulated" run "$work/lost.json" --cells 1
says err 'on CUDA device 0: unknown error' '1 failed'
ADAPT_EMULATION_LOST=1000 expect 1 "$emulated" run "$work/lost.json"
says err 'a device is lost; its ranks take no more cells' '1 failed'
expect 0 "$adapt" status "$work/lost"
says out '1 failed'
expect 0 "$emulated" run "$work/lost.json" --cells 1
says err '1 cells done, 0 failed'
ADAPT_EMULATION_DEVICES=0 expect 1 "$emulated" run "$work/small.json"
says err 'no CUDA device'
