"""Judge one motion file against a prompt: what the vision judge sees, what it would cost, what judges say.

python spaces/gpt4v_reward/app.py
JUDGE_MODEL=gpt-4o OPENAI_API_KEY=… python spaces/gpt4v_reward/app.py
"""

import os
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from atom_hf import JudgeItem, KinematicJudge, load_motion, render_sheet
from atom_hf.rewards import Verdict
from atom_hf.rewards.vlm import Budget, VLMJudge
from atom_hf.rewards.vlm.budget import find_price

TASKS = ["overall", "integrity", "temporal", "frequency"]
LONGEST_PROMPT = 500  # characters
FORMATS = [".bvh", ".npy", ".npz", ".amc"]


class Judged(NamedTuple):
    """What a visitor sees."""

    picture: Image.Image
    kinematic: str
    vision: str


@cache
def shared_budget() -> Budget:
    """What all visits together may cost."""
    return Budget(float(os.environ.get("JUDGE_BUDGET", "1")))


def vision_judge(task: str) -> VLMJudge:
    """The judge of this Space's settings; without a model it can say what it would cost, and nothing else."""
    model = os.environ.get("JUDGE_MODEL", "gpt-4o")
    return VLMJudge(
        model,
        task,
        base_url=os.environ.get("JUDGE_BASE_URL") or None,
        budget=None if find_price(model) is None else shared_budget(),  # a server of one's own has no price
        deadline=60.0,
        dry_run="JUDGE_MODEL" not in os.environ,
        progress=False,
    )


def judge(file: str | None, prompt: str, task: str) -> Judged:
    """Judge a file.

    Raises:
        gr.Error: if there is no file or prompt, the prompt is too long, or the file is no motion.
    """
    if not file:
        raise gr.Error("Choose a motion file first: BVH, NPY, NPZ or AMC.")
    prompt = prompt.strip()
    if not 0 < len(prompt) <= LONGEST_PROMPT:
        raise gr.Error(f"Say in 1 to {LONGEST_PROMPT} characters what the motion should show.")
    try:
        motion = load_motion(Path(file))
    except (ValueError, OSError) as error:
        raise gr.Error(f"This file is no motion that can be read: {error}") from None
    item = JudgeItem(motion, prompt)
    (found,) = KinematicJudge(task).score([item])
    seeing = vision_judge(task)
    cost = seeing.estimate([item])
    words = f"`{seeing.name}` would take {cost.explanation}."
    if "JUDGE_MODEL" in os.environ:
        (verdict,) = seeing.score([item])
        words = in_words(verdict)
    return Judged(render_sheet(motion, caption=prompt), in_words(found), words)


def in_words(verdict: Verdict) -> str:
    """A verdict in Markdown; what a model said is shown as it came, not as markup."""
    said = (verdict.reason or verdict.cause or "").replace("`", "'").replace("\n", " ")
    if verdict.score is None:
        return f"**No score** ({verdict.judge}): `{said}`"
    return f"**{verdict.score:.1f} of 5** ({verdict.judge}): `{said}`"


def make_app() -> gr.Blocks:
    """The page."""
    with gr.Blocks(title="GPT-4V Reward") as app:
        gr.Markdown("# Does this motion show what was asked for?\nScores are from 1 (nothing of it) to 5 (all of it).")
        with gr.Row():
            with gr.Column():
                file = gr.File(label="Motion file", file_types=FORMATS, type="filepath")
                prompt = gr.Textbox(
                    label="What it should show", placeholder="a person walks forward, then jumps twice"
                )
                task = gr.Dropdown(TASKS, value="overall", label="Task")
                button = gr.Button("Judge", variant="primary")
            with gr.Column(scale=2):
                gr.Markdown("What the vision judge sees:")
                picture = gr.Image(show_label=False, type="pil")
                kinematic = gr.Markdown(label="Kinematic judge")
                vision = gr.Markdown(label="Vision judge")
        inputs: list[Any] = [file, prompt, task]
        button.click(judge, inputs, [picture, kinematic, vision], api_name="judge", concurrency_limit=2)
    app.queue(max_size=20)
    return app


if __name__ == "__main__":
    make_app().launch(max_file_size="10mb", ssr_mode=False)
