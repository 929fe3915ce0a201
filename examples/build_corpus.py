"""Motion files → a HumanML3D folder with features, captions and mirrored copies, and its mean and deviation.

    python examples/build_corpus.py mocap/*.bvh --out corpus

Captions stand in a text file beside each motion: walk.txt for walk.bvh, a sentence a line.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from atom_hf import (
    Caption,
    HumanML3DClip,
    Motion,
    MotionStats,
    load_motion,
    mirror_text,
    read_humanml3d,
    write_humanml3d,
)
from atom_hf.motion.formats.humanml3d import captions_beside


def clips(paths: list[Path]) -> Iterator[HumanML3DClip]:
    """Every file as a clip, and its mirror image, words included, under the same name with an M."""
    for path in paths:
        captions = captions_beside(path)
        motion = Motion.from_features(load_motion(path).to_features())
        yield HumanML3DClip(path.stem, motion, tuple(captions))
        mirrored = tuple(Caption(mirror_text(c.text), (), c.start, c.end) for c in captions)
        yield HumanML3DClip(f"M{path.stem}", motion.mirror(), mirrored)


def main() -> None:
    """Write the corpus and its statistics."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", type=Path, nargs="+", help="motion files")
    parser.add_argument("--out", type=Path, default=Path("corpus"), help="folder to write")
    options = parser.parse_args()
    names = write_humanml3d(options.out, clips(options.paths), split="train")
    stats = MotionStats.compute(clip.motion.to_features() for clip in read_humanml3d(options.out, "train"))
    stats.save(options.out)
    print(f"{options.out}: {len(names)} clips, half of them mirrored; Mean.npy and Std.npy")


if __name__ == "__main__":
    main()
