"""The evaluator example: trains, validates, saves, and goes on after a stop as if there had been none."""

import json
from pathlib import Path

import pytest

pytest.importorskip("trl")
pytest.importorskip("accelerate")

import numpy as np
import train_evaluator
from corpus import CorpusConfig
from safetensors.torch import load_file
from train_evaluator import EvaluatorConfig
from trl import TrlParser

from atom_hf import DEFAULT_EVALUATOR, GrammarPromptWriter, Motion, TextMotionEvaluator, synthesize
from atom_hf.evaluation import r_precision

TINY = ["--synthesised", "40", "--embedding_size", "16", "--movement_size", "16", "--motion_hidden_size", "16",
        "--text_hidden_size", "16", "--word_size", "16", "--batch_size", "16", "--warmup_steps", "2",
        "--max_steps", "4", "--eval_steps", "2"]  # fmt: skip


def run(out: Path, *words: object) -> None:
    arguments = [*TINY, "--output_dir", str(out), *map(str, words)]
    train_evaluator.main(*TrlParser((EvaluatorConfig, CorpusConfig)).parse_args_and_config(args=arguments))


@pytest.fixture(scope="module")
def whole(tmp_path_factory, on_cpu):
    out = tmp_path_factory.mktemp("evaluator")
    run(out)
    return out


def test_it_trains_validates_and_saves(whole):
    lines = [json.loads(line) for line in (whole / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4]
    assert all(0 <= line["synthesised_top_1"] <= line["synthesised_top_3"] <= 1 for line in lines)
    model = TextMotionEvaluator.from_pretrained(whole)
    assert model.config.text_input == "words" and not model.config.original
    assert model.std.std() > 0  # statistics of the corpus, not the identity
    assert "not comparable with published ones" in (whole / "README.md").read_text()


def test_a_stopped_run_goes_on(whole, tmp_path, monkeypatch):
    """Stopped behind its first checkpoint: the same weights as a run that was not."""
    evaluate, out = train_evaluator.evaluate, tmp_path / "stopped"

    def stop_at_the_second(*arguments):
        if (out / "checkpoint-2").exists():
            raise KeyboardInterrupt
        return evaluate(*arguments)

    monkeypatch.setattr(train_evaluator, "evaluate", stop_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        run(out)
    monkeypatch.setattr(train_evaluator, "evaluate", evaluate)
    run(out)
    expected, found = (load_file(folder / "model.safetensors") for folder in (whole, out))
    for name, weight in expected.items():
        np.testing.assert_allclose(found[name].float(), weight.float(), rtol=0, atol=1e-6, err_msg=name)
    assert sorted(path.name for path in out.glob("*")) == sorted(path.name for path in whole.glob("*"))


def test_the_evaluator_of_the_package_tells_motions_apart():
    """Far better than chance on prompts that nothing was trained or chosen on: 32 candidates, chance is 3 %."""
    evaluator = TextMotionEvaluator.from_pretrained(DEFAULT_EVALUATOR)
    texts, motions = [], []
    for i, prompt in enumerate(GrammarPromptWriter(seed=11, split="test").write(80)):
        try:
            motions.append(Motion(synthesize(prompt.scenario, seed=i).joints).to_features())
        except ValueError:  # does not fit into 9.8 seconds
            continue
        texts.append(prompt.text)
    top = r_precision(evaluator.embed_text(texts).numpy(), evaluator.embed_motion(motions).numpy())
    assert top[0] > 0.8 and top[2] > 0.95
