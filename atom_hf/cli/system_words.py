"""What the words of `atom-hf evaluate` say: name=what@option=value,…

parse_system("hot=default@temperature=1.2")  →  SystemWord("hot", "default", {"temperature": 1.2})
"""

import re
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

REAL = "real"
SYNTHESISED, NONE = "synthesised", "none"
DEFAULT = "default"
MODEL_OPTIONS = {"temperature": float, "top_k": int, "top_p": float, "max_frames": int, "revision": str}
FOLDER_OPTIONS = {"fps": float, "split": str}
_OPTIONS = {**MODEL_OPTIONS, **FOLDER_OPTIONS}
_TAIL = re.compile(r"^(?P<what>.+?)@(?P<options>\w+=[^@]*)$")


class SystemWord(NamedTuple):
    """One word of the command line.

    Args:
        name (`str`): of the system.
        what (`str`): a folder, a Hub repository, or `default`.
        options (`dict`): name to value, such as `{"temperature": 1.2}`.
    """

    name: str
    what: str
    options: dict[str, float | int | str]

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of motions, not a checkpoint."""
        path = Path(self.what)
        return self.what != DEFAULT and path.is_dir() and not (path / "config.json").is_file()

    def only(self, known: dict[str, type], kind: str) -> dict[str, float | int | str]:
        """The options, after a check that they are of this kind of system.

        Args:
            known (`dict[str, type]`): `MODEL_OPTIONS` or `FOLDER_OPTIONS`.
            kind (`str`): for the message.

        Returns:
            `dict`: name to value.

        Raises:
            ValueError: if one is not for this kind.
        """
        wrong = [name for name in self.options if name not in known]
        if wrong:
            raise ValueError(
                f"{self.name}: the option {wrong[0]} is not for {kind}, which has {', '.join(known)}; leave it out."
            )
        return dict(self.options)


def parse_system(word: str) -> SystemWord:
    """Read one word.

    Args:
        word (`str`): `name=what`, `what`, or either with `@option=value,option=value`.

    Returns:
        [`SystemWord`]: the system; without a name, what it is and its options make one.

    Raises:
        ValueError: if a part is empty, an option is unknown or given twice, or its value is no number.
    """
    name, rest = "", word
    head, equals, tail = word.partition("=")
    if equals and "@" not in head and "/" not in head and not Path(word).exists():
        name, rest = head.strip(), tail
        if not name:
            raise ValueError(f"Expected name=what, got {word!r} without a name.")
    options: dict[str, float | int | str] = {}
    match = _TAIL.match(rest)
    if match and not Path(rest).exists():
        rest = match["what"]
        options = _options(word, match["options"])
    if not rest.strip():
        raise ValueError(
            f"Expected name=what, got {word!r}; what is a folder of motions, a checkpoint folder, a Hub repository, "
            f"or {DEFAULT}."
        )
    return SystemWord(name or _name(rest, options), rest, options)


def parse_systems(words: Sequence[str]) -> tuple[SystemWord | None, list[SystemWord]]:
    """Read all words.

    Args:
        words (`Sequence[str]`): of the command line.

    Returns:
        `tuple[SystemWord | None, list[SystemWord]]`: the real motion, if it is given, and the systems.

    Raises:
        ValueError: if a word is broken, two systems have the same name, or there is none beside real motion.
    """
    found = [parse_system(word) for word in words]
    twice = [name for name, count in Counter(word.name for word in found).items() if count > 1]
    if twice:
        raise ValueError(f"Two systems are named {twice[0]!r}; give each a name of its own, as in name=what.")
    real = next((word for word in found if word.name == REAL), None)
    systems = [word for word in found if word is not real]
    if not systems:
        raise ValueError(f"{words[0]!r} is the row of real motion; add the systems to compare with it.")
    return real, systems


def check_places(words: Sequence[SystemWord]) -> None:
    """Raise where a system is not there, before anything takes time.

    Args:
        words (`Sequence[SystemWord]`): the systems.

    Raises:
        ValueError: if one is a file, or neither a folder nor what a Hub repository may be called.
    """
    for word in words:
        path = Path(word.what)
        if path.is_file():
            raise ValueError(f"{word.what}: expected a folder of motions or a checkpoint folder, but it is a file.")
        if path.is_dir() or word.what == DEFAULT:
            continue
        slash = "/" in word.what.partition("=")[0] and "=" in word.what
        # a Hub repository is owner/name: a slip of the pen in the name of a folder should not wait for the network
        repository = "/" in word.what.strip("./\\~") and not path.is_absolute() and word.what[0] not in ".~"
        if slash or not repository:
            hint = " In name=what, the name holds no '/'." if slash else ""
            raise ValueError(
                f"{word.what}: there is no such folder; expected a folder of motions, a checkpoint folder, a Hub "
                f"repository (owner/name), or {DEFAULT}.{hint}"
            )


def check_apart(out: Path, words: Sequence[SystemWord]) -> None:
    """Raise where the report would lie among motions or in a checkpoint.

    Args:
        out (`Path`): the report's folder.
        words (`Sequence[SystemWord]`): the systems, with real motion.

    Raises:
        ValueError: if a folder of motions is, holds, or lies in the report's, or a checkpoint is the report's.
    """
    report = out.resolve()
    for word in words:
        if word.what == DEFAULT or not Path(word.what).is_dir():
            continue
        folder = Path(word.what).resolve()
        around = word.is_folder and (folder in report.parents or report in folder.parents)
        if report == folder or around:
            raise ValueError(
                f"--out {out}: the report would be mixed up with the system {word.name} in {word.what}; choose a "
                "folder apart from it."
            )


def _options(word: str, written: str) -> dict[str, float | int | str]:
    found: dict[str, float | int | str] = {}
    for part in written.split(","):
        key, _, value = (piece.strip() for piece in part.partition("="))
        if key not in _OPTIONS:
            close = get_close_matches(key, _OPTIONS, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise ValueError(f"{word}: unknown option {key!r}; there are {', '.join(_OPTIONS)}.{hint}")
        if key in found:
            raise ValueError(f"{word}: the option {key} is there twice.")
        kind = _OPTIONS[key]
        try:
            found[key] = kind(value)
        except ValueError:
            expected = "a whole number" if kind is int else "a number"
            raise ValueError(f"{word}: expected {key} as {expected}, got {value!r}.") from None
        if not value:
            raise ValueError(f"{word}: expected a value for {key}, got none.")
    return found


def _name(what: str, options: dict[str, float | int | str]) -> str:
    plain = what if what == DEFAULT else Path(what.rstrip("/\\")).resolve().name or what
    return " ".join([plain, *(f"{key}={value}" for key, value in options.items())])
