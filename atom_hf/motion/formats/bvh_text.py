"""Reading BVH's text: the tree of joints and the frames of numbers, with the line named where something is wrong."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

import numpy as np

from .files import MAX_FRAMES, MotionFormatError
from .joint_maps import END_SITE

MAX_JOINTS = 4096  # with end sites
_MAX_STATEMENT = 10_000  # characters; what is longer is cut, and is no joint, offset or list of channels
_MAX_VALUE = 1e9
_FPS_TOLERANCE = 5e-4  # 0.0333333 s means 30 fps, but 29.97 fps (1e-3 away) is a rate of its own

_CHANNELS = ("Xposition", "Yposition", "Zposition", "Xrotation", "Yrotation", "Zrotation")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)


@dataclass
class Block:
    """A ROOT, JOINT or End Site while it is read; `index` and `parent` count joints only."""

    name: str
    line: int
    parent: int
    index: int = -1  # an end site
    offset: tuple[float, ...] | None = None
    channels: tuple[str, ...] | None = None


def read_hierarchy(path: str | Path, lines: Sequence[str]) -> tuple[list[Block], int]:
    """Joints and end sites in the file's order, and the number of the line with MOTION."""
    statements = _statements(lines)
    line, text = next(statements, (1, ""))
    if text.upper() != "HIERARCHY":
        what = f"it starts with {text[:40]!r}" if text else "the file is empty"
        raise MotionFormatError(path, f"expected a BVH file, whose first word is HIERARCHY, but {what}.", line)
    blocks: list[Block] = []
    inside: list[Block] = []  # blocks whose brace is open, the innermost last: a stack, so that any depth will do
    pending: Block | None = None  # its brace comes next
    names: set[str] = set()
    for line, text in statements:
        keyword, rest = (*text.split(maxsplit=1), "")[:2]
        keyword = keyword.upper()
        if (keyword == "{") != (pending is not None):
            expected = f"'{{' after {pending.name!r}" if pending else "ROOT, JOINT or End Site before '{'"
            raise MotionFormatError(path, f"expected {expected}, got {text[:40]!r}; braces are not balanced.", line)
        if pending is not None:
            inside.append(pending)
            pending = None
        elif keyword in ("ROOT", "JOINT", "END"):
            if len(blocks) == MAX_JOINTS:
                problem = f"expected at most {MAX_JOINTS} joints and end sites, got more; no body has so many"
                raise MotionFormatError(path, f"{problem}.", line)
            pending = _new_block(path, line, keyword, rest, inside, names)
            blocks.append(pending)
        elif keyword == "MOTION" and not inside and blocks:
            return blocks, line
        elif not inside:
            raise MotionFormatError(
                path, f"expected {'MOTION' if blocks else 'ROOT'}, got {text[:40]!r}; are braces balanced?", line
            )
        elif keyword == "}":
            _check_block(path, inside.pop())
        elif keyword == "OFFSET":
            inside[-1].offset = _parse_offset(path, line, rest)
        elif keyword == "CHANNELS":
            inside[-1].channels = _parse_channels(path, line, rest)
        else:
            problem = f"braces are not balanced: expected '}}' for {inside[-1].name!r} (opened in line "
            problem += f"{inside[-1].line}), or OFFSET, CHANNELS, JOINT, End Site in it"
            raise MotionFormatError(path, f"{problem}; got {text[:40]!r}.", line)
    still = f" and a '}}' for {inside[-1].name!r} (opened in line {inside[-1].line})" if inside else ""
    raise MotionFormatError(path, f"the file ends within the hierarchy; MOTION{still} is missing.", line)


def _statements(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Line numbers with a brace, or a keyword and what follows it on its line."""
    for number, line in enumerate(lines, 1):
        for part in re.finditer(r"[{}]|[^{}]+", line):
            if part[0].strip():
                yield number, part[0].strip()[:_MAX_STATEMENT]


def _new_block(
    path: str | Path, line: int, keyword: str, name: str, inside: Sequence[Block], names: set[str]
) -> Block:
    if keyword == "ROOT" and names:
        raise MotionFormatError(path, f"expected one ROOT, got a second one, {name!r}; make a file of each.", line)
    if keyword != "ROOT" and (not inside or inside[-1].index < 0):
        raise MotionFormatError(path, f"expected {keyword} within a joint's braces, got it outside of them.", line)
    parent = inside[-1].index if inside else -1
    if keyword == "END":
        return Block(inside[-1].name + END_SITE, line, parent)
    if not name or name in names:
        problem = f"the name {name!r} twice; rename one" if name else f"{keyword} without a name"
        raise MotionFormatError(path, f"expected a name of its own for each joint, got {problem}.", line)
    names.add(name)
    return Block(name, line, parent, index=len(names) - 1)


def _check_block(path: str | Path, block: Block) -> None:
    missing = "OFFSET" if block.offset is None else "CHANNELS" if block.channels is None and block.index >= 0 else ""
    if missing:
        raise MotionFormatError(path, f"expected {missing} in the braces of {block.name!r}, got none.", block.line)


def _parse_offset(path: str | Path, line: int, rest: str) -> tuple[float, ...]:
    words = rest.split()
    offset = tuple(float(word) if _NUMBER.fullmatch(word) else math.nan for word in words)
    if len(offset) != 3 or not all(abs(x) < _MAX_VALUE for x in offset):  # NaN compares false
        raise MotionFormatError(path, f"expected three finite numbers after OFFSET, got {rest[:60]!r}.", line)
    return offset


def _parse_channels(path: str | Path, line: int, rest: str) -> tuple[str, ...]:
    count, *words = rest.split() or [""]
    channels = tuple(word.capitalize() for word in words)
    for word, channel in zip(words, channels, strict=True):
        if channel not in _CHANNELS:
            close = "".join(f" Did you mean {name}?" for name in get_close_matches(channel[:40], _CHANNELS, 1))
            raise MotionFormatError(
                path, f"unknown channel {word[:40]!r}; there are {', '.join(_CHANNELS)}.{close}", line
            )
    if count != str(len(words)) or len(set(channels)) < len(channels):
        problem = (
            f"expected CHANNELS, a number, and as many different names, got {count[:40]!r} and {len(words)} names"
        )
        raise MotionFormatError(path, f"{problem}: {' '.join(words[:7])}.", line)
    return channels


def read_motion(
    path: str | Path, lines: Sequence[str], line: int, columns: Sequence[tuple[str, str]]
) -> tuple[np.ndarray, float]:
    """Values `[T, C]` and frame rate from the lines after MOTION; `columns` are joint and channel of each value."""
    rows = [number for number in range(line, len(lines)) if lines[number].strip()]
    claim = _header_value(path, lines, rows[:1], "Frames")
    frames = int(claim) if re.fullmatch(r"[0-9]{1,18}", claim) else 0
    if not 1 <= frames <= MAX_FRAMES:
        raise MotionFormatError(path, f"expected 'Frames:' from 1 to {MAX_FRAMES}, got {claim[:40]!r}.", rows[0] + 1)
    time = _header_value(path, lines, rows[1:2], "Frame Time")
    fps = _frame_rate(float(time)) if _NUMBER.fullmatch(time) else 0.0
    if not fps:
        problem = f"expected 'Frame Time:' as seconds above zero, got {time[:40]!r}"
        raise MotionFormatError(path, f"{problem}; 30 fps are 0.0333333.", rows[1] + 1)
    if not columns:
        raise MotionFormatError(path, "expected a joint with channels, got none; nothing can move.", line)
    body = [lines[number] for number in rows[2:]]
    if len(body) != frames:
        whole = sum(len(row.split()) == len(columns) for row in body)
        problem = f"'Frames: {frames}' announces {frames} frames, but {whole} are there"
        problem += "; the file is cut off" if whole < frames else ""
        problem += f". To read these, write 'Frames: {whole}'" + (" and delete the rest" if whole < len(body) else "")
        raise MotionFormatError(path, f"{problem}.", rows[0] + 1)
    try:
        values = np.loadtxt(body, dtype=np.float64, comments=None, ndmin=2)
    except ValueError:
        values = np.empty((0, 0))
    if values.shape != (frames, len(columns)):
        _raise_broken_row(path, body, rows[2:], len(columns))
    good = np.abs(values) < _MAX_VALUE  # NaN compares false
    if not good.all():
        frame, column = (int(i) for i in np.argwhere(~good)[0])
        joint, channel = columns[column]
        problem = f"expected finite numbers below {_MAX_VALUE:g}, got {values[frame, column]} in frame {frame}"
        raise MotionFormatError(path, f"{problem}, {channel} of joint {joint!r}.", rows[2 + frame] + 1)
    return values, fps


def _header_value(path: str | Path, lines: Sequence[str], row: Sequence[int], key: str) -> str:
    """What stands behind `key:` in the given row."""
    got = lines[row[0]].strip() if row else "the end of the file"
    match = re.fullmatch(key.replace(" ", r"\s+") + r"\s*:\s*(\S+)", got, re.IGNORECASE)
    if match is None:
        number = row[0] + 1 if row else len(lines)
        raise MotionFormatError(path, f"expected '{key}: <number>' after MOTION, got {got[:40]!r}.", number)
    return match[1]


def _raise_broken_row(path: str | Path, body: Sequence[str], numbers: Sequence[int], count: int) -> NoReturn:
    for frame, row in enumerate(body):
        words = row.split()
        if len(words) != count:
            problem = f"expected {count} numbers, one a channel, got {len(words)} in frame {frame}"
            raise MotionFormatError(path, f"{problem}.", numbers[frame] + 1)
        for word in words:
            if not _NUMBER.fullmatch(word):
                hint = " Decimals are written with a point." if "," in word else ""
                problem = f"expected a number, got {word[:40]!r} in frame {frame}.{hint}"
                raise MotionFormatError(path, problem, numbers[frame] + 1)
    raise MotionFormatError(path, "the frames cannot be read as numbers.", numbers[0] + 1)


def _frame_rate(frame_time: float) -> float:
    """Frames per second, whole where that is meant; 0 for a frame time that is none."""
    fps = 1 / frame_time if frame_time > 0 else 0.0
    if not math.isfinite(fps):
        return 0.0
    whole = float(round(fps))
    return whole if abs(fps - whole) < _FPS_TOLERANCE * whole else float(f"{fps:.12g}")
