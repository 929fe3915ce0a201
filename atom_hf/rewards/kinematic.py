"""The judge that needs no pictures and no money: events detected in the joints, compared with the events asked for.

KinematicJudge().score([JudgeItem(motion, "a person jumps twice")])[0].reason  →  "1 of 2 jumps; order right"
"""

from collections.abc import Sequence

from ..events import Scenario, detect_events, score_events
from ..motion.plain_text import neutralize
from .judge import HIGHEST, LOWEST, JudgeItem, Verdict

VERSION = "kinematic-1"


class KinematicJudge:
    """Scores integrity, temporal order and frequency of events from joints alone: free, deterministic, instant.

    The verdict's score is that of one task, brought from [0, 1] to the scale of all judges: `1 + 4 * raw`. All three
    raw scores stand in `raw`.

    Args:
        task (`str`, *optional*): `"integrity"`, `"temporal"`, `"frequency"`, or `"overall"` for their mean; without it
            each item's scenario says.

    Raises:
        ValueError: if the task is unknown.
    """

    name = VERSION

    def __init__(self, task: str | None = None) -> None:
        known = ("integrity", "temporal", "frequency", "overall")
        if task is not None and task not in known:
            raise ValueError(f"The task of a judge is one of {', '.join(known)}, got {task!r}.")
        self.task = task

    def score(self, items: Sequence[JudgeItem]) -> list[Verdict]:
        """Judge motions against their scenarios, or against what can be parsed from their prompts.

        Args:
            items (`Sequence[JudgeItem]`): motions `[T, 22, 3]` in metres with their prompts.

        Returns:
            `list[Verdict]`: one for each item; unscored where the prompt cannot be parsed or the motion has no events
                to look for, such as a single frame.
        """
        return [self._verdict(item) for item in items]

    def _verdict(self, item: JudgeItem) -> Verdict:
        plain = neutralize(item.prompt)  # what a tokenizer would take for structure is words to a judge, too
        try:
            scenario = item.scenario or Scenario.parse(plain.text)
        except ValueError as error:
            typed = f" It holds {', '.join(plain.found)}, which says nothing here." if plain.found else ""
            return Verdict.unscored(f"The prompt is not understood: {error}{typed}", self.name)
        try:
            detected = detect_events(item.motion.joints, item.motion.fps)
        except ValueError as error:
            return Verdict.unscored(f"The motion cannot be read: {error}", self.name)
        scores = score_events(detected, scenario)
        raw = {name: float(getattr(scores, name)) for name in ("integrity", "temporal", "frequency")}
        raw["overall"] = sum(raw.values()) / 3
        value = LOWEST + (HIGHEST - LOWEST) * raw[self.task or scenario.task]
        return Verdict(value, scores.explanation, raw=raw, judge=self.name)
