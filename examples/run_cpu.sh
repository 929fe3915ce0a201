#!/usr/bin/env bash
# The whole loop, from a motion file and from prompts to an aligned model and its report, on a laptop's processor in
# minutes: every step is short here. Read it as documentation: each line is a command of its own. Results go to outputs/loop, or to the folder given.
#
#     bash examples/run_cpu.sh [FOLDER]
set -euo pipefail
examples=$(dirname "${BASH_SOURCE[0]}")
out=${1:-outputs/loop}

echo "1. A motion: here one made from sines; yours may come from any BVH, AMC, AMASS or HumanML3D file."
python "$examples/make_walk.py" "$out/walk.bvh"

echo "2. Motion file → the features that text-to-motion models are trained on."
atom-hf convert "$out/walk.bvh" "$out/walk.npy" --features

echo "3. Features → motion files again: for Blender (BVH) and for SMPL tools (npz)."
atom-hf convert "$out/walk.npy" "$out/walk_again.bvh"
atom-hf convert "$out/walk.npy" "$out/walk_again.npz"

echo "4. What is lost on the way? Every file against its source."
python "$examples/compare_motions.py" "$out/walk.npy" "$out/walk_again.bvh" "$out/walk_again.npz"

echo "5. A training corpus: the folder that HumanML3D's own code reads, with mirrored copies."
python "$examples/build_corpus.py" "$out"/walk.bvh --out "$out/corpus"

echo "6. Look at it."
atom-hf render "$out/walk.npy" "$out/walk.png" --layout trajectory --text "a person walks along a curve to the left"

echo "7. Events: a sentence becomes a motion, and the judge says what it shows, right and with one fault each."
python "$examples/judge_motion.py" "a person walks forward, then jumps twice and waves with the right hand" --out "$out"
atom-hf judge "$out/walk_again.bvh" "a person walks forward"

echo "8. A sentence becomes motions: the tiny model that comes with the package."
atom-hf generate "a person walks forward, then jumps twice" -o "$out/generated.mp4" --seed 0
atom-hf generate "a person waves with the right hand" -o "$out/wave.bvh" --samples 2 --seed 0

echo "9. The beginnings of training one: a motion tokenizer, then a language model, for a few steps each."
python "$examples/train_vqvae.py" --synthesised 60 --max_steps 4 --eval_steps 4 --output_dir "$out/vqvae"
python "$examples/sft.py" --vqvae "$out/vqvae" --synthesised 60 --max_steps 4 --per_device_train_batch_size 8 \
    --judged_prompts 0 --report_to none --output_dir "$out/sft"
echo "10. Preferences: prompts, several motions for each, a judge, pairs; then what is in them."
python "$examples/build_motionprefer.py" --prompts 16 --candidates 4 --output_dir "$out/motionprefer"
atom-hf data validate "$out/motionprefer/dataset"
atom-hf data stats "$out/motionprefer/dataset" --sheets 2 --out "$out/pairs"
echo "11. Alignment with these preferences, for a few steps; examples/dpo.py without arguments does it in earnest."
accelerate launch "$examples/dpo.py" --dataset "$out/motionprefer/dataset" --max_steps 8 --per_device_train_batch_size 8 \
    --monitor_prompts 0 --test_prompts 32 --output_dir "$out/dpo"
echo "12. How good is it? Base, aligned model and real motion in one report, which opens in a browser."
atom-hf evaluate base=default aligned="$out/dpo/model" real=synthesised --prompts 48 --samples 2 --out "$out/report"
echo "Done: see $out/walk.png and $out/generated.mp4, $out/pairs, $out/dpo/report.html and $out/report/report.html."
