"""Saving and pushing with a card: what is in it, that nothing of the author's is lost, and what goes to the Hub."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import yaml

from atom_hf.models import MotionGPTForPreference, MotionGPTForReward, MotionGPTForValue, MotionVQVAE
from atom_hf.models.model_card import model_card
from tests.models.tiny_checkpoint import tiny_model
from tests.models.tiny_models import tiny_motiongpt, tiny_vqvae


class FakeApi:
    """What `HfApi` is asked for, and repositories as {file: bytes}."""

    def __init__(self) -> None:
        self.repos: dict[str, dict[str, bytes]] = {}
        self.created: list[dict[str, Any]] = []
        self.branches: list[str] = []
        self.commits: list[dict[str, Any]] = []
        self.tokens: list[Any] = []

    def __call__(self, token: Any = None) -> "FakeApi":
        self.tokens.append(token)
        return self

    def create_repo(self, repo_id: str, *, private: bool | None, exist_ok: bool) -> SimpleNamespace:
        assert exist_ok
        repo_id = repo_id if "/" in repo_id else f"me/{repo_id}"
        self.created.append({"repo_id": repo_id, "private": private})
        self.repos.setdefault(repo_id, {})
        return SimpleNamespace(repo_id=repo_id)

    def create_branch(self, repo_id: str, *, branch: str, exist_ok: bool) -> None:
        assert exist_ok and repo_id in self.repos
        self.branches.append(branch)

    def file_exists(self, repo_id: str, filename: str, *, revision: str | None) -> bool:
        return filename in self.repos[repo_id]

    def upload_folder(self, *, repo_id: str, folder_path: Path, **options: Any) -> SimpleNamespace:
        for path in Path(folder_path).iterdir():
            self.repos[repo_id][path.name] = path.read_bytes()
        self.commits.append({"repo_id": repo_id, **options})
        address = f"https://hub/{repo_id}"
        return SimpleNamespace(
            commit_url=f"{address}/commit/1", pr_url=f"{address}/pr/1" if options["create_pr"] else None
        )


@pytest.fixture
def hub(monkeypatch) -> FakeApi:
    api = FakeApi()
    monkeypatch.setattr("atom_hf.models.hub.HfApi", api)
    return api


@pytest.fixture(scope="module")
def model() -> MotionGPTForPreference:
    return tiny_model()


# Cards ---------------------------------------------------------------------------------------------------------------


def header(card: str) -> dict[str, Any]:
    assert card.startswith("---\n")
    return yaml.safe_load(card.split("---\n")[1])


def test_a_card_says_what_the_model_is(model):
    card = model_card(model, "motiongpt-ipo")
    assert header(card)["library_name"] == "atom_hf" and "text-to-motion" in header(card)["tags"]
    assert "# motiongpt-ipo\n" in card and "`atom_hf.MotionGPTForPreference`" in card
    millions = sum(p.numel() for p in model.parameters()) / 1e6
    assert f"| parameters | {millions:.1f} M |" in card and "| motion codes | 16, 4 frames each at 20 fps |" in card
    assert f"| transformer | T5, width 32, 2 + 2 layers, {model.config.vocab_size} tokens |" in card
    assert "| writes | motion and text |" in card
    assert "Not stated by whoever saved this model." in card  # no number that nobody measured
    assert "| writes | motion only |" in model_card(tiny_motiongpt(motion_only=True), "x")


@pytest.mark.parametrize("kind", ["policy", "reward", "value", "vqvae"])
def test_code_on_a_card_loads_the_model_from_its_folder(model, kind, tmp_path, monkeypatch):
    reward = MotionGPTForReward.from_policy(model)
    made = {
        "policy": model, "reward": reward, "value": MotionGPTForValue.from_reward(reward), "vqvae": tiny_vqvae(),
    }[kind]  # fmt: skip
    made.save_pretrained(tmp_path / "mine")
    card = (tmp_path / "mine" / "README.md").read_text(encoding="utf-8")
    assert f"`atom_hf.{type(made).__name__}`" in card and "A model of atom_hf" not in card
    if kind == "value":  # a part of a training run; nobody calls it alone
        assert "```" not in card
        return
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"codes": [3, 4], "features": __import__("torch").zeros(1, 8, 263)}
    exec(card.split("```python\n")[1].split("```")[0], names)
    if kind == "policy":
        assert (tmp_path / "motion.bvh").is_file() and names[
            "motion"
        ].text == "a person walks forward, then jumps twice"
    elif kind == "vqvae":
        assert names["codes"].shape == (1, 2)


def test_a_card_that_is_there_stays(model, tmp_path):
    (tmp_path / "README.md").write_text("my own words")
    model.save_pretrained(tmp_path)
    assert (tmp_path / "README.md").read_text() == "my own words"


def test_other_processes_write_nothing(model, tmp_path):
    model.save_pretrained(tmp_path / "out", is_main_process=False)
    assert not (tmp_path / "out" / "README.md").exists() and not (tmp_path / "out" / "tokenizer.json").exists()


# Pushing -------------------------------------------------------------------------------------------------------------

WHOLE = {"config.json", "model.safetensors", "tokenizer.json", "processor_config.json", "README.md"}


def test_everything_is_uploaded(model, hub, tmp_path):
    address = model.push_to_hub("me/motiongpt-ipo", token="secret")
    assert address == "https://hub/me/motiongpt-ipo/commit/1" and hub.tokens == ["secret"]
    files = hub.repos["me/motiongpt-ipo"]
    assert WHOLE <= set(files)
    card = files["README.md"].decode()
    assert "# motiongpt-ipo\n" in card and 'from_pretrained("motiongpt-ipo")' in card
    assert hub.commits[0]["commit_message"] == "Upload MotionGPTForPreference"
    assert hub.created == [{"repo_id": "me/motiongpt-ipo", "private": None}] and hub.branches == []
    for name, data in files.items():  # and it is a checkpoint
        (tmp_path / name).write_bytes(data)
    again = MotionGPTForPreference.from_pretrained(tmp_path)
    one, other = (m.generate_motion("a man", seed=0, max_frames=16)[0].codes.tolist() for m in (model, again))
    assert one == other


def test_a_card_on_the_hub_stays(model, hub):
    hub.repos["me/old"] = {"README.md": b"my own words", "model.safetensors": b"old"}
    model.push_to_hub("me/old")
    assert hub.repos["me/old"]["README.md"] == b"my own words" and len(hub.repos["me/old"]["model.safetensors"]) > 1000


def test_options_are_passed_through(model, hub):
    address = model.push_to_hub(
        "new", private=True, create_pr=True, revision="try", commit_message="Better", max_shard_size="50KB"
    )
    assert address == "https://hub/me/new/pr/1"
    assert hub.created == [{"repo_id": "me/new", "private": True}] and hub.branches == ["try"]
    assert hub.commits == [{"repo_id": "me/new", "commit_message": "Better", "revision": "try", "create_pr": True}]
    assert "model.safetensors.index.json" in hub.repos["me/new"]


def test_a_pull_request_is_no_branch(model, hub):
    model.push_to_hub("me/new", revision="refs/pr/3")
    assert hub.branches == [] and hub.commits[0]["revision"] == "refs/pr/3"


def test_saving_can_push(model, hub, tmp_path):
    """Options of the push count there as well: what was to be private must not become public."""
    model.save_pretrained(
        tmp_path / "run-7", push_to_hub=True, private=True, commit_message="Step 7", create_pr=True, token="t"
    )
    assert WHOLE <= {path.name for path in (tmp_path / "run-7").iterdir()} and WHOLE <= set(hub.repos["me/run-7"])
    assert hub.created == [{"repo_id": "me/run-7", "private": True}] and hub.tokens == ["t"]
    assert hub.commits[0]["commit_message"] == "Step 7" and hub.commits[0]["create_pr"] is True
    other = {name: weight + 1 for name, weight in model.state_dict().items() if name != "lm_head.weight"}
    model.save_pretrained(tmp_path / "run-7", push_to_hub=True, repo_id="me/named", state_dict=other)
    saved = (tmp_path / "run-7" / "model.safetensors").read_bytes()
    assert hub.repos["me/named"]["model.safetensors"] == saved != hub.repos["me/run-7"]["model.safetensors"]
    assert WHOLE <= set(hub.repos["me/named"])
    assert "# named\n" in hub.repos["me/named"]["README.md"].decode()


def test_a_folder_called_dot_has_a_name(model, hub, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model.save_pretrained(".", push_to_hub=True)
    assert list(hub.repos) == [f"me/{tmp_path.name}"]


def test_saving_alone_pushes_nothing(model, hub, tmp_path):
    model.save_pretrained(tmp_path)
    model.save_pretrained(tmp_path, push_to_hub=True, is_main_process=False)
    assert not hub.created and not hub.commits


def test_models_without_a_processor_are_pushed_too(hub):
    tiny_vqvae().push_to_hub("me/vqvae")
    assert {"config.json", "model.safetensors", "README.md"} == set(hub.repos["me/vqvae"])
    assert "`atom_hf.MotionVQVAE`" in hub.repos["me/vqvae"]["README.md"].decode()
    assert MotionVQVAE.__name__ in hub.commits[0]["commit_message"]
    tiny_motiongpt().push_to_hub("me/bare")  # made in memory: no tokenizer to save
    assert "tokenizer.json" not in hub.repos["me/bare"] and "README.md" in hub.repos["me/bare"]
