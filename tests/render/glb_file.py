"""Reads a GLB file as its specification says, without a library: what tests know about a file comes from here."""

import json
import struct
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from atom_hf.motion.rotation import quaternion_to_matrix

_TYPES = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
_SHAPES: dict[str, tuple[int, ...]] = {"SCALAR": (), "VEC2": (2,), "VEC3": (3,), "VEC4": (4,), "MAT4": (4, 4)}


class GLB(NamedTuple):
    """A file: its JSON object and its binary chunk."""

    document: dict[str, Any]
    chunk: bytes

    @classmethod
    def read(cls, path: Path) -> "GLB":
        data = path.read_bytes()
        magic, version, size = struct.unpack_from("<4sII", data)
        assert (magic, version, size) == (b"glTF", 2, len(data))
        length, kind = struct.unpack_from("<I4s", data, 12)
        assert kind == b"JSON" and length % 4 == 0
        document = json.loads(data[20 : 20 + length])
        rest, kind = struct.unpack_from("<I4s", data, 20 + length)
        assert kind == b"BIN\0" and 28 + length + rest == len(data)
        assert document["buffers"] == [{"byteLength": rest}]
        return cls(document, data[28 + length :])

    def array(self, number: int) -> np.ndarray:
        accessor = self.document["accessors"][number]
        view = self.document["bufferViews"][accessor["bufferView"]]
        shape = (accessor["count"], *_SHAPES[accessor["type"]])
        kind = np.dtype(_TYPES[accessor["componentType"]])
        assert view["byteOffset"] % 4 == 0 and view["byteLength"] == int(np.prod(shape)) * kind.itemsize
        values = np.frombuffer(self.chunk, kind, int(np.prod(shape)), view["byteOffset"]).reshape(shape)
        values = values.swapaxes(-1, -2) if accessor["type"] == "MAT4" else values
        if accessor.get("normalized"):
            values = values / np.float32(np.iinfo(kind).max)
        return values

    def animation(self) -> tuple[np.ndarray, dict[tuple[int, str], np.ndarray]]:
        (animation,) = self.document["animations"]
        samplers = animation["samplers"]
        assert len({s["input"] for s in samplers}) == 1 and {s["interpolation"] for s in samplers} == {"LINEAR"}
        tracks = {
            (c["target"]["node"], c["target"]["path"]): self.array(samplers[c["sampler"]]["output"])
            for c in animation["channels"]
        }
        return self.array(samplers[0]["input"]), tracks

    def pose(self, frame: int | None) -> np.ndarray:
        """World matrices [N, 4, 4] of all nodes at a key frame, or as they stand without animation."""
        nodes, tracks = self.document["nodes"], self.animation()[1]
        local, parent = np.tile(np.eye(4), (len(nodes), 1, 1)), [-1] * len(nodes)
        for i, node in enumerate(nodes):
            turn, place = node.get("rotation", [0, 0, 0, 1]), node.get("translation", [0, 0, 0])
            if frame is not None:
                turn = tracks[i, "rotation"][frame] if (i, "rotation") in tracks else turn
                place = tracks[i, "translation"][frame] if (i, "translation") in tracks else place
            local[i, :3, :3] = quaternion_to_matrix(np.roll(np.asarray(turn, dtype=np.float64), 1))
            local[i, :3, 3] = place
            for child in node.get("children", []):
                parent[child] = i
        world: dict[int, np.ndarray] = {}

        def of(i: int) -> np.ndarray:
            if i not in world:
                world[i] = local[i] if parent[i] < 0 else of(parent[i]) @ local[i]
            return world[i]

        return np.stack([of(i) for i in range(len(nodes))])

    def joints(self, frame: int | None) -> np.ndarray:
        return self.pose(frame)[self.document["skins"][0]["joints"], :3, 3]

    def skin(self, frame: int | None) -> dict[str, np.ndarray]:
        """Skinned vertices [V, 3] of every material of the body."""
        (skin,) = self.document["skins"]
        moves = self.pose(frame)[skin["joints"]] @ self.array(skin["inverseBindMatrices"])
        pieces = {}
        for primitive in self.document["meshes"][0]["primitives"]:
            at = primitive["attributes"]
            points = self.array(at["POSITION"]).astype(np.float64)
            points = np.concatenate([points, np.ones((len(points), 1))], axis=1)
            mixed = np.einsum("vk,vkab->vab", self.array(at["WEIGHTS_0"]), moves[self.array(at["JOINTS_0"])])
            name = self.document["materials"][primitive["material"]]["name"]
            pieces[name] = (mixed @ points[..., None])[:, :3, 0]
        return pieces
