"""Work in pieces that can be stopped at any moment: each step writes a piece whole, and no piece is done twice.

stage = AnnotationStage("annotations", process_index=0, num_processes=1)
stage.begin({"model": "motiongpt_tiny", "seed": 0}, lambda: [{"prompt": "a man jumps twice", "task": "frequency"}])
stage.run("candidates", make)     →  candidates/00000.jsonl …, made from prompts/00000.jsonl …
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from ..motion.formats.files import replacing
from .annotations import PARTS, pieces, read_prompts
from .faults import AnnotationError
from .json_lines import read_lines, write_lines
from .places import RunLock, check_place
from .splits import split_of_prompt
from .uniqueness import OneSplit

Record = dict[str, Any]
_STAMP = "settings.json"
_LOCK = ".lock"


class AnnotationStage:
    """A folder of annotations (see `annotations`) that several processes fill, step by step.

    Pieces are handed out by number, so any number of processes gives the same folder. They are processes of one run:
    a second run in the folder is refused for as long as a stage of the first one is there.

    Args:
        folder (`str` or `Path`): the annotations.
        process_index (`int`, *optional*, defaults to 0): which of the processes this is.
        num_processes (`int`, *optional*, defaults to 1): how many work on the folder.

    Raises:
        ValueError: if there is no such process.
    """

    def __init__(self, folder: str | Path, process_index: int = 0, num_processes: int = 1) -> None:
        if not 0 <= process_index < num_processes:
            raise ValueError(f"Expected a process from 0 to {num_processes - 1}, got {process_index}.")
        self.folder = Path(folder)
        self.process_index, self.num_processes = process_index, num_processes
        self._lock = RunLock(self.folder / _LOCK)

    def begin(self, settings: Mapping[str, Any], write: Callable[[], Iterable[Record]], piece: int = 20) -> None:
        """Write the prompts, or see that a run that was stopped had the same settings. For one process alone.

        As long as nothing is made of the prompts, other settings may take the place of the first ones.

        Args:
            settings (`Mapping`): all that the annotations depend on; plain data.
            write (`Callable`): gives the prompts, each with `prompt` and, where known, `prompt_id`, `task`,
                `scenario`, `split`; called only where they are not written yet.
            piece (`int`, *optional*, defaults to 20): prompts in a piece.

        Raises:
            ValueError: if the folder was begun with other settings, there are no prompts, a prompt has a fault, or
                `piece` is below 1. No prompts are left behind then.
            OSError: if another run is at work in the folder, or nothing can be written there.
        """
        if piece < 1:
            raise ValueError(f"A piece has at least one prompt, got piece={piece}.")
        settings = json.loads(json.dumps({**settings, "piece": piece}))
        check_place(self.folder / _STAMP)
        self._lock.hold()
        try:
            self._begin(settings, write, piece)
        except BaseException:
            self._lock.release()
            raise
        self._lock.hold(shared=True)  # with the other processes of this run

    def _begin(self, settings: Mapping[str, Any], write: Callable[[], Iterable[Record]], piece: int) -> None:
        stamp = self.folder / _STAMP
        before = _read_stamp(stamp)
        if before == settings:
            return
        made = any(_finished(self.folder / part) for part in PARTS[1:])
        if before is not None and made:
            names = [name for name in {**before, **settings} if before.get(name) != settings.get(name)]
            changed = ", ".join(f"{name} was {before.get(name)!r} and is {settings.get(name)!r}" for name in names)
            raise ValueError(
                f"{self.folder} was begun with other settings: {changed}. Go on with those, or choose another folder."
            )
        if made:
            raise ValueError(f"{self.folder} holds annotations that were not begun here; choose another folder.")
        if foreign := [path.name for path in _finished(self.folder / "prompts") if not _is_ours(path)]:
            raise ValueError(f"{self.folder} holds prompts of others, {foreign[0]}; choose another folder.")
        prompts = [{"prompt_id": f"p{i:05d}"} | record for i, record in enumerate(write())]
        if not prompts:
            raise ValueError("Expected at least one prompt, got none.")
        stamp.unlink(missing_ok=True)  # without it, prompts are what a stopped run left, and written again
        self._forget_prompts()
        try:
            for i, start in enumerate(range(0, len(prompts), piece)):
                write_lines(self.folder / "prompts" / f"{i:05d}.jsonl", prompts[start : start + piece])
            self._check_prompts()
            with replacing(stamp) as unfinished:
                unfinished.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
        except BaseException:
            self._forget_prompts()
            raise

    def _forget_prompts(self) -> None:
        for path in (self.folder / "prompts").glob("*.jsonl"):
            if _is_ours(path):
                path.unlink()

    def _check_prompts(self) -> None:
        """See that prompts can be read, before hours go into motions for them."""
        seen, splits = set[str](), OneSplit()
        for name in pieces(self.folder):
            path = self.folder / "prompts" / f"{name}.jsonl"
            for row, prompt in read_prompts(self.folder, name):
                if prompt.prompt_id in seen:
                    raise AnnotationError(path, f"the id {prompt.prompt_id!r} stands in an earlier row too.", row)
                seen.add(prompt.prompt_id)
                split = prompt.split or split_of_prompt(prompt.prompt)
                if fault := splits.fault(prompt.prompt_id, prompt.prompt, split):
                    raise AnnotationError(path, fault, row)

    def left(self, part: str) -> list[str]:
        """Pieces of a step that this process still has to do.

        Args:
            part (`str`): the step's folder, such as `"candidates"`.

        Returns:
            `list[str]`: names of pieces.
        """
        mine = pieces(self.folder)[self.process_index :: self.num_processes]
        return [name for name in mine if not (self.folder / part / f"{name}.jsonl").exists()]

    def prompts(self, name: str) -> list[Record]:
        """The prompts of a piece.

        Args:
            name (`str`): of the piece.

        Returns:
            `list[dict]`: as they were written.
        """
        return [record for _, record in read_lines(self.folder / "prompts" / f"{name}.jsonl")]

    def run(self, part: str, work: Callable[[str], Iterable[Record]]) -> int:
        """Do one step for the pieces that are left to this process, with a progress bar in the first process.

        Args:
            part (`str`): the step's folder, such as `"candidates"`.
            work (`Callable`): takes the name of a piece, gives its records; called once for a piece.

        Returns:
            `int`: pieces that were done now.

        Raises:
            OSError: if another run is at work in the folder.
        """
        if not self._lock.held:
            self._lock.hold(shared=True)
        left = self.left(part)
        for path in (self.folder / part).glob(".*.jsonl") if self._lock.held else ():
            if any(path.name.startswith(f".{name}-") for name in left):  # what a stopped run left unfinished
                path.unlink(missing_ok=True)
        for name in tqdm(left, part, unit="piece", disable=self.process_index != 0 or not left):
            write_lines(self.folder / part / f"{name}.jsonl", work(name))
        return len(left)


def _finished(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.jsonl") if not path.name.startswith("."))


def _is_ours(path: Path) -> bool:
    """Whether a file of prompts has a name that is given here; a stopped run may have left it half written."""
    return re.fullmatch(r"\d{5,}|\.\d{5,}-[a-z0-9_]+", path.stem) is not None


def _read_stamp(path: Path) -> dict[str, Any] | None:
    """The settings that a folder was begun with, if it was."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        text = ""
    try:
        settings = json.loads(text)
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        raise ValueError(
            f"{path}: expected the settings that the annotations beside it were begun with, a JSON object, got "
            f"{text[:40]!r}. Restore it, or choose another folder."
        )
    return settings
