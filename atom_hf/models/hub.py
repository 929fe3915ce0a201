"""Saving and pushing with a card: what every model of this package adds to transformers' own."""

import os
import tempfile
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi

from .model_card import write_model_card

_OF_PUSH = ("commit_message", "private", "revision", "create_pr")
_OF_SAVING = ("max_shard_size", "state_dict", "variant")  # what is pushed is what was saved


def public_name(source: str) -> str:
    """What cards and reports call a model or a dataset.

    Args:
        source (`str`): a repository on the Hub, or a folder; empty for what was made in memory.

    Returns:
        `str`: the repository's name as it is, and of a folder its own name: where it lies is nobody's business.
    """
    return Path(source).resolve().name if source and Path(source).exists() else source


class WithCard:
    """Mixed into models, before transformers' class."""

    def save_pretrained(self: Any, save_directory: str | os.PathLike[str], *args: Any, **kwargs: Any) -> None:
        """As in transformers, and a card where the folder has none.

        Args:
            save_directory (`str` or `Path`): folder.
            *args, **kwargs: as in transformers; `push_to_hub=True` pushes what was saved, to `repo_id` or the folder's
                name, with the options of `push_to_hub`.
        """
        push = kwargs.pop("push_to_hub", False)
        repo_id = kwargs.pop("repo_id", Path(save_directory).resolve().name)
        options = {name: kwargs.pop(name) for name in _OF_PUSH if name in kwargs}
        options |= {name: kwargs[name] for name in _OF_SAVING if name in kwargs}
        if options.get("state_dict") is not None:
            options["state_dict"] = dict(options["state_dict"])  # transformers empties the one that it saves
        super().save_pretrained(save_directory, *args, **kwargs)  # type: ignore[misc]
        if kwargs.get("is_main_process", True):
            self._save_beside(Path(save_directory))
            if push:
                self.push_to_hub(repo_id, token=kwargs.get("token"), **options)

    def _save_beside(self: Any, folder: Path) -> None:
        write_model_card(self, folder)

    def push_to_hub(
        self: Any,
        repo_id: str,
        *,
        commit_message: str | None = None,
        private: bool | None = None,
        token: bool | str | None = None,
        revision: str | None = None,
        create_pr: bool = False,
        **options: Any,
    ) -> str:
        """Upload everything that `save_pretrained` writes; a card that is on the Hub already stays.

        transformers' own version puts an empty card in place of ours.

        Args:
            repo_id (`str`): such as `"me/motiongpt-ipo"`; made if it is not there.
            commit_message (`str`, *optional*): what changed.
            private (`bool`, *optional*): who may see a new repository.
            token (`str`, *optional*): access token; the stored one without it.
            revision (`str`, *optional*): branch; made if it is not there.
            create_pr (`bool`, *optional*, defaults to `False`): open a pull request instead.
            **options (*optional*): for `save_pretrained`, such as `max_shard_size`.

        Returns:
            `str`: address of the commit or of the pull request.

        Raises:
            OSError: if there is no network, or no right to write.
        """
        api = HfApi(token=token)
        repo_id = api.create_repo(repo_id, private=private, exist_ok=True).repo_id
        if revision is not None and not revision.startswith("refs/pr"):
            api.create_branch(repo_id, branch=revision, exist_ok=True)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / repo_id.rpartition("/")[2]  # cards speak of the folder's name
            self.save_pretrained(folder, **options)
            if api.file_exists(repo_id, "README.md", revision=revision):
                (folder / "README.md").unlink()
            commit = api.upload_folder(
                repo_id=repo_id,
                folder_path=folder,
                commit_message=commit_message or f"Upload {type(self).__name__}",
                revision=revision,
                create_pr=create_pr,
            )
        return str(commit.pr_url if create_pr and commit.pr_url else commit.commit_url)
