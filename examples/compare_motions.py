"""How far is one motion file from others? Distances between joints after both are brought into HumanML3D's frame.

python examples/compare_motions.py walk.npy walk_again.bvh walk_again.npz
"""

import argparse

import numpy as np

from atom_hf import Motion, face_forward, load_motion, to_floor, to_origin


def aligned(motion: Motion) -> np.ndarray:
    """Joints `[T, 22, 3]` in metres: on the floor, from the origin, facing +Z."""
    return face_forward(to_origin(to_floor(motion.resample(20).joints)))


def main() -> None:
    """Print one line a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference", help="the file to compare with")
    parser.add_argument("others", nargs="+", help="files of the same motion")
    options = parser.parse_args()
    reference = aligned(load_motion(options.reference))
    for path in options.others:
        joints = aligned(load_motion(path))
        frames = min(len(reference), len(joints))
        distance = np.linalg.norm(joints[:frames] - reference[:frames], axis=-1) * 1000
        print(f"{path}: mean {distance.mean():.3f} mm, largest {distance.max():.3f} mm over {frames} frames")


if __name__ == "__main__":
    main()
