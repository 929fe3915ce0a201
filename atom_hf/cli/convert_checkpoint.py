"""`atom-hf convert-checkpoint`: a checkpoint of the original MotionGPT, or one trained from it, for this package.

    atom-hf convert-checkpoint OpenMotionLab/MotionGPT-base motiongpt --stats MotionGPT/assets/meta
    atom-hf convert-checkpoint policy-checkpoint-20.pt aligned --base motiongpt        LoRA weights, or a T5 alone

What is written is a folder for from_pretrained and --model, with tokenizer and statistics. Nothing in a file is run.
"""

import argparse
import sys
from pathlib import Path
from typing import Any


def add_parser(commands: Any) -> None:
    """Add the command to `atom-hf`.

    Args:
        commands: the subparsers of `argparse`.
    """
    parser = commands.add_parser(
        "convert-checkpoint",
        help="convert an original MotionGPT checkpoint, or one trained from it",
        description="Convert an original checkpoint into a folder that from_pretrained reads.",
        epilog=__doc__.split("\n\n", 1)[1] if __doc__ else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("source", help="motiongpt_s3_h3d.tar, a folder with it, OpenMotionLab/MotionGPT-base, or a .pt, .ckpt, …")
    add("output", type=Path, help="the folder to write")
    add("--stats", type=Path, metavar="FOLDER", help="where mean.npy and std.npy of MotionGPT are (its assets/meta)")
    add("--tokenizer", metavar="NAME", help="folder or repository of the T5 tokenizer; google/flan-t5-base without it")
    add(
        "--base",
        metavar="CHECKPOINT",
        help="what gives a source its model (LoRA weights) or its VQ-VAE, if it has none",
    )
    add("--vqvae", metavar="CHECKPOINT", help="the VQ-VAE of a source that has none")
    add("--lora-alpha", type=float, default=16, metavar="ALPHA", help="scale that LoRA weights were trained with (16)")
    add("--revision", help="branch, tag or commit of the Hub repository")
    add("--overwrite", action="store_true", help="replace the checkpoint that is in the folder")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Convert, and print what was found and what was written.

    Args:
        options (`argparse.Namespace`): the command's options.

    Returns:
        `int`: 0.

    Raises:
        OSError: if something has to be downloaded and cannot be.
        ValueError: if a file is no such checkpoint, or something that is needed was not given.
    """
    from ..models.convert import convert

    convert(
        options.source,
        options.output,
        stats=options.stats,
        tokenizer=options.tokenizer,
        base=options.base,
        vqvae=options.vqvae,
        lora_alpha=options.lora_alpha,
        revision=options.revision,
        overwrite=options.overwrite,
        report=lambda line: sys.stdout.write(f"{line}\n"),
    )
    files = [file for file in options.output.iterdir() if file.is_file()]
    size = sum(file.stat().st_size for file in files) / 1e6
    sys.stdout.write(f"{options.source} → {options.output}: {len(files)} files, {size:.1f} MB\n")
    return 0
