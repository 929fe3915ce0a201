"""How well are events found, on synthesised motion with known segments and on real clips with labels?

    python benchmarks/detection.py [--shared ../shared] [--clips 20]

Synthesised motion: precision, recall and F1 of single repetitions (right action at the right time), the share of clips
whose count is exact, and what is mistaken for what; as it is, and with jitter, other proportions and another tempo.
Real clips: per clip, whether an action that must be there was found, and whether one was found that must not be there
(see tests/events/real_labels.json). They are split in two halves by a hash of content and style; thresholds are tuned
on the first. Mistakes in both were read while the detectors were written, so the second is not unseen data either: new
corpora will show how far the figures hold. Times are processor time.
"""

import argparse
import csv
import hashlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent.parent))  # run from anywhere

import numpy as np

from atom_hf.events.actions import ACTIONS
from atom_hf.events.detect import detect_events
from atom_hf.events.detected import DetectedEvent
from atom_hf.events.matching import match_in_time, read_gait
from atom_hf.events.scenario import Event, Scenario
from atom_hf.events.synthesize import Segment, synthesize
from atom_hf.motion.kinematics import bones_of, joints_of
from atom_hf.motion.resample import resample_joints
from atom_hf.motion.smoothing import gaussian_smooth

CORPORA = ("bandai_namco", "cmu_eval_expmap", "cmu_gait_amc", "cmu_iclone_bvh")
_REPOSITORY = Path(__file__).parent.parent
LABELS = _REPOSITORY / "tests" / "events" / "real_labels.json"
_LEGS, _ARMS = (0, 1, 3, 4, 6, 7, 9, 10), (15, 16, 17, 18, 19, 20)  # bones, by the joint at their end minus one


def random_event(rng: np.random.Generator, action: str) -> Event:
    """An event of an action with a random count, side and direction, half of them left open."""
    entry = ACTIONS[action]
    pick = {
        name: str(rng.choice(options)) if options and rng.random() < 0.5 else None
        for name, options in (("side", entry.sides), ("direction", entry.directions))
    }
    return Event(action, int(rng.integers(1, min(entry.max_count, 4) + 1)), **pick)


def random_scenarios(clips: int, seed: int) -> list[Scenario]:
    """For each action `clips` scenarios with it alone and as many with one or two others around it."""
    rng = np.random.default_rng(seed)
    scenarios = []
    for action in ACTIONS:
        for _ in range(clips):
            scenarios.append(Scenario((random_event(rng, action),)))
            events = [random_event(rng, str(a)) for a in rng.choice(list(ACTIONS), int(rng.integers(1, 3)))]
            events.insert(int(rng.integers(len(events) + 1)), random_event(rng, action))
            if not any(_run_together(a.action, b.action) for a, b in pairwise(events)):
                scenarios.append(Scenario(tuple(events)))
    return scenarios


def _run_together(first: str, second: str) -> bool:
    """Whether two neighbours have no boundary that anybody could see: a walk after a walk, steps before a walk."""
    gait = ("walk", "run", "step")
    return first == second or (first in gait and second in gait and "step" in (first, second))


def disturb(joints: np.ndarray, segments: Iterable[Segment], rng: np.random.Generator) -> tuple[np.ndarray, list]:
    """Another body (15 %), another tempo (0.7 to 1.4), another place and facing, and 10 mm of jitter."""
    bones = bones_of(joints)
    legs, arms, trunk = rng.uniform(0.85, 1.15, 3)
    scale = np.full(21, trunk)
    scale[list(_LEGS)], scale[list(_ARMS)] = legs, arms
    joints = joints_of(joints[:, 0] * legs, bones * scale[:, None])
    tempo = rng.uniform(0.7, 1.4)
    joints = resample_joints(joints.astype(np.float32), 20.0, 20.0 / tempo)
    angle = rng.uniform(0, 2 * np.pi)
    c, s = np.cos(angle), np.sin(angle)
    joints = joints @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]]) + rng.uniform(-2, 2, 3)
    joints = (joints + rng.normal(0, 0.01, joints.shape)).astype(np.float32)
    moved = [s._replace(start=round(s.start / tempo), end=round(s.end / tempo)) for s in segments]
    return joints, moved


def as_generated(joints: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What generators do to motion: joints that wander by 15 mm, feet that skate, and 5 mm of jitter."""
    wander = gaussian_smooth(rng.normal(0, 1, (66, len(joints))), 3.0).T.reshape(-1, 22, 3)
    skate = gaussian_smooth(rng.normal(0, 1, (2, len(joints))), 10.0).T
    joints = joints + 0.015 * wander / wander.std() + rng.normal(0, 0.005, joints.shape)
    joints[:, :, [0, 2]] += 0.06 * (skate / skate.std())[:, None]
    return joints.astype(np.float32)


class Tally:
    """Counts of what was found, missed and made up, per action."""

    def __init__(self) -> None:
        self.hits: Counter = Counter()
        self.missed: Counter = Counter()
        self.false: Counter = Counter()
        self.clips: Counter = Counter()
        self.exact: Counter = Counter()
        self.qualified: Counter = Counter()  # hits with the right side and direction
        self.confused: Counter = Counter()
        self.examples: list[str] = []

    def f1(self, action: str) -> float:
        """Harmonic mean of precision and recall."""
        right = 2 * self.hits[action]
        return right / max(1, right + self.missed[action] + self.false[action])

    def macro(self) -> float:
        """Mean F1 over the actions that occur."""
        return float(np.mean([self.f1(a) for a in ACTIONS if self.hits[a] + self.missed[a]] or [0.0]))

    def exact_share(self) -> float:
        """Share of clips and actions with an exact count."""
        return sum(self.exact.values()) / max(1, sum(self.clips.values()))

    def table(self, title: str) -> str:
        """A Markdown table."""
        lines = [
            f"\n### {title}\n",
            "| action | events | precision | recall | F1 | side and direction right | count exact |",
        ]
        lines.append("|---|---|---|---|---|---|---|")
        for a in ACTIONS:
            if not self.hits[a] + self.missed[a] + self.false[a]:
                continue
            precision = self.hits[a] / max(1, self.hits[a] + self.false[a])
            recall = self.hits[a] / max(1, self.hits[a] + self.missed[a])
            exact = f"{self.exact[a] / self.clips[a]:.3f}" if self.clips[a] else "–"
            sides = f"{self.qualified[a] / self.hits[a]:.3f}" if self.hits[a] else "–"
            lines.append(
                f"| {a} | {self.hits[a] + self.missed[a]} | {precision:.3f} | {recall:.3f} | {self.f1(a):.3f} "
                f"| {sides} | {exact} |"
            )
        lines.append(f"\nmacro F1 {self.macro():.3f}, counts exact {self.exact_share():.3f}")
        return "\n".join(lines)

    def confusion(self) -> str:
        """What was found instead of what, as Markdown; rows are the truth."""
        names = [a for a in (*ACTIONS, "nothing") if any(a in pair for pair in self.confused)]
        lines = ["\n| truth ↓ found → | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
        for truth in names:
            row = [str(self.confused[truth, found] or "") for found in names]
            lines.append(f"| {truth} | " + " | ".join(row) + " |")
        return "\n".join(lines)


def score_clip(tally: Tally, detected: list[DetectedEvent], segments: list[Segment], scenario: Scenario) -> None:
    """Compare what was found in one synthesised clip with its segments."""
    wanted = Scenario((*scenario.events, *(Event(s.action) for s in segments if s.event < 0)))
    detected = read_gait(detected, wanted)
    pairs = match_in_time(detected, segments)
    matched = {i for i, _ in pairs}, {j for _, j in pairs}
    for i, j in pairs:
        truth, found = segments[j], detected[i]
        tally.hits[truth.action] += 1
        tally.confused[truth.action, truth.action] += 1
        right = (truth.side == found.side or not ACTIONS[truth.action].sides or found.side is None) and (
            truth.direction == found.direction or not ACTIONS[truth.action].directions
        )
        tally.qualified[truth.action] += right
        if not right:
            tally.examples.append(
                f"{truth.action}: {found.side} {found.direction} instead of {truth.side} {truth.direction}"
            )
    for j in set(range(len(segments))) - matched[1]:
        tally.missed[segments[j].action] += 1
        near = [
            i
            for i in range(len(detected))
            if i not in matched[0] and detected[i].start < segments[j].end and segments[j].start < detected[i].end
        ]
        tally.confused[segments[j].action, detected[near[0]].action if near else "nothing"] += 1
    for i in set(range(len(detected))) - matched[0]:
        tally.false[detected[i].action] += 1
        tally.confused["nothing", detected[i].action] += 1
    for action in {s.action for s in segments}:
        true = sum(s.action == action for s in segments)
        found = sum(e.action == action for e in detected)
        tally.clips[action] += 1
        tally.exact[action] += true == found
    if len(pairs) < max(len(segments), len(detected)):
        tally.examples.append(f"{scenario.to_json()}\n   true  {_brief(segments)}\n   found {_brief(detected)}")


def _brief(events: Iterable) -> str:
    return ", ".join(f"{e.action}{':' + e.side if e.side else ''} {e.start}-{e.end}" for e in events)


def synthesised(clips: int, seed: int = 1) -> tuple[Tally, Tally, Tally]:
    """Tallies of synthesised motion as it is, disturbed, and as if generated."""
    clean, disturbed, generated = Tally(), Tally(), Tally()
    rng = np.random.default_rng(seed)
    for number, scenario in enumerate(random_scenarios(clips, seed)):
        try:
            joints, segments = synthesize(scenario, seed=seed * 100_000 + number)
        except ValueError:
            continue  # does not fit a clip
        score_clip(clean, detect_events(joints), list(segments), scenario)
        score_clip(disturbed, *_detected(*disturb(joints, segments, rng)), scenario)
        score_clip(generated, detect_events(as_generated(joints, rng)), list(segments), scenario)
    return clean, disturbed, generated


def _detected(joints: np.ndarray, segments: list[Segment]) -> tuple[list[DetectedEvent], list[Segment]]:
    return detect_events(joints), segments


def load_corpora(shared: Path) -> list[tuple[str, dict[str, str], np.ndarray]]:
    """Real clips: corpus, the row of its table, joints [T, 22, 3] in metres at 20 fps."""
    clips = []
    for corpus in CORPORA:
        with (shared / "mocap" / f"{corpus}.csv").open() as file:
            rows = {row["clip_id"]: row for row in csv.DictReader(file)}
        with np.load(shared / "mocap" / f"{corpus}.npz") as data:
            joints, starts, lengths, ids = (data[k] for k in ("joints_mm", "starts", "lengths", "ids"))
        for clip, start, length in zip(ids, starts, lengths, strict=True):
            clips.append((corpus, rows[str(clip)], (joints[start : start + length] / 1000).astype(np.float32)))
    return clips


def entry_of(entries: list[dict], corpus: str, row: dict[str, str]) -> dict | None:
    """The most specific label of a clip."""
    fitting = [
        e
        for e in entries
        if e["corpus"] == corpus
        and e["label"] == row["label"]
        and e.get("style", row["style"]) == row["style"]
        and e.get("clip", row["clip_id"]) == row["clip_id"]
    ]
    return max(fitting, key=lambda e: 2 * ("clip" in e) + ("style" in e), default=None)


def held_out(row: dict[str, str]) -> bool:
    """Whether a clip belongs to the half that is only reported: by content and style, or subject where there is none.

    Takes of one content and style repeat each other, so they stay together, across corpora.
    """
    digits = [part for part in row["clip_id"].split("_") if part.isdigit()]
    who = row["style"] or (str(int(digits[0])) if len(digits) > 1 else "")
    return hashlib.sha256(f"{row['label']}/{who}".encode()).digest()[0] % 2 == 1


def score_real(tally: Tally, detected: list[DetectedEvent], entry: dict, name: str) -> None:
    """Compare what was found in one real clip with its label: an action counts once a clip."""
    found = {e.action for e in detected}
    for wanted in entry["required"]:
        action, _, detail = wanted.partition(":")
        seen = [e for e in detected if e.action == action]
        if seen:
            tally.hits[action] += 1
            tally.qualified[action] += not detail or any(detail in (e.side, e.direction) for e in seen)
        else:
            tally.missed[action] += 1
            tally.examples.append(f"{name}: no {wanted}; {_brief(detected)}")
        if action in entry.get("counts", {}):
            tally.clips[action] += 1
            exact = len(seen) == entry["counts"][action]
            tally.exact[action] += exact
            if seen and not exact:
                tally.examples.append(f"{name}: {len(seen)} {action} instead of {entry['counts'][action]}")
    fine = {w.partition(":")[0] for w in entry["required"]} | set(entry["allowed"])
    forbidden = set(entry.get("forbidden", set(ACTIONS) - fine))
    for action in found & forbidden:
        tally.false[action] += 1
        tally.examples.append(f"{name}: false {action}; {_brief(detected)}")


def real(shared: Path, half: bool | None, entries: list[dict]) -> tuple[Tally, str]:
    """Tally over one half of the real clips (both where `half` is None), and false alarms a minute as Markdown."""
    tally = Tally()
    minutes: Counter = Counter()
    alarms: dict[str, Counter] = {}
    for corpus, row, joints in load_corpora(shared):
        entry = entry_of(entries, corpus, row)
        if entry is None or (half is not None and held_out(row) != half):
            continue
        detected = detect_events(joints)
        score_real(tally, detected, entry, f"{row['clip_id']} ({row['label']})")
        kind = next((k for k in ("dance", "walk", "run", "dribble") if k in row["label"]), "other")
        minutes[kind] += len(joints) / 20 / 60
        fine = {w.partition(":")[0] for w in entry["required"]} | set(entry["allowed"])
        bad = set(entry.get("forbidden", set(ACTIONS) - fine))
        alarms.setdefault(kind, Counter()).update(e.action for e in detected if e.action in bad)
    lines = ["\n| content | minutes | false alarms a minute | which |", "|---|---|---|---|"]
    for kind, counts in alarms.items():
        which = ", ".join(f"{n} {a}" for a, n in counts.most_common())
        lines.append(f"| {kind} | {minutes[kind]:.1f} | {sum(counts.values()) / minutes[kind]:.2f} | {which} |")
    return tally, "\n".join(lines)


def clips_a_second(joints: np.ndarray, rounds: int = 5) -> float:
    """Clips of 196 frames a second on one core; the best of several rounds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(10):
            detect_events(joints)
        best = min(best, (time.process_time() - start) / 10)
    return 1 / best


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=_REPOSITORY.parent / "shared", help="folder with real motion")
    parser.add_argument("--clips", type=int, default=20, help="scenarios of each kind per action")
    parser.add_argument("--seed", type=int, default=1, help="seed of the scenarios")
    parser.add_argument("--examples", type=int, default=0, help="show so many clips where something is wrong")
    options = parser.parse_args()

    tallies = []
    clean, disturbed, generated = synthesised(options.clips, options.seed)
    print(clean.table("Synthesised motion"))
    print(clean.confusion())
    print(disturbed.table("Synthesised motion with 10 mm jitter, 15 % other proportions, tempo 0.7 to 1.4"))
    print(generated.table("Synthesised motion with joints that wander by 15 mm, feet that skate, 5 mm of jitter"))
    tallies += [clean, disturbed, generated]
    if (options.shared / "mocap").is_dir():
        entries = json.loads(LABELS.read_text())["entries"]
        for half, title in ((False, "tuning half"), (True, "held-out half")):
            tally, alarms = real(options.shared, half, entries)
            print(tally.table(f"Real clips, {title}"))
            print(alarms)
            tallies.append(tally)
        seen = {w.partition(":")[0] for e in entries for w in e["required"]}
        print(f"\nNo real clip shows: {', '.join(a for a in ACTIONS if a not in seen)}")
    else:
        print(f"\nno real motion in {options.shared}; its tables are left out")
    joints, _ = synthesize(Scenario((Event("walk"), Event("jump", 2), Event("wave"))), max_frames=196)
    joints = np.concatenate([joints, np.repeat(joints[-1:], 196 - len(joints), axis=0)])
    print(f"\n{clips_a_second(joints):.0f} clips of 196 frames a second on one core")
    for tally in tallies:
        for example in tally.examples[: options.examples]:
            print(" -", example)


if __name__ == "__main__":
    main()
