"""The vision judge against `transformers serve` with a tiny model of random weights: garbage in, unscored out."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("openai")
pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
pytest.importorskip("torch")

from atom_hf.motion import Motion
from atom_hf.rewards import JudgeItem
from atom_hf.rewards.vlm import PictureLayout, VLMJudge

pytestmark = pytest.mark.slow

TEMPLATE = (
    "{% for message in messages %}{{ message.role }}: {% for part in message.content %}"
    "{% if part.type == 'image' %}<image>{% else %}{{ part.text }}{% endif %}{% endfor %}\n{% endfor %}assistant:"
)


def save_tiny_vision_model(folder: Path) -> None:
    """LLaVA with two layers of 32 each, which reads bytes."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
        PreTrainedTokenizerFast,
    )

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {text: i for i, text in enumerate(["<pad>", "<s>", "</s>", "<image>", *letters])}
    tokens = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    tokens.add_special_tokens(["<pad>", "<s>", "</s>", "<image>"])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=tokens,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        extra_special_tokens={"image_token": "<image>"},
    )
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    vision = CLIPVisionConfig(**sizes, image_size=64, patch_size=16)
    words = LlamaConfig(**sizes, num_key_value_heads=2, vocab_size=len(vocabulary), max_position_embeddings=16384)
    config = LlavaConfig(vision_config=vision, text_config=words, image_token_index=3, vision_feature_layer=-1)
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    size = {"height": 64, "width": 64}
    LlavaProcessor(
        CLIPImageProcessor(size={"shortest_edge": 64}, crop_size=size),
        tokenizer,
        patch_size=16,
        vision_feature_select_strategy="default",
        chat_template=TEMPLATE,
        num_additional_image_tokens=1,
    ).save_pretrained(folder)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address and name of the model."""
    folder = tmp_path_factory.mktemp("vision")
    save_tiny_vision_model(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = "from transformers.cli.transformers import main; main()"
    command = [sys.executable, "-c", code, "serve", str(folder), "--port", str(port), "--device", "cpu"]
    log = (folder / "log").open("w")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "home")}
    with subprocess.Popen(command, stdout=log, stderr=log, env=environment) as process:
        try:
            for _ in range(240):
                if process.poll() is not None:
                    pytest.fail((folder / "log").read_text()[-2000:])
                try:
                    urllib.request.urlopen(f"http://localhost:{port}/health", timeout=2).read()
                    break
                except OSError:
                    time.sleep(0.5)
            yield f"http://localhost:{port}/v1", str(folder)
        finally:
            process.kill()


def test_garbage_is_unscored(served: tuple[str, str], walk: np.ndarray) -> None:
    address, model = served
    layout = PictureLayout(frames=2, size=(128, 64))
    vlm = VLMJudge(model, base_url=address, layout=layout, max_tokens=20, concurrency=1, deadline=120.0)
    items = [JudgeItem(Motion(walk[: 20 + i]), "a person walks forward") for i in range(2)]
    verdicts = vlm.score(items)
    assert [verdict.score for verdict in verdicts] == [None, None]
    for verdict in verdicts:  # it has no end, or no form
        assert verdict.cause.startswith(("unreadable", "truncated")) and verdict.reply
    assert vlm.spent.input_tokens > 2 * 2000 and vlm.spent.output_tokens >= 2
    (preference,) = vlm.compare([(items[0], items[1])])
    assert preference.choice is None and preference.cause
