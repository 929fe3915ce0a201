"""Numbers of papers on HumanML3D's test set, and whether ours may stand beside them.

MotionGPT: Jiang et al., NeurIPS 2023. RLHF and DPO: Sheng et al., "Exploring Text-to-Motion Generation with Human
Preference" (InstructMotion), 2024. All were made with MotionGPT's evaluation code.
"""

from collections.abc import Mapping

METRICS = ("R@1", "R@2", "R@3", "MM-Dist", "MModality", "FID", "Diversity")

# What a result has to say of itself to be comparable.
EVALUATOR = "t2m"  # the name of the evaluator of HumanML3D's authors
DATA = "humanml3d-test"
EMBEDDING = "padded"  # MotionGPT's; "packed", of text-to-motion, gives other numbers

REAL = "Real"
_ROWS = {
    REAL: (0.494, 0.677, 0.769, 3.224, None, 0.002, 9.463),
    "MotionGPT": (0.405, 0.567, 0.658, 4.027, 3.495, 0.178, 9.393),
    "RLHF": (0.415, 0.581, 0.673, 3.908, 3.196, 0.217, 9.303),
    "DPO: IPO": (0.426, 0.595, 0.689, 3.782, 2.523, 0.219, 9.356),
    "DPO: KTO": (0.416, 0.585, 0.678, 3.867, 3.099, 0.241, 9.315),
    "DPO: hinge": (0.418, 0.588, 0.682, 3.828, 2.843, 0.252, 9.362),
    "DPO: sigmoid": (0.418, 0.586, 0.679, 3.847, 2.831, 0.254, 9.354),
    "without LoRA": (0.394, 0.555, 0.646, 4.097, 3.285, 0.276, 9.266),
}
PUBLISHED: Mapping[str, Mapping[str, float]] = {
    name: {metric: value for metric, value in zip(METRICS, values, strict=True) if value is not None}
    for name, values in _ROWS.items()
}

# Several times what shuffling, crops and choice of captions move the real row by.
_TOLERANCE = {"R@1": 0.015, "R@2": 0.015, "R@3": 0.015, "MM-Dist": 0.06, "FID": 0.02, "Diversity": 0.3}


def real_row_drift(real: Mapping[str, float]) -> list[str]:
    """How a row of real motion differs from the published one by more than chance.

    Args:
        real (`Mapping[str, float]`): metric to mean, unitless.

    Returns:
        `list[str]`: a phrase for each metric that drifted, such as `"R@1 0.310 instead of 0.494"`.
    """
    return [
        f"{metric} {real[metric]:.3f} instead of {PUBLISHED[REAL][metric]:.3f}"
        for metric, tolerance in _TOLERANCE.items()
        if metric in real and abs(real[metric] - PUBLISHED[REAL][metric]) > tolerance
    ]
