#!/usr/bin/env bash
# The embedded model from nothing, in about two hours on two cores; every stage goes on where it was stopped.
#
#     bash examples/train_default.sh "mocap/*.npz" [FOLDER]
#
# The first argument names real clips: motion files with captions beside them, or packs (see corpus.py). Without any, the
# model knows synthesised motion only.
set -euo pipefail
examples=$(dirname "${BASH_SOURCE[0]}")
mocap=${1:-}
folder=${2:-outputs/motiongpt_tiny}
real=()
[[ -n $mocap ]] && real=(--mocap "$mocap")

accelerate launch --num_processes 1 "$examples/train_vqvae.py" --config "$examples/configs/tiny_vqvae.yaml" "${real[@]}"
accelerate launch --num_processes 1 "$examples/sft.py" --config "$examples/configs/tiny_sft.yaml" "${real[@]}"
accelerate launch --num_processes 1 "$examples/train_vqvae.py" --config "$examples/configs/tiny_decoder.yaml" "${real[@]}"
python "$examples/export_model.py" outputs/sft "$folder" --decoder outputs/vqvae_decoder "${real[@]}"
