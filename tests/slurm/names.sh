#!/usr/bin/env bash
# names.sh BUILD: folders, files and the program itself under names that a shell, sbatch or Slurm could take for something else.
# They are data: the sweep runs, and no command in them is.
. "$(dirname "$0")/common.sh"
name=$'-rf it\'s "here" $(touch OWNED) `touch OWNED` ;&| #SBATCH *\n#SBATCH --nodes=77\nü'
mkdir "$work/$name"
mkdir "$work/bin $name"
cp "$adapt" "$work/bin $name/ada'pt \$(touch OWNED)"
program=$work/bin\ $name/ada\'pt\ \$\(touch\ OWNED\)
ln -s "$work/demo" "$work/$name/demo"
cd "$work/$name"
out=./$name/out

# The names go through JSON as JSON wants them.
python3 - "${out#./}" <<'PYTHON' >plain.json
import json, sys
m = lambda n: f"demo/benchmarks/{n}.jsonl"
print(json.dumps({
    "name": "names", "models": [{"name": "tiny-qwen3", "path": "demo/models/tiny-qwen3"}],
    "tasks": {"path": "demo/tasks", "validation_examples": 8, "max_tokens": 96, "template": "{definition}\n{input}\nAnswer:"},
    "budgets": [0.01], "methods": [{"name": "uniform"}], "seeds": [0],
    "training": {"batch_tokens": 512, "micro_batch_tokens": 512, "learning_rate": 5e-3},
    "evaluation": {"limit": 20, "benchmarks": {n: m(n) for n in ("arc_challenge", "winogrande")}},
    "ranks_per_cell": 2, "out": sys.argv[1],
    "slurm": {"nodes": 2, "setup": ["touch set-up-was-here", "export NOTE='a  b'"], "extra": ["--comment=\"a # b; touch OWNED\""]}}))
PYTHON
for file in ./--experiment.json "./\$(touch OWNED)' %j %% \\.json" $'./a\nb #SBATCH --x.json'; do
  cp plain.json "$file"
  rm -rf set-up-was-here
  for launch in srun mpirun; do
    rm -rf "./$name"
    on "$program" submit "$file" --launch $launch >submitted || fail "submit $file"
    collector=$(sed -n '/^job [0-9]*: collects/s/job \([0-9]*\):.*/\1/p' submitted)
    wait_until 60 has_ended "$collector" || fail "$file: the sweep does not end"
    grep -q '1 cell: 1 done, 0 running, 0 stopped or failed, 0 not started, 0 damaged' "$out/slurm/collect-$collector.log" ||
      fail "$file, $launch: $(cat "$out"/slurm/*.log)"
    [ -e set-up-was-here ] || fail "setup did not run in the experiment's folder"
  done
done
! find "$work" "$cluster" -name 'OWNED*' | grep . || fail "a name was run as a command"

# A folder in which Slurm cannot write logs is refused, and so is what cannot stand in a job script, before
# anything is submitted.
for bad in '--partition=a b' $'--account=x\ny' '--time=soon' '--partition=-x' $'--extra=--a\nrm -rf' '--extra=rm' '--nodes=0' '--out=50%' '--out=a\b'; do
  status=0
  "$adapt" submit plain.json --dry-run "$bad" >script 2>err || status=$?
  [ $status = 2 ] && [ ! -s script ] && [ -s err ] || fail "submit took $bad (status $status)"
done
