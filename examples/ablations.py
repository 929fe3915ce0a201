"""What reproduce_tables.py compares: the ablations of both papers, as rows that differ from one setting in one thing.

TABLES["loss"].arms[1]  →  Arm("sigmoid", "dpo", {"loss_type": ["sigmoid"], "beta": 0.1})
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from atom_hf import PictureLayout


@dataclass(frozen=True)
class Arm:
    """One way to align.

    Args:
        name (`str`): row of the table.
        trainer (`str`): example that trains: dpo, kto, ppo, grpo, rloo; none for the base model.
        args (`Mapping`): what differs from the settings of that example.
        shuffled (`bool`): whether the labels are drawn by chance.
        min_score (`float`): pairs whose winner has at most this score are left out.
        min_gap (`float`): pairs whose scores differ by less are left out.
        temperature (`float`, *optional*): of sampling in the evaluation, of base and aligned model alike.
    """

    name: str
    trainer: str = "dpo"
    args: Mapping[str, Any] = field(default_factory=dict)
    shuffled: bool = False
    min_score: float = 0.0
    min_gap: float = 0.0
    temperature: float | None = None


@dataclass(frozen=True)
class Table:
    """A question, and the arms that answer it."""

    title: str
    arms: Sequence[Arm]


USUAL_BETA = 0.5
IPO = Arm("IPO and SFT")
ALONE = {"loss_type": ["ipo"]}
# β of losses on sums of log-ratios is not that of IPO, which is on means.
SUMS = {"beta": 0.1}
PUBLISHED_LORA = {"lora_r": 8, "lora_alpha": 16, "lora_target_modules": ["q", "v"]}
STRONG = ["much better", "better"]

# What a vision judge is shown of a motion: how many frames, how far apart, in one picture or in several.
LAYOUTS = [
    PictureLayout(),
    PictureLayout(frames=20, columns=5),
    PictureLayout(stride=8),
    PictureLayout(stride=16),
    PictureLayout("views"),
    PictureLayout("frames"),
]

TABLES: dict[str, Table] = {
    "controls": Table(
        "Does the preference teach, or the data? Equal steps, batches and adapter",
        [
            IPO,
            Arm("IPO alone", args=ALONE),
            Arm("SFT on the chosen motions", args={"loss_type": ["sft"]}),
            Arm("IPO and SFT on shuffled labels", shuffled=True),
        ],
    ),
    "algorithm": Table(
        "Algorithm",
        [
            IPO,
            Arm("KTO", "kto"),
            Arm("PPO on the judge", "ppo"),
            Arm("GRPO on the judge", "grpo"),
            Arm("RLOO on the judge", "rloo"),
        ],
    ),
    "loss": Table(
        "Loss of DPO",
        [
            IPO,
            Arm("IPO alone", args=ALONE),
            Arm("IPO and 0.3 SFT", args={"loss_weights": [1.0, 0.3]}),
            Arm("sigmoid", args={"loss_type": ["sigmoid"], **SUMS}),
            Arm("hinge", args={"loss_type": ["hinge"], **SUMS}),
            Arm("paired KTO", args={"loss_type": ["kto_pair"], **SUMS}),
            Arm("robust, ε 0.2", args={"loss_type": ["robust"], "label_smoothing": 0.2, **SUMS}),
        ],
    ),
    "beta": Table(
        "β of IPO: the wanted gap of mean log-ratios is 1/2β nats a token",
        [Arm(f"β {beta:g}", args={} if beta == USUAL_BETA else {"beta": beta}) for beta in (0.1, 0.25, 0.5, 1.0, 2.0)],
    ),
    "lora": Table(
        "LoRA, or all weights with the right reference",
        [
            Arm("LoRA r 16 on all linear layers"),
            Arm("LoRA r 8 on q, v (as published)", args=PUBLISHED_LORA),
            Arm("all weights, learning rate 1e-4", args={"use_peft": False, "learning_rate": 1e-4}),
            Arm("all weights, learning rate 1e-3", args={"use_peft": False, "learning_rate": 1e-3}),
        ],
    ),
    "share": Table(
        "Per cent of the pairs",
        [
            Arm(f"{100 * share:g} %", args={} if share == 1 else {"train_share": share})
            for share in (0.2, 0.4, 0.6, 0.8, 1.0)
        ],
    ),
    "degree": Table(
        "Degree of preference, IPO alone on all pairs with a gap of at least 0.5",
        [
            Arm("ignored", args=ALONE, min_gap=0.5),
            Arm("as label smoothing 0 / .2 / .3", args={**ALONE, "degree_use": "label_smoothing"}, min_gap=0.5),
            Arm("as weight 1 / .6 / .4", args={**ALONE, "degree_use": "weight"}, min_gap=0.5),
            Arm(
                "as margin 3 / 2 / 1, × 0.05",
                args={**ALONE, "degree_use": "margin", "margin_scale": 0.05},
                min_gap=0.5,
            ),
            Arm("much better only", args={**ALONE, "degrees": STRONG[:1]}, min_gap=0.5),
            Arm("much better and better", args={**ALONE, "degrees": STRONG}, min_gap=0.5),
        ],
    ),
    "filter": Table(
        "Filter of the pairs by the winner's score and by the gap, 1 to 5",
        [
            Arm("winner > 3, gap ≥ 1"),
            Arm("winner > 4, gap ≥ 1", min_score=4.0),
            Arm("winner > 3, gap ≥ 0.5", min_gap=0.5),
            Arm("winner > 3, gap ≥ 2", min_gap=2.0),
        ],
    ),
    "temperature": Table(
        "Sampling temperature of the evaluation, of base and aligned model",
        [Arm(f"temperature {value:g}", temperature=value) for value in (0.5, 0.7, 1.0, 1.2)],
    ),
}
