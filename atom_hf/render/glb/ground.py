"""The floor of a GLB file: one square with a chequered picture that repeats, however far the person walks."""

import io

import numpy as np
from PIL import Image

from .container import TRIANGLES, VERTICES, Container

SOLE = 0.03  # metres from the lowest joint to the floor, as in the pictures
_AROUND = 1.5  # metres of floor beyond what the person reaches
_TILE = 1.0  # metres that the picture covers: two by two cells
_PIXELS = 64
_LIGHT, _DARK = 222, 200  # grey levels


def add_ground(file: Container, joints: np.ndarray) -> None:
    """Put a floor under a motion; the document has its scene, nodes, meshes and materials already.

    Args:
        file ([`Container`]): the file that is being put together.
        joints (`np.ndarray`): `[T, J, 3]` in metres.
    """
    low, high = (edge(joints[..., [0, 2]].reshape(-1, 2), axis=0) for edge in (np.min, np.max))
    low, high = np.floor((low - _AROUND) / _TILE) * _TILE, np.ceil((high + _AROUND) / _TILE) * _TILE
    height = float(joints[..., 1].min()) - SOLE
    corners = np.array([[low[0], low[1]], [low[0], high[1]], [high[0], high[1]], [high[0], low[1]]])
    points = np.stack([corners[:, 0], np.full(4, height), corners[:, 1]], axis=-1).astype(np.float32)
    document = file.document
    primitive = {
        "attributes": {
            "POSITION": file.array(points, target=VERTICES, bounds=True),
            "NORMAL": file.array(np.tile(np.array([0, 1, 0], dtype=np.float32), (4, 1)), target=VERTICES),
            # From the corner of the floor, so that the numbers stay small where the picture begins.
            "TEXCOORD_0": file.array(((corners - low) / _TILE).astype(np.float32), target=VERTICES),
        },
        "indices": file.array(np.array([0, 1, 2, 0, 2, 3], dtype=np.uint16), target=TRIANGLES),
        "material": len(document["materials"]),
    }
    document["images"] = [{"name": "floor", "mimeType": "image/png", "bufferView": file.data(_picture())}]
    document["samplers"] = [{"magFilter": 9729, "minFilter": 9987, "wrapS": 10497, "wrapT": 10497}]  # smooth, repeat
    document["textures"] = [{"source": 0, "sampler": 0}]
    look = {"baseColorTexture": {"index": 0}, "metallicFactor": 0.0, "roughnessFactor": 0.9}
    document["materials"].append({"name": "floor", "pbrMetallicRoughness": look})
    document["meshes"].append({"name": "floor", "primitives": [primitive]})
    document["scenes"][0]["nodes"].append(len(document["nodes"]))
    document["nodes"].append({"name": "floor", "mesh": len(document["meshes"]) - 1})


def _picture() -> bytes:
    half = np.arange(_PIXELS) >= _PIXELS // 2
    grey = np.where(half[:, None] == half, _LIGHT, _DARK).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(grey).convert("RGB").save(stream, "PNG", optimize=True)
    return stream.getvalue()
