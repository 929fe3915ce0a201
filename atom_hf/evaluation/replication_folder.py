"""Replications of an evaluation as JSON files in a folder, so that a run can go on, or be shared among processes.

<folder>/my-model-1f3a09c2/0003.json  →  {"identity": {"seed": 0, …}, "replication": 3, "values": {"R@1": 0.41, …}, …}
"""

import hashlib
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..motion.formats.files import replacing

_EXTENDABLE = "replications"  # more of them may be added to a folder later


class Replication(NamedTuple):
    """One replication of one row.

    Args:
        values (`dict[str, float]`): metric to value, unitless.
        excluded (`tuple[str, ...]`): clips that were left out because their embeddings are not finite.
        statistics (`str`): SHA-256 of the mean and covariance that FID was measured from.
    """

    values: dict[str, float]
    excluded: tuple[str, ...] = ()
    statistics: str = ""


class ReplicationFolder:
    """Where replications are kept.

    Args:
        folder (`str` or `Path`): made when the first replication is written.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def read(self, identity: dict[str, Any], replication: int) -> Replication | None:
        """A stored replication.

        Args:
            identity (`dict[str, Any]`): what the row is made from; `identity["row"]` is its name.
            replication (`int`): its number, from 0.

        Returns:
            [`Replication`], *optional*: or `None` if there is no such file.

        Raises:
            ValueError: if the file cannot be read, or was made from something else; the message says what differs.
        """
        path = self._path(identity["row"], replication)
        if not path.is_file():
            return None
        stored, found = _load(path)
        differing = _differences(stored, identity)
        if differing:
            raise ValueError(
                f"{path} was made from something else: {differing}. Use another folder, or remove this one to compute "
                "everything anew."
            )
        return found

    def write(self, identity: dict[str, Any], replication: int, result: Replication) -> None:
        """Store a replication, whole or not at all.

        Args:
            identity (`dict[str, Any]`): what the row is made from; `identity["row"]` is its name.
            replication (`int`): its number, from 0.
            result ([`Replication`]): what was found.
        """
        content = {"identity": identity, "replication": replication, **result._asdict()}
        with replacing(self._path(identity["row"], replication)) as temporary:
            temporary.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")

    def rows(self) -> Iterator[tuple[dict[str, Any], dict[int, Replication]]]:
        """Everything that is stored.

        Yields:
            `tuple[dict[str, Any], dict[int, Replication]]`: the identity of a row, and its replications by number.

        Raises:
            ValueError: if a file cannot be read, or the files of a row were made from different things.
        """
        for row in sorted({path.parent for path in self.folder.glob("*/*.json")}):
            identity: dict[str, Any] | None = None
            found: dict[int, Replication] = {}
            for path in sorted(row.glob("[0-9]*.json")):
                stored, result = _load(path)
                differing = identity and _differences(identity, stored)
                if differing:
                    raise ValueError(f"{path} was made from something else than its neighbours: {differing}.")
                identity = identity or stored
                found[int(path.stem)] = result
            if identity is not None:
                yield identity, found

    def _path(self, row: str, replication: int) -> Path:
        # Names may hold anything; the hash keeps those apart that look alike without their special characters.
        plain = re.sub(r"[^A-Za-z0-9]+", "-", row)[:40].strip("-").lower()
        return self.folder / f"{plain}-{hashlib.sha256(row.encode()).hexdigest()[:8]}" / f"{replication:04d}.json"


def _load(path: Path) -> tuple[dict[str, Any], Replication]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        values = {str(name): float(value) for name, value in content["values"].items()}
        if not all(map(math.isfinite, values.values())) or int(path.stem) != content["replication"]:
            raise ValueError("its number or a value of it is wrong")
        result = Replication(values, tuple(content["excluded"]), content["statistics"])
        return dict(content["identity"]), result
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"{path} holds no replication ({error}); remove it, and it is computed anew.") from error


def _differences(stored: dict[str, Any], expected: dict[str, Any]) -> str:
    """What two identities differ in, for a message; empty if they agree."""

    def flat(identity: dict[str, Any]) -> dict[str, Any]:
        inner = identity.get("protocol") or {}
        outer = {name: value for name, value in identity.items() if name != "protocol"}
        return outer | {name: value for name, value in inner.items() if name != _EXTENDABLE}

    one, other = flat(stored), flat(expected)
    return ", ".join(
        f"{name} {one.get(name)!r} there, {other.get(name)!r} here"
        for name in {**one, **other}
        if one.get(name) != other.get(name)
    )
