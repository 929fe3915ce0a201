"""What a calibration says of a judge, in a sentence or two for the card of the dataset that the judge makes.

calibration_words("gpt4o.json", "gpt-4o")   →  "on 240 synthesised motions (seed 0): Cohen's κ 0.81 (0.74–0.86) …"
"""

import json
from pathlib import Path
from typing import Any

from ..motion.formats.files import read_text

NOT_CALIBRATED = (
    "not done for this judge: how far it agrees with people, or with motions whose faults are known, was not measured "
    "(atom-hf judge calibrate does)"
)


def calibration_words(path: str | Path, judge: str, layout: str = "") -> str:
    """The sentence of a calibration.

    Args:
        path (`str` or `Path`): JSON that `atom-hf judge calibrate --output` wrote.
        judge (`str`): the judge, or the model of a vision judge, which the calibration has to be of.
        layout (`str`, *optional*): name of the pictures' layout that the judge sees. Of several layouts its own is
            taken; where it was not tried, the sentence says so.

    Returns:
        `str`: the warning, if there is one, and the figures.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no calibration, or of another judge.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a calibration, but there is no such file.")
    try:
        report = json.loads(read_text(path))
        of, found = str(report["judge"]), _of_layout(report, layout)
        words = f"{_figures(found)}, on {found['source']}"
        warning = found["warning"]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        raise ValueError(
            f"{path}: expected JSON that `atom-hf judge calibrate --output {path.stem}.json` wrote, got other text."
        ) from None
    if of != judge and not of.startswith(f"{judge}, "):
        raise ValueError(f"{path} is a calibration of {of}, but the judge is {judge}; calibrate that one.")
    seen = str(found.get("layout") or "")
    other = f"; measured with other pictures than the judge saw here ({seen}; here {layout})" if seen != layout else ""
    return (f"{warning} Measured: {words}" if warning else f"of {of}: {words}") + other


def _of_layout(report: dict[str, Any], layout: str) -> dict[str, Any]:
    several = [found for found in report["by_layout"] if found["layout"] == layout]
    return several[0] if several else report


def _figures(found: dict[str, Any]) -> str:
    """Agreement on all items together."""
    last = found["tasks"][-1]
    said = []
    if last["items"]:
        said.append(f"Cohen's κ {_shown(last['kappa'])}, rank correlation {_shown(last['spearman'])}")
    if last["pairs"]:
        said.append(f"the better of two motions found in {_shown(last['pairs']['agreement'])} of the pairs")
    if last["items"]:
        said.append(f"{last['scored']} of {last['items']} motions scored")
    return ", ".join(said)


def _shown(estimate: dict[str, float | None]) -> str:
    if estimate["value"] is None:
        return "not defined"
    interval = "" if estimate["low"] is None else f" ({estimate['low']:.2f}–{estimate['high']:.2f})"
    return f"{estimate['value']:.2f}{interval}"
