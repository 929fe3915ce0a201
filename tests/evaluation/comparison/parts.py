"""Systems and folders small enough to be made in every test."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from atom_hf.evaluation.comparison import Case, System, SystemClip, grammar_cases, synthesised_system
from atom_hf.motion import Motion
from atom_hf.rewards import Verdict


class LengthJudge:
    """Scores the seconds of a clip, 1 for 10 s; knows no prompt with "unknown" in it."""

    name = "length-1"

    def score(self, items: Sequence[SystemClip]) -> list[Verdict]:
        return [self._verdict(item) for item in items]

    def _verdict(self, item: SystemClip) -> Verdict:
        if "unknown" in item.prompt:
            return Verdict.unscored("not understood", self.name)
        value = min(item.motion.duration / 10, 1.0)
        return Verdict(1 + 4 * value, f"{item.motion.duration:.1f} s", raw={"overall": value}, judge=self.name)


class AverageEmbedder:
    """Embeds a motion as means of its joints, a text as the number of its letters."""

    name, fingerprint, embedding_protocol = "average", "f" * 64, "packed"

    def embed_motion(self, motions: Sequence[Motion]) -> np.ndarray:
        return np.stack([motion.joints.mean(0)[[0, 10, 15, 20]].ravel() for motion in motions]).astype(np.float64)

    def embed_text(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([np.full(12, len(text) / 50) for text in texts])


def walk_of(seconds: float, seed: int = 0) -> Motion:
    """A body that drifts along, of some length."""
    rng = np.random.default_rng(seed)
    (case,) = grammar_cases(1, 7)
    pose = synthesised_system([case]).clips[0].motion.joints[0]
    frames = int(seconds * 20)
    joints = pose + rng.normal(0, 0.01, 3) * [1, 0, 1] * np.arange(frames)[:, None, None]
    return Motion((joints + rng.normal(0, 0.02, joints.shape)).astype(np.float32))


def system(name: str, seconds: Sequence[float], prompts: Sequence[str] | None = None, samples: int = 1) -> System:
    """A clip of so many seconds for each prompt; with several samples, a tenth longer each."""
    prompts = prompts or [f"prompt {i}" for i in range(len(seconds) // samples)]
    clips = []
    for i, length in enumerate(seconds):
        case = Case(f"{i // samples:03d}", prompts[i // samples])
        clips.append(SystemClip(case, walk_of(length, i), i % samples))
    return System(name, clips, made_with={"kind": "test", "what": "drifting bodies"})


def write_folder(folder: Path, count: int = 3) -> Path:
    """Joints with a caption beside each."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        np.save(folder / f"clip{i}.npy", walk_of(2, i).joints)
        (folder / f"clip{i}.txt").write_text(f"a person jumps {('once', 'twice')[i % 2]}\n", encoding="utf-8")
    return folder
