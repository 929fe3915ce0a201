"""Where original checkpoints, their tokenizer and their statistics come from, and where a converted one goes.

MotionGPT-base/motiongpt_s3_h3d.tar     from the Hub; beside it, if you like, mean.npy, std.npy and tokenizer.json
"""

from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download
from transformers import PreTrainedTokenizerBase

from ..motion import MotionStats
from ..motion.formats.whole_folder import whole_folder
from .tokenizer import load_motion_tokenizer

MOTIONGPT = "OpenMotionLab/MotionGPT-base"
MOTIONGPT_FILE = "motiongpt_s3_h3d.tar"
TOKENIZER = "google/flan-t5-base"
TOKENIZER_REVISION = "7bcac572ce56db69c1ea7c8af255c5d7c9672fc2"
_SUFFIXES = (".tar", ".ckpt", ".pt", ".pth", ".bin", ".safetensors")


def is_original(source: Any) -> bool:
    """Whether something names an original checkpoint: a file, a folder with MotionGPT's, or its Hub repository.

    Args:
        source (`str` or `Path`): what `from_pretrained` was given.

    Returns:
        `bool`: a folder with `model.safetensors` is none, whatever else it holds.
    """
    if not isinstance(source, str | Path):
        return False
    path = Path(source)
    if path.is_dir():
        return (path / MOTIONGPT_FILE).is_file() and not any(path.glob("model*.safetensors"))
    return str(source) == MOTIONGPT or path.suffix.lower() in _SUFFIXES


def find_checkpoint(source: str | Path, **hub: Any) -> Path:
    """The file of an original checkpoint.

    Args:
        source (`str` or `Path`): file, folder or Hub repository.
        **hub (*optional*): `revision`, `cache_dir`, `token`, … for the download.

    Returns:
        `Path`: the file; it need not exist if it was named.

    Raises:
        OSError: if it is on the Hub and cannot be downloaded.
        ValueError: if nothing original is meant.
    """
    if not is_original(source):
        raise ValueError(
            f"Expected an original checkpoint: a file ({', '.join(_SUFFIXES)}), a folder with {MOTIONGPT_FILE}, or "
            f"{MOTIONGPT}; got {source}."
        )
    path = Path(source)
    if path.is_dir():
        return path / MOTIONGPT_FILE
    if str(source) != MOTIONGPT:
        return path
    try:
        return Path(hf_hub_download(MOTIONGPT, MOTIONGPT_FILE, **hub))
    except OSError as error:  # no network, no such revision, …
        raise OSError(
            f"{MOTIONGPT_FILE} (1.3 GB) of {MOTIONGPT} is not in the cache and cannot be downloaded "
            f"({_first_line(error)}). Fetch it where there is a network, `hf download {MOTIONGPT} {MOTIONGPT_FILE} "
            "--local-dir FOLDER`, and name the file instead of the repository."
        ) from error


def find_stats(stats: MotionStats | str | Path | None, beside: Path | None = None) -> MotionStats:
    """The statistics that a VQ-VAE was trained with; never a guess.

    Args:
        stats ([`MotionStats`] or `str` or `Path`, *optional*): themselves, or their folder.
        beside (`Path`, *optional*): checkpoint, in whose folder MotionGPT's `mean.npy` and `std.npy` may be.

    Returns:
        [`MotionStats`]: mean and deviation.

    Raises:
        ValueError: if there are none.
    """
    if isinstance(stats, MotionStats):
        return stats
    if stats is not None:
        return MotionStats.load(stats)
    if beside is not None and all((beside.parent / name).is_file() for name in ("mean.npy", "std.npy")):
        return MotionStats.load(beside.parent)
    raise ValueError(
        "The VQ-VAE needs the mean and deviation that it was trained with, and its checkpoint does not hold them. "
        "Fetch mean.npy and std.npy from assets/meta of the repository OpenMotionLab/MotionGPT on GitHub, and give "
        "their folder as stats (atom-hf convert-checkpoint --stats FOLDER), or put both beside the checkpoint. "
        "HumanML3D's Mean.npy and Std.npy are others and do not fit."
    )


def find_tokenizer(
    tokenizer: PreTrainedTokenizerBase | str | Path | None, beside: Path, num_codes: int
) -> PreTrainedTokenizerBase:
    """The T5 tokenizer, with motion tokens.

    Args:
        tokenizer (`PreTrainedTokenizerBase` or `str` or `Path`, *optional*): itself, its folder or Hub repository.
        beside (`Path`): checkpoint, in whose folder a `tokenizer.json` may be; otherwise it is flan-T5-base's.
        num_codes (`int`): size of the codebook.

    Returns:
        `PreTrainedTokenizerBase`: with `num_codes + 3` motion tokens.

    Raises:
        FileNotFoundError: if the folder has none.
        OSError: if it cannot be downloaded.
        ValueError: if it is no T5 tokenizer, or has motion tokens of another number.
    """
    if isinstance(tokenizer, PreTrainedTokenizerBase):
        return tokenizer
    if tokenizer is None:
        tokenizer = beside.parent if (beside.parent / "tokenizer.json").is_file() else TOKENIZER
    if Path(tokenizer).is_dir() and not (Path(tokenizer) / "tokenizer.json").is_file():
        raise FileNotFoundError(
            f"{tokenizer}: expected tokenizer.json in this folder. Fetch it from {TOKENIZER} on the Hub; spiece.model "
            "alone does not do."
        )
    revision = TOKENIZER_REVISION if str(tokenizer) == TOKENIZER else None
    try:
        return load_motion_tokenizer(tokenizer, revision=revision, num_codes=num_codes)
    except (OSError, ValueError) as error:
        if Path(tokenizer).is_dir():
            raise
        raise OSError(
            f"The tokenizer of {tokenizer} is not in the cache and cannot be downloaded. Fetch it where there is a "
            f"network, `hf download {tokenizer} tokenizer.json --local-dir FOLDER`, and give the folder as tokenizer "
            "(--tokenizer FOLDER)."
        ) from error


def new_folder(output: Path, overwrite: bool, source: str | Path) -> AbstractContextManager[Path]:
    """Give a temporary folder beside `output`, and move it there when the block ends well; otherwise remove it.

    Args:
        output (`Path`): the folder that is to appear, whole or not at all.
        overwrite (`bool`): whether a checkpoint that is there may be replaced.
        source (`str` or `Path`): what is being read, which must not be replaced.

    Returns:
        `ContextManager[Path]`: gives where to write.

    Raises:
        OSError: if it cannot be written.
        ValueError: if something is there that may not be replaced.
    """
    return whole_folder(output, partial(_check_output, overwrite=overwrite, source=source))


def _check_output(output: Path, overwrite: bool, source: str | Path) -> None:
    if output.exists() and not output.is_dir():
        raise ValueError(f"{output} is a file; expected a folder to write the checkpoint into.")
    if not output.is_dir() or not any(output.iterdir()):
        return
    if not overwrite:
        raise ValueError(f"{output} is not empty; choose another folder, or overwrite it (--overwrite).")
    if not (output / "config.json").is_file():
        raise ValueError(
            f"{output} holds something else than a checkpoint, so it is not overwritten; choose another folder."
        )
    if Path(source).exists() and Path(source).resolve().is_relative_to(output.resolve()):
        raise ValueError(f"{source} lies in {output}, which would be replaced; choose another folder.")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")
