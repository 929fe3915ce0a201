"""How fast are pictures of motion, against matplotlib's 3D animation of the same clip in the same run?

    OMP_NUM_THREADS=1 python benchmarks/render.py

Matplotlib draws a plain stick figure with floor grid, root trajectory and time, once as the field's code does (lines
are plotted anew for every frame), once as fast as it goes (lines are moved with `set_data_3d`); axes are off, and
pixels are read from the Agg canvas. All rows take turns in every round, and the best round counts, so that a busy
machine slows down each of them alike. Times are processor time.
"""

import argparse
import io
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent.parent))  # for the walk of examples/

import numpy as np

from atom_hf.motion import Motion
from atom_hf.motion.skeleton import CHAINS
from atom_hf.render import render_sheet, render_video
from atom_hf.render.scene import Scene
from examples.make_walk import walking

SIZE = 256  # pixels
COLOURS = ("#f07a20", "#2f70de", "#555555", "#f07a20", "#2f70de")  # of the chains


def matplotlib_frames(joints: np.ndarray, frames: int, anew: bool) -> Callable[[], int]:
    """Draws `frames` frames of stick figure, floor grid, root trajectory and time with matplotlib; gives their number.

    With `anew`, lines are removed and plotted again for every frame, as the field's code does; otherwise they are
    moved.
    """
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot
    from mpl_toolkits.mplot3d.art3d import Line3DCollection

    joints = joints[..., [0, 2, 1]]  # matplotlib's Z is up
    figure = pyplot.figure(figsize=(SIZE / 100, SIZE / 100), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1), projection="3d")
    axes.set_axis_off()
    axes.view_init(elev=16, azim=55)
    low, high = joints.min((0, 1)), joints.max((0, 1))
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), zlim=(0, high[2]))
    axes.set_box_aspect(high - low)
    grid = [[(x, low[1], 0), (x, high[1], 0)] for x in np.arange(low[0], high[0], 0.5)]
    grid += [[(low[0], y, 0), (high[0], y, 0)] for y in np.arange(low[1], high[1], 0.5)]
    axes.add_collection3d(Line3DCollection(grid, colors="#bbbbbb", linewidths=0.5))
    label = axes.text2D(0.03, 0.94, "", transform=axes.transAxes)
    styles = [{"color": colour, "linewidth": 3} for colour in COLOURS] + [{"color": "#148a52", "linewidth": 1}]
    lines = [axes.plot([], [], [], **style)[0] for style in styles]

    def draw() -> int:
        for frame in range(frames):
            root = joints[: frame + 1, 0] * (1, 1, 0)
            paths = [joints[frame, list(chain)].T for chain in CHAINS] + [root.T]
            for i, (path, style) in enumerate(zip(paths, styles, strict=True)):
                if anew:
                    lines[i].remove()
                    (lines[i],) = axes.plot(*path, **style)
                else:
                    lines[i].set_data_3d(*path)
            label.set_text(f"{frame / 20:.1f} s")
            figure.canvas.draw()
            np.asarray(figure.canvas.buffer_rgba())
        return frames

    return draw


def atom_hf_frames(motion: Motion, follow: bool) -> Callable[[], int]:
    """Draws every frame of a motion, geometry included; gives their number."""

    def draw() -> int:
        scene = Scene(motion, size=(SIZE, SIZE), follow=follow)
        return sum(1 for _ in scene.images(range(len(motion))))

    return draw


def sheets(motion: Motion, count: int) -> Callable[[], int]:
    """Draws the judge's default picture and encodes it, `count` times over different parts of the motion."""

    def draw() -> int:
        for i in range(count):
            render_sheet(motion[i : len(motion) - count + i]).save(io.BytesIO(), "JPEG", quality=85)
        return count

    return draw


def videos(motion: Motion, path: Path) -> Callable[[], int]:
    """Writes a video; gives its number of frames."""

    def write() -> int:
        render_video(motion, path, size=(SIZE, SIZE))
        return len(motion)

    return write


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=196, help="frames of the clip")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of which the best counts")
    options = parser.parse_args()
    motion = Motion(walking(frames=options.frames))

    with tempfile.TemporaryDirectory() as folder:
        rows: list[tuple[str, str, Callable[[], int], float | None]] = [
            ("frames, camera fixed", "frames", atom_hf_frames(motion, follow=False), 1500.0),
            ("frames, camera follows", "frames", atom_hf_frames(motion, follow=True), None),
            ("sheets of 4 x 3 frames, with JPEG", "sheets", sheets(motion, 5), 40.0),
            ("MP4 video, encoding included", "frames", videos(motion, Path(folder) / "walk.mp4"), None),
        ]
        try:
            for name, anew in (("matplotlib, lines plotted anew", True), ("matplotlib, lines moved", False)):
                rows.append((name, "frames", matplotlib_frames(motion.joints, 20, anew), None))
        except ImportError:
            print("matplotlib is not installed; its row and the ratios are left out\n")
        best = [0.0] * len(rows)
        for _, _, draw, _ in rows:
            draw()  # caches are filled once per process
        for _ in range(options.rounds):
            for i, (_, _, draw, _) in enumerate(rows):
                start = time.process_time()
                done = draw()
                best[i] = max(best[i], done / (time.process_time() - start))

    has_matplotlib = rows[-1][0].startswith("matplotlib")
    print(f"Pictures of {SIZE} x {SIZE} pixels of a clip of {options.frames} frames, one thread, processor time\n")
    print("| what | a second | goal | times matplotlib, lines moved | lines plotted anew |")
    print("|---|---|---|---|---|")
    for (name, unit, _, goal), rate in zip(rows, best, strict=True):
        ratios = [f"{rate / slow:.1f}" if has_matplotlib and unit == "frames" else "" for slow in best[:-3:-1]]
        print(f"| {name} | {rate:,.0f} {unit} | {'' if goal is None else f'{goal:,.0f}'} | {' | '.join(ratios)} |")


if __name__ == "__main__":
    main()
