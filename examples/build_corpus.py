"""Motion files → a HumanML3D folder with features, captions and mirrored copies, and its mean and deviation.

python examples/build_corpus.py mocap/*.bvh --captions captions.json --out corpus
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from atom_hf import HumanML3DClip, Motion, MotionStats, load_motion, read_humanml3d, write_humanml3d


def clips(paths: list[Path], captions: dict[str, str]) -> Iterator[HumanML3DClip]:
    """Every file as a clip, and its mirror image under the same name with an M."""
    for path in paths:
        text = captions.get(path.stem, path.stem.replace("_", " "))
        motion = Motion.from_features(load_motion(path).to_features(), text=text)
        yield HumanML3DClip(path.stem, motion, ())
        yield HumanML3DClip(f"M{path.stem}", motion.mirror(), ())


def main() -> None:
    """Write the corpus and its statistics."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", type=Path, nargs="+", help="motion files")
    parser.add_argument("--captions", type=Path, help="JSON object: name of a file, without suffix → caption")
    parser.add_argument("--out", type=Path, default=Path("corpus"), help="folder to write")
    options = parser.parse_args()
    captions = json.loads(options.captions.read_text(encoding="utf-8")) if options.captions else {}
    names = write_humanml3d(options.out, clips(options.paths, captions), split="train")
    stats = MotionStats.compute(clip.motion.to_features() for clip in read_humanml3d(options.out, "train"))
    stats.save(options.out)
    print(f"{options.out}: {len(names)} clips, half of them mirrored; mean.npy and std.npy")


if __name__ == "__main__":
    main()
