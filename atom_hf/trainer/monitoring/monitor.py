"""A callback that watches what a policy writes while it is trained, and not only its loss.

monitor = MotionMonitor(GrammarPromptWriter(seed=1).write(48), judge=KinematicJudge(), every_steps=50)
MotionDPOTrainer(model, args=args, train_dataset=pairs, callbacks=[monitor, EarlyStoppingCallback(3)])
monitor.history  →  [{"step": 0, "events_overall": 0.41, "sample_kl": 0.0, "unique_share": 0.98, …}, …]
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from accelerate.utils import broadcast_object_list
from transformers import EarlyStoppingCallback, Trainer, TrainerCallback
from transformers.integrations import is_deepspeed_zero3_enabled

from ...models import MotionGPTForPreference
from ..policy import base_of
from .history import PREFIX, MonitorHistory
from .measures import (
    KL_ESTIMATORS,
    Sample,
    event_means,
    lengths_and_variety,
    longest,
    policy_numbers,
    token_scores,
    written_codes,
)
from .trackers import SamplePictures, picture_trackers
from .undisturbed import reference_of, undisturbed

REWARDS = ("reward", "rewards/chosen")  # what online and preference trainers log


class MotionMonitor(TrainerCallback):
    """Samples motions for fixed prompts at the start, at every evaluation and every so many steps, and measures them.

    The numbers are logged as `eval_…`, and are among the metrics of an evaluation, so that
    `metric_for_best_model="events_overall"` and early stopping work. Training takes the same course as without. Our
    trainers connect the monitor; with others call `monitor.connect(trainer)`, otherwise the numbers only get into
    `state.log_history`. With several processes the main one samples while the others wait.

    Overrides of `TrainerCallback`: `on_train_begin`, `on_step_end`, `on_log`, `on_evaluate`, `on_train_end`.

    - `valid_share`, `mean_seconds`, `mean_codes`, `unique_share`: of all samples.
    - `sample_entropy`: nats a token at temperature 1, along the samples.
    - `sample_kl`, `sample_kl_sequence`: KL to the reference, nats a token and a motion, where there is a reference.
    - `events_overall`, `events_<task>`, `events_unscored`: with a judge.
    - `diversity`, `multimodality`: with an embedder.
    - `drift_warning`: 1 while the reward is up and variety is down.

    Args:
        prompts (`Sequence`): texts, or objects with `text` and `scenario`; other ones than those of a test.
        judge (`Any`, *optional*): has `score(items)`, such as [`KinematicJudge`].
        embedder ([`Embedder`], *optional*): such as [`ModelEmbedder`].
        reference ([`MotionGPTForPreference`], *optional*): a frozen model to measure KL from. By default the trainer's
            `ref_model`, or the policy without its adapter; where it keeps neither, KL is left out.
        samples (`int`, *optional*, defaults to 2): motions a prompt.
        every_steps (`int`, *optional*): sample every so many steps, too.
        seed (`int`, *optional*, defaults to 0): of the noise, the same each time.
        temperature (`float`, *optional*): as in `generate_motion`, like the next two.
        top_k (`int`, *optional*): draw among the k likeliest codes.
        top_p (`float`, *optional*): draw among the likeliest codes of this probability.
        max_frames (`int`, *optional*, defaults to 196): longest motion, at 20 fps.
        batch_size (`int`, *optional*, defaults to 64): motions at once.
        kl_estimator (`str`, *optional*, defaults to `"exact"`): over all codes at each place; `"k3"` and `"k1"` look
            at the drawn ones, and are right for `temperature=1, top_k=0` only.
        shown (`int`, *optional*): pictures in TensorBoard, Trackio or Weights & Biases, of the first prompts; 4 by
            default, where Pillow is installed.
        video (`bool`, *optional*, defaults to `False`): videos as well, in trackers that take them; a second each.
        folder (`str` or `Path`, *optional*): the pictures as PNG files, `000050_0.png`.
        reward (`str`, *optional*): what must not rise alone: a number measured or logged. By default `events_overall`,
            without a judge `reward` or `rewards/chosen`.
        variety (`str`, *optional*): what must not fall alone. By default `diversity`, without an embedder
            `unique_share`.
        max_drop (`float`, *optional*, defaults to 0.2): share of variety that may be lost without a warning.
        window (`int`, *optional*, defaults to 1): measurements that are averaged for this.

    Raises:
        TypeError: if a prompt is no text and has none, or the judge does not score.
        ValueError: if there are no prompts or a number is out of range.
    """

    def __init__(
        self,
        prompts: Sequence[Any],
        *,
        judge: Any = None,
        embedder: Any = None,
        reference: Any = None,
        samples: int = 2,
        every_steps: int | None = None,
        seed: int = 0,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        max_frames: int = 196,
        batch_size: int = 64,
        kl_estimator: str = "exact",
        shown: int | None = None,
        video: bool = False,
        folder: str | Path | None = None,
        reward: str | None = None,
        variety: str | None = None,
        max_drop: float = 0.2,
        window: int = 1,
    ) -> None:
        self.prompts = _as_prompts(prompts)
        if judge is not None and not callable(getattr(judge, "score", None)):
            raise TypeError(f"Expected a judge with score(items), got {type(judge).__name__}.")
        for name, number in (("samples", samples), ("every_steps", every_steps)):
            if number is not None and number < 1:
                raise ValueError(f"Expected {name} of at least 1, got {number}.")
        if kl_estimator not in KL_ESTIMATORS:
            raise ValueError(f"Expected kl_estimator among {', '.join(KL_ESTIMATORS)}, got {kl_estimator!r}.")
        self.judge, self.embedder, self.reference = judge, embedder, reference
        self.samples, self.every_steps, self.batch_size = samples, every_steps, batch_size
        self.sampling: dict[str, Any] = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": seed}
        self.max_frames, self.kl_estimator = max_frames, kl_estimator
        self.pictures = SamplePictures(shown, video, folder)
        rewards = (reward,) if reward else REWARDS if judge is None else ("events_overall",)
        variety = variety or ("unique_share" if embedder is None else "diversity")
        self._history = MonitorHistory(rewards, variety, max_drop, window)
        self.trainer: Any = None
        self._training = False
        self._last: tuple[int, dict[str, float]] | None = None

    @property
    def history(self) -> list[dict[str, float]]:
        """What was measured while training, a dictionary a step: names without `eval_`, `step`, and `reward`."""
        return self._history.lines

    def connect(self, trainer: Any) -> None:
        """Log through a trainer, and measure before its early stopping looks.

        Args:
            trainer (`Trainer`): ours do this themselves.

        Raises:
            ValueError: if weights are spread over processes.
        """
        if getattr(trainer, "is_fsdp_enabled", False) or is_deepspeed_zero3_enabled():
            raise ValueError(
                "MotionMonitor samples on the main process, which has only a part of the weights under FSDP or "
                "ZeRO-3; use DDP or ZeRO-2, or leave the monitor out."
            )
        self.trainer = trainer
        callbacks = trainer.callback_handler.callbacks
        first = next((i for i, found in enumerate(callbacks) if isinstance(found, EarlyStoppingCallback)), None)
        if first is not None and self in callbacks[first:]:
            callbacks.remove(self)
            callbacks.insert(first, self)

    # Events ----------------------------------------------------------------------------------------------------------

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Measure the base, or take up the history of the checkpoint.

        Raises:
            ValueError: if the best model is chosen by events, and there is no judge; or a prompt is too long.
        """
        best = (getattr(args, "metric_for_best_model", None) or "").removeprefix("eval_")
        if best.startswith("events_") and self.judge is None:
            raise ValueError(f"metric_for_best_model={best!r} needs a judge: MotionMonitor(prompts, judge=…).")
        self._training, self._last = True, None
        self.pictures.check()
        self._history.restore(state.log_history)
        if not self.history:
            self._measured(state, control, kwargs["model"])

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Measure every `every_steps` steps."""
        if self.every_steps is not None and state.global_step % self.every_steps == 0:
            self._measured(state, control, kwargs["model"])

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Remember the reward."""
        self._history.remember(logs or {})

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **kwargs: Any) -> None:
        """Measure, and add to the metrics."""
        found = self._measured(state, control, kwargs["model"])
        if metrics is not None:
            metrics.update({f"{PREFIX}{name}": value for name, value in found.items()})

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The best model may have been loaded, so that nothing measured holds any longer."""
        self._training, self._last = False, None

    # Measuring -------------------------------------------------------------------------------------------------------

    def _measured(self, state: Any, control: Any, model: Any) -> dict[str, float]:
        """Numbers of the policy as it is now; measured, logged and shown once a step of training."""
        if self._training and self._last is not None and self._last[0] == state.global_step:
            return self._last[1]
        model = getattr(model, "policy", model)  # of a policy with its value model
        if not isinstance(base_of(model), MotionGPTForPreference):
            raise TypeError(
                f"MotionMonitor samples from a MotionGPTForPreference, in PEFT or not, got {type(model).__name__}."
            )
        motions: list[Sample] = []

        def measure() -> dict[str, float]:
            with undisturbed(model):
                motions.extend(self._sample(base_of(model)))
                found = self._numbers(model, motions)
            found["drift_warning"] = self._history.drifts(state.global_step, found)
            return found

        found = _on_main_process(state.is_world_process_zero, measure)
        if self._training:
            self._history.add(state.global_step, found)
        self._last = state.global_step, found
        self._write_log(state, control, {f"{PREFIX}{name}": value for name, value in found.items()})
        if state.is_world_process_zero:
            with undisturbed(model):
                callbacks = [] if self.trainer is None else self.trainer.callback_handler.callbacks
                self.pictures.show(motions[:: self.samples], state.global_step, picture_trackers(callbacks))
        return found

    def _sample(self, model: MotionGPTForPreference) -> list[Sample]:
        texts = [prompt.text for prompt in self.prompts]
        motions = model.generate_motion(
            texts, self.samples, max_frames=self.max_frames, batch_size=self.batch_size, **self.sampling
        )
        asked = [prompt for prompt in self.prompts for _ in range(self.samples)]
        return [Sample(motion, each.text, each.scenario) for motion, each in zip(motions, asked, strict=True)]

    def _numbers(self, model: Any, motions: list[Sample]) -> dict[str, float]:
        codes = [written_codes(sample.motion) for sample in motions]
        texts, size = [sample.prompt for sample in motions], (longest(self.max_frames), self.batch_size)
        scores = token_scores(base_of(model), texts, codes, *size)
        with reference_of(model, self.trainer, self.reference) as reference:
            theirs = None if reference is None else token_scores(reference, texts, codes, *size)
        return {
            **lengths_and_variety([sample.motion for sample in motions], self.samples, self.embedder),
            **policy_numbers(scores, theirs, self.kl_estimator),
            **({} if self.judge is None else event_means(self.judge, motions)),
        }

    # Logs ------------------------------------------------------------------------------------------------------------

    def _write_log(self, state: Any, control: Any, logs: dict[str, float]) -> None:
        if self.trainer is None:
            state.log_history.append({**logs, "epoch": state.epoch, "step": state.global_step})
            return
        should_log = control.should_log
        # Not the trainer's own log, which would average and forget the training's numbers in the middle of a stretch.
        Trainer.log(self.trainer, logs)
        control.should_log = should_log  # which logging ends


def _on_main_process(is_main: bool, compute: Callable[[], dict[str, float]]) -> dict[str, float]:
    """What the main process computes, for all; if it fails, all do, and none waits for ever."""
    shared: list[Any] = [None, None]
    failure: Exception | None = None
    if is_main:
        try:
            shared[0] = compute()
        except Exception as error:
            failure, shared[1] = error, f"{type(error).__name__}: {error}"
    broadcast_object_list(shared)
    if failure is not None:
        raise failure
    if shared[1] is not None:
        raise RuntimeError(f"The monitor failed on the main process: {shared[1]}")
    found: dict[str, float] = shared[0]
    return found


class _Asked:
    """A prompt: its text and, where it is known, its scenario."""

    def __init__(self, text: str, scenario: Any = None) -> None:
        self.text, self.scenario = text, scenario


def _as_prompts(prompts: Sequence[Any]) -> list[_Asked]:
    if isinstance(prompts, str) or not len(prompts):
        raise ValueError(f"Expected a list of prompts with at least one, got {prompts!r}.")
    found = []
    for i, prompt in enumerate(prompts):
        text = prompt if isinstance(prompt, str) else getattr(prompt, "text", None)
        if not isinstance(text, str):
            raise TypeError(f"Expected texts, or objects with text and scenario, got {type(prompt).__name__} at {i}.")
        found.append(_Asked(text, getattr(prompt, "scenario", None)))
    return found
