"""Work in pieces that can be stopped at any moment: each step writes a piece whole, and no piece is done twice.

stage = AnnotationStage("annotations", process_index=0, num_processes=1)
stage.begin({"model": "motiongpt_tiny", "seed": 0}, lambda: [{"prompt": "a man jumps twice", "task": "frequency"}])
stage.run("candidates", make)     →  candidates/00000.jsonl …, made from prompts/00000.jsonl …
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from ..motion.formats.files import replacing
from .annotations import pieces
from .json_lines import read_lines, write_lines

Record = dict[str, Any]
_STAMP = "settings.json"


class AnnotationStage:
    """A folder of annotations (see `annotations`) that several processes fill, step by step.

    Pieces are handed out by number, so any number of processes gives the same folder.

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

    def begin(self, settings: Mapping[str, Any], write: Callable[[], Iterable[Record]], piece: int = 20) -> None:
        """Write the prompts, or see that a run that was stopped had the same settings. For one process alone.

        Args:
            settings (`Mapping`): all that the annotations depend on; plain data.
            write (`Callable`): gives the prompts, each with `prompt` and, where known, `prompt_id`, `task`,
                `scenario`, `split`; called only where they are not written yet.
            piece (`int`, *optional*, defaults to 20): prompts in a piece.

        Raises:
            ValueError: if the folder was begun with other settings, there are no prompts, or `piece` is below 1.
        """
        if piece < 1:
            raise ValueError(f"A piece has at least one prompt, got piece={piece}.")
        settings = json.loads(json.dumps({**settings, "piece": piece}))
        stamp = self.folder / _STAMP
        if stamp.exists():
            self._compare(json.loads(stamp.read_text(encoding="utf-8")), settings)
            return
        if any((self.folder / "candidates").glob("*.jsonl")):
            raise ValueError(f"{self.folder} holds annotations that were not begun here; choose another folder.")
        prompts = [{"prompt_id": f"p{i:05d}"} | record for i, record in enumerate(write())]
        if not prompts:
            raise ValueError("Expected at least one prompt, got none.")
        for i, start in enumerate(range(0, len(prompts), piece)):
            write_lines(self.folder / "prompts" / f"{i:05d}.jsonl", prompts[start : start + piece])
        with replacing(stamp) as unfinished:  # written last: without it the prompts are written again
            unfinished.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")

    def _compare(self, before: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
        names = [name for name in {**before, **settings} if before.get(name) != settings.get(name)]
        if names:
            changed = ", ".join(f"{name} was {before.get(name)!r} and is {settings.get(name)!r}" for name in names)
            raise ValueError(
                f"{self.folder} was begun with other settings: {changed}. Go on with those, or choose another folder."
            )

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
        """
        left = self.left(part)
        for path in (self.folder / part).glob(".*.jsonl"):  # what a stopped run left unfinished
            if any(path.name.startswith(f".{name}-") for name in left):
                path.unlink(missing_ok=True)
        for name in tqdm(left, part, unit="piece", disable=self.process_index != 0 or not left):
            write_lines(self.folder / part / f"{name}.jsonl", work(name))
        return len(left)
