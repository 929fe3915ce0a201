"""A red box with a skin of one bone that rises by half a metre within half a second, as a GLB file."""

import json
import struct

import numpy as np


def tiny_glb() -> bytes:
    """The file."""
    corners = np.array([[x, y, z] for x in (-0.2, 0.2) for y in (0.2, 1.2) for z in (-0.2, 0.2)], dtype="<f4")
    sides = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = np.array([index for a, b, c, d in sides for index in (a, b, c, a, c, d)], dtype="<u2")
    arrays = [
        (corners, 5126, "VEC3"),
        (faces, 5123, "SCALAR"),
        (np.zeros((8, 4), dtype="u1"), 5121, "VEC4"),
        (np.tile(np.array([1, 0, 0, 0], dtype="<f4"), (8, 1)), 5126, "VEC4"),
        (np.eye(4, dtype="<f4").reshape(1, 16), 5126, "MAT4"),
        (np.array([0.0, 0.5], dtype="<f4"), 5126, "SCALAR"),
        (np.array([[0, 0, 0], [0, 0.5, 0]], dtype="<f4"), 5126, "VEC3"),
    ]
    data, views, accessors = b"", [], []
    for array, kind, shape in arrays:
        part = array.tobytes()
        views.append({"buffer": 0, "byteOffset": len(data), "byteLength": len(part)})
        accessor = {"bufferView": len(views) - 1, "componentType": kind, "count": len(array), "type": shape}
        if shape == "VEC3" or shape == "SCALAR":
            flat = array.reshape(len(array), -1)
            accessor |= {"min": flat.min(0).tolist(), "max": flat.max(0).tolist()}
        accessors.append(accessor)
        data += part + b"\0" * (-len(part) % 4)
    tree = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0, 1]}],
        "nodes": [{"mesh": 0, "skin": 0}, {"name": "bone"}],
        "skins": [{"joints": [1], "inverseBindMatrices": 4}],
        "meshes": [
            {
                "primitives": [
                    {"attributes": {"POSITION": 0, "JOINTS_0": 2, "WEIGHTS_0": 3}, "indices": 1, "material": 0}
                ]
            }
        ],
        "materials": [{"doubleSided": True, "pbrMetallicRoughness": {"baseColorFactor": [1, 0.02, 0.02, 1]}}],
        "animations": [
            {
                "samplers": [{"input": 5, "output": 6}],
                "channels": [{"sampler": 0, "target": {"node": 1, "path": "translation"}}],
            }
        ],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(data)}],
    }
    text = json.dumps(tree).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
