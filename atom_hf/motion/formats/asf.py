"""Acclaim skeletons (`.asf`): the bones that the angles of an `.amc` file turn. Read only.

    :bonedata
      begin
        name lfemur
        direction 0.34 -0.94 0
        length 6.86
        axis 0 0 20  XYZ
        dof rx ry rz
      end
    :hierarchy
      begin
        root lhipjoint rhipjoint lowerback

Capitals are as good as small letters, `#` starts a comment, brackets and commas are spaces (Acclaim's version 1.10).
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..rotation import euler_to_matrix
from ..skeleton import Skeleton
from .files import MotionFormatError, read_text

_CHANNELS = ("tx", "ty", "tz", "rx", "ry", "rz", "l")
_MAX_BONES = 1000
_MAX_CHARACTERS = 2**22  # CMU's skeletons have 7,000
_MAX_WORDS = 1000  # on a line
_BLOCK = 2**20  # characters
_COMMENT = re.compile("#[^\n]*")
_SPACES = str.maketrans("(),", "   ")

Fields = dict[str, tuple[int, list[str]]]  # keyword → line and the words after it
_Links = list[tuple[int, str, str]]  # line, parent, child


class ASF(NamedTuple):
    """An Acclaim skeleton: every bone turns about its start, and its end is the start of its children.

    Args:
        skeleton (`Skeleton`): `root` and the end of every bone, with its offset from the bone's start in the rest
            pose, metres; the root's own offset is its preset position.
        axes (`np.ndarray`): `[J, 3, 3]`, frame in which the channels of each bone turn; for the root its preset turn.
        channels (`tuple[tuple[str, ...], ...]`): of each bone, in the order of the motion file: `tx ty tz` (shift of
            the start), `rx ry rz` (turns about fixed axes, the first one first), `l` (added length).
        scale (`float`): metres in one unit of length of the files.
        degrees (`bool`): whether angles are degrees where the motion file does not say; otherwise radians.
    """

    skeleton: Skeleton
    axes: np.ndarray
    channels: tuple[tuple[str, ...], ...]
    scale: float
    degrees: bool


def read_asf(path: str | Path, scale: float | None = None) -> ASF:
    """Skeleton of an Acclaim `.asf` file.

    Args:
        path (`str` or `Path`): the file.
        scale (`float`, *optional*): metres in one unit of the file; by default an inch over the file's `length`, which
            is what CMU's files mean by it (0.45: one unit is 0.0564 m).

    Returns:
        [`ASF`]: its bones, parents before children.

    Raises:
        MotionFormatError: if the file is no ASF, or a bone is broken, unknown, named twice, has two parents, or cannot
            be reached from the root.
        ValueError: if `scale` is not above zero.
    """
    if scale is not None and not (math.isfinite(scale) and scale > 0):
        raise ValueError(f"scale is metres per unit of the file, a finite number above zero, got {scale}.")
    units, root, bones, links = _parse(path, read_text(path))
    if scale is None:
        (length,) = numbers_of(path, units, "length", 1, "section :units", [1.0])
        if not length > 0:
            line = units["length"][0]
            raise MotionFormatError(path, f"expected a length above zero in section :units, got {length:g}.", line)
        scale = 0.0254 / length
    degrees = units.get("angle", (0, []))[1][:1] != ["rad"]

    names, parents = _tree(path, list(bones), links)
    channels = [_channels(path, root, "order", "section :root")]
    if not channels[0]:
        raise MotionFormatError(path, "expected a line 'order' in section :root, such as 'order TX TY TZ RX RY RZ'.")
    offsets = [numbers_of(path, root, "position", 3, "section :root", [0.0] * 3)]
    turn = numbers_of(path, root, "orientation", 3, "section :root", [0.0] * 3)
    axes = [_axes(path, turn, root, 0, degrees, "section :root")]
    for name in names[1:]:
        bone, what = bones[name], f"bone {name!r}"
        direction = np.array(numbers_of(path, bone, "direction", 3, what))
        (length,) = numbers_of(path, bone, "length", 1, what)
        offsets.append(list(direction * length / max(float(np.linalg.norm(direction)), 1e-12)))
        axes.append(_axes(path, numbers_of(path, bone, "axis", 3, what), bone, 3, degrees, what))
        channels.append(_channels(path, bone, "dof", what))
    skeleton = Skeleton(names, parents, np.array(offsets) * scale)
    return ASF(skeleton, np.stack(axes), tuple(channels), scale, degrees)


def lines_of(text: str) -> Iterator[tuple[int, list[str]]]:
    """Number and words of every line that has any, in small letters.

    Args:
        text (`str`): of an ASF or AMC file.

    Yields:
        `tuple[int, list[str]]`: number of the line, counted from 1, and its words.
    """
    number = start = 0
    while start < len(text):  # by blocks, since a list of all lines takes several times the memory of the text
        end = text.find("\n", start + _BLOCK)
        end = len(text) if end < 0 else end
        block = _COMMENT.sub("", text[start:end]).lower().translate(_SPACES)
        start = end + 1
        for line in block.split("\n"):
            number += 1
            words = line.split(maxsplit=_MAX_WORDS)
            if words:
                yield number, words


def numbers_of(
    path: str | Path, fields: Fields, key: str, count: int, what: str, default: list[float] | None = None
) -> list[float]:
    """The first numbers after a keyword.

    Args:
        path (`str` or `Path`): the file, for messages.
        fields (`Fields`): lines of one section or bone by keyword.
        key (`str`): the keyword.
        count (`int`): how many numbers are wanted.
        what (`str`): name of the section or bone in messages.
        default (`list[float]`, *optional*): the result where the keyword is absent.

    Returns:
        `list[float]`: `count` finite numbers.

    Raises:
        MotionFormatError: if the keyword is absent and there is no default, or other words follow it.
    """
    if key not in fields:
        if default is not None:
            return default
        has = ", ".join(list(fields)[:20])
        raise MotionFormatError(path, f"expected a line {key!r} in {what}; it has {has}.", fields["name"][0])
    line, words = fields[key]
    try:
        numbers = [float(word) for word in words[:count]]
    except ValueError:
        numbers = []
    if len(numbers) < count or not math.isfinite(sum(numbers)):
        got = " ".join(words)[:80]
        raise MotionFormatError(path, f"expected {count} numbers after {key!r} in {what}, got {got!r}.", line)
    return numbers


def _axes(path: str | Path, turn: list[float], fields: Fields, skip: int, degrees: bool, what: str) -> np.ndarray:
    """Matrix of three turns about fixed axes; their order stands after `axis`, behind `skip` numbers."""
    line, words = fields.get("axis", (0, []))
    order = (words[skip:] or ["xyz"])[0].upper()
    if sorted(order) != ["X", "Y", "Z"]:
        raise MotionFormatError(path, f"expected an order of axes such as XYZ in {what}, got {order[:40]!r}.", line)
    angles = np.radians(turn) if degrees else np.array(turn)
    return euler_to_matrix(angles[["XYZ".index(letter) for letter in reversed(order)]], order[::-1])


def _channels(path: str | Path, fields: Fields, key: str, what: str) -> tuple[str, ...]:
    line, words = fields.get(key, (0, []))
    unknown = [word for word in words if word not in _CHANNELS]
    if unknown or len(set(words)) < len(words):
        problem = f"got {unknown[0][:40]!r}" if unknown else "one occurs twice"
        known = " ".join(_CHANNELS)
        raise MotionFormatError(path, f"expected degrees of freedom among {known} in {what}; {problem}.", line)
    return tuple(words)


def _parse(path: str | Path, text: str) -> tuple[Fields, Fields, dict[str, Fields], _Links]:
    """Units, root, bones by name, and the hierarchy."""
    if len(text) > _MAX_CHARACTERS:
        raise MotionFormatError(path, f"expected a skeleton, of at most {_MAX_CHARACTERS} bytes, got {len(text)}.")
    sections: dict[str, Fields] = {":units": {}, ":root": {}}
    bones: dict[str, Fields] = {}
    links: _Links = []
    section, began = "", 0
    block: Fields | None = None
    for line, words in lines_of(text):
        first = words[0]
        if block is not None and (first == "begin" or first[0] == ":"):
            raise MotionFormatError(path, f"the bone that begins here has no 'end' before line {line}.", began)
        if first[0] == ":":
            section = first
        elif section == ":bonedata":
            if first == "begin":
                block, began = {}, line
            elif first == "end" and block is not None:
                _add_bone(path, bones, block, began)
                block = None
            elif block is not None:
                block.setdefault(first, (line, words[1:]))
        elif section == ":hierarchy":
            links += [(line, first, child) for child in words[1:]]
        elif section in sections:
            sections[section][first] = (line, words[1:])
    if block is not None:
        raise MotionFormatError(path, "the bone that begins here has no 'end': the file is cut off.", began)
    found = {":root": sections[":root"], ":bonedata": bones, ":hierarchy": links}
    missing = [name for name, content in found.items() if not content]
    if missing:
        what = f"it has no {', '.join(missing)}" if text.strip() else "it is empty"
        raise MotionFormatError(path, f"expected an ASF skeleton with {', '.join(found)}, but {what}.")
    return sections[":units"], sections[":root"], bones, links


def _add_bone(path: str | Path, bones: dict[str, Fields], block: Fields, line: int) -> None:
    names = block.get("name", (line, []))[1]
    if not names:
        raise MotionFormatError(path, "expected a line 'name' in the bone that begins here.", line)
    if names[0] in bones or names[0] == "root":
        raise MotionFormatError(path, f"bone {names[0][:40]!r} is defined twice.", line)
    if len(bones) == _MAX_BONES:
        raise MotionFormatError(path, f"expected at most {_MAX_BONES} bones.", line)
    bones[names[0]] = block


def _tree(path: str | Path, bones: list[str], links: _Links) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Names from the root outwards, and the index of each one's parent."""
    parent_of: dict[str, str] = {}
    children: dict[str, list[str]] = {name: [] for name in ("root", *bones)}
    for line, parent, child in links:
        for name in (parent, child):
            if name not in children:
                raise MotionFormatError(path, f"bone {name[:40]!r} of :hierarchy is not in :bonedata.", line)
        if child == "root":
            raise MotionFormatError(path, f"expected the root at the top, but it is a child of {parent!r}.", line)
        if child in parent_of:
            both = f"{parent_of[child]!r} and {parent!r}"
            raise MotionFormatError(path, f"bone {child!r} has two parents, {both}; expected one.", line)
        parent_of[child] = parent
        children[parent].append(child)
    names = ["root"]
    for name in names:  # it grows while it is walked
        names += children[name]
    index = {name: i for i, name in enumerate(names)}
    lost = [name for name in bones if name not in index]
    if lost:
        why = "they form a cycle" if all(name in parent_of for name in lost) else "they have no parent"
        some = ", ".join(lost[:10])
        raise MotionFormatError(path, f"bones that :hierarchy does not connect with the root: {some} ({why}).")
    return tuple(names), (-1, *(index[parent_of[name]] for name in names[1:]))
