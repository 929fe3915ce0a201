"""Who judges in the examples: the kinematic judge, or a vision judge with its money, its pace and its store.

judges = Judges(JudgeConfig(judge="vlm", judge_model="gpt-4o", budget=5.0), folder=Path("outputs/motionprefer"))
judges.make("temporal")       →  VLMJudge('gpt-4o, temporal-1', 'sheet, 12 frames')
judges.make(None)             →  the same for items whose scenarios say their tasks; one budget and store for all
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from atom_hf import KinematicJudge
from atom_hf.cli.vision_options import LAYOUTS, read_layout
from atom_hf.motion.formats.files import replacing
from atom_hf.rewards.calibration_words import NOT_CALIBRATED, calibration_words

KINEMATIC = "the kinematic judge: events found in the joints, compared with those asked for; no picture, no person"
KINEMATIC_CALIBRATION = (
    "not compared with people; on synthesised motion with known events its detector has a macro F1 of 0.999, on "
    "labelled motion capture 0.94 to 0.97 (benchmarks/detection.py)"
)


@dataclass
class JudgeConfig:
    """Who judges. The key of a vision judge comes from the environment, and is written nowhere."""

    judge: str = field(default="kinematic", metadata={"help": "who judges: kinematic, or vlm for a vision judge"})
    judge_model: str = field(default="gpt-4o", metadata={"help": "vlm: its name at the endpoint"})
    judge_url: str | None = field(default=None, metadata={"help": "vlm: an endpoint, as http://localhost:8000/v1"})
    api_key_env: str = field(default="OPENAI_API_KEY", metadata={"help": "vlm: environment variable with the key"})
    budget: float | None = field(default=None, metadata={"help": "vlm: the most dollars that may be spent, ever"})
    prices: str | None = field(default=None, metadata={"help": "vlm: JSON, model to dollars for a million tokens"})
    votes: int = field(default=1, metadata={"help": "vlm: how often each motion is asked for; needs a temperature"})
    judge_temperature: float = field(default=0.0, metadata={"help": "vlm: 0 says the likeliest"})
    detail: str = field(default="high", metadata={"help": "vlm: how closely it looks: low, high or auto"})
    layout: str = field(default="sheet", metadata={"help": f"vlm: {LAYOUTS}"})
    judge_rules: str | None = field(default=None, metadata={"help": "vlm: folder with rules of your own"})
    concurrency: int = field(default=16, metadata={"help": "vlm: requests at once, of all processes together"})
    requests_per_minute: float | None = field(default=None, metadata={"help": "vlm: of all processes together"})
    tokens_per_minute: float | None = field(default=None, metadata={"help": "vlm: of all processes together"})
    judge_store: str | None = field(
        default=None, metadata={"help": "vlm: folder on a local disk for replies; judge/ in the output by default"}
    )
    calibration: str | None = field(
        default=None, metadata={"help": "what `atom-hf judge calibrate --output FILE.json` wrote, for the card"}
    )


class Judges:
    """The judges of one process, a judge a task; those that look at pictures share budget and store.

    Args:
        config ([`JudgeConfig`]): who judges.
        folder (`Path`): output of the example.
        process_index (`int`, *optional*, defaults to 0): which process this is.
        num_processes (`int`, *optional*, defaults to 1): how many share budget and pace.
    """

    def __init__(self, config: JudgeConfig, folder: Path, process_index: int = 0, num_processes: int = 1) -> None:
        if config.judge not in ("kinematic", "vlm"):
            raise ValueError(f"Expected --judge kinematic or vlm, got {config.judge!r}.")
        self.config, self.process_index, self.num_processes = config, process_index, num_processes
        self.pictures = config.judge == "vlm"
        self.folder = Path(config.judge_store or folder / "judge")
        self.stamp = folder / "judge" / "settings.json"
        self.layout = read_layout(config.layout)
        self._made: dict[str | None, Any] = {}
        self._store: Any = None
        self._budget: Any = None
        if self.pictures:
            self._judge(None)  # it checks key, price and numbers, before anything takes time
        name = config.judge_model if self.pictures else KinematicJudge.name
        absent = NOT_CALIBRATED if self.pictures else KINEMATIC_CALIBRATION
        layout = self.layout.name if self.pictures else ""
        self.calibration = (
            absent if config.calibration is None else calibration_words(config.calibration, name, layout)
        )

    def _judge(self, task: str | None, **more: Any) -> Any:
        from atom_hf.rewards.vlm import VLMJudge

        config, share = self.config, 1 / self.num_processes
        return VLMJudge(
            config.judge_model,
            task,
            base_url=config.judge_url,
            api_key_env=config.api_key_env,
            layout=self.layout,
            detail=config.detail,
            temperature=config.judge_temperature,
            votes=config.votes,
            concurrency=config.concurrency if config.concurrency < 1 else max(1, round(config.concurrency * share)),
            requests_per_minute=config.requests_per_minute and config.requests_per_minute * share,
            tokens_per_minute=config.tokens_per_minute and config.tokens_per_minute * share,
            prices=config.prices,
            rules=config.judge_rules,
            **({"budget": config.budget} | more),
        )

    def make(self, task: str | None) -> Any:
        """The judge of a task, or of items that say their own."""
        if task not in self._made:
            if self.pictures:
                if self._store is None:
                    self.open()
                shown = None if self.process_index == 0 else False
                self._made[task] = self._judge(task, store=self._store, budget=self._budget, progress=shown)
            else:
                self._made[task] = KinematicJudge(task)
        return self._made[task]

    def gather(self) -> None:
        """Put what earlier processes were told into one store, for whatever number of processes there is now."""
        from atom_hf.rewards.vlm import Store

        others = sorted(self.folder.glob("[0-9]*.sqlite"))
        if self.pictures and len(others) > 1:
            first = Store(self.folder / "00000.sqlite")
            first.merge(path for path in others if path.name != "00000.sqlite")
            first.close()

    def open(self) -> None:
        """The store of this process, with all that `gather` put together, and its share of the money that is left.

        Processes wait for each other after it, so that all of them divide the same sum.
        """
        from atom_hf.rewards.vlm import Budget, Store

        path, first = self.folder / f"{self.process_index:05d}.sqlite", self.folder / "00000.sqlite"
        if self.process_index and first.is_file():
            own = Store(path)
            own.merge([first])
            own.close()
        self._store = Store(path)
        if self.config.budget is not None:
            spent = self._store.earlier  # by all; the judge counts it against its budget
            left = max(0.0, self.config.budget - spent)
            self._budget = Budget((spent + left / self.num_processes) or self.config.budget)

    def close(self) -> None:
        """Say what was spent, and close the store."""
        if self._store is not None:
            spent = self.make(None).spent
            print(f"The judge, process {self.process_index}, with earlier runs: {spent.explanation}", flush=True)
            self._store.close()
            self._store, self._made = None, {}

    def estimator(self, task: str | None) -> Any:
        """A judge that asks nothing, for estimates; it looks at what is answered, if anything is."""
        from atom_hf.rewards.vlm import Store

        path = self.folder / "00000.sqlite"
        known = Store(path) if path.is_file() else None
        return self._judge(task, store=known if known and known.totals.requests else None, budget=None, dry_run=True)

    @property
    def facts(self) -> dict[str, Any]:
        """All that the verdicts depend on."""
        if not self.pictures:
            return {"judge": KinematicJudge.name}
        config, judge = self.config, self._judge(None, dry_run=True)
        return {
            "judge": config.judge_model,
            "rules": sorted(rules.version for rules in judge.rules.values()),
            "pictures": self.layout.name,
            "detail": config.detail,
            "temperature": config.judge_temperature,
            "votes": config.votes,
        }

    def sentence(self) -> str:
        """Who judged by which rules, for a dataset's card."""
        if not self.pictures:
            return KINEMATIC
        facts = self.facts
        return (
            f"the vision judge {facts['judge']}, which looks at pictures of the motions ({facts['pictures']}; detail "
            f"{facts['detail']}), by the rules {', '.join(facts['rules'])}; temperature {facts['temperature']:g}, "
            f"{facts['votes']} {'vote' if facts['votes'] == 1 else 'votes'} a motion; no person"
        )

    def begin(self, judged: bool) -> None:
        """See that verdicts that are there (`judged`) were made in the same way."""
        now = self.facts
        try:
            before = json.loads(self.stamp.read_text(encoding="utf-8"))
        except FileNotFoundError:
            before = {"judge": KinematicJudge.name} if judged else {}  # older folders know no other judge
        if judged and before != now:
            changed = [f"{name} was {value!r}" for name, value in before.items() if value != now.get(name)]
            raise ValueError(
                f"There are verdicts that were made otherwise ({', '.join(changed)}) than now ({now}). Go on with the "
                "same judge, remove annotations/verdicts, or choose another --output_dir."
            )
        if before != now:
            with replacing(self.stamp) as unfinished:
                unfinished.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")
