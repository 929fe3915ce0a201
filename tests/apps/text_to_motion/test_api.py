"""The page's two endpoints, as programs use them."""

import json
import logging

import numpy as np
import pytest

pytest.importorskip("gradio_client")

import gradio_client as client

from atom_hf.motion import load_motion

PROMPT = "a person walks forward"


@pytest.fixture(scope="module")
def asked(page):
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return client.Client(page.url, verbose=False)


def test_endpoints_have_names_and_types(asked):
    named = asked.view_api(return_format="dict")["named_endpoints"]
    assert set(named) == {"/generate", "/export"}
    parameters = [parameter["parameter_name"] for parameter in named["/generate"]["parameters"]]
    assert parameters == ["prompt", "samples", "seed", "temperature", "seconds", "joints"]


def test_generate_then_export_the_same_motion(asked, tmp_path):
    found = asked.predict(PROMPT, samples=2, seed=5, seconds=4.0, api_name="/generate")
    assert [(take["system"], take["sample"]) for take in found["takes"]] == [
        ("base", 0), ("base", 1), ("aligned", 0), ("aligned", 1),
    ]  # fmt: skip
    assert found["seed"] == 5 and json.loads(found["scenario"])["events"][0]["action"] == "walk"
    take = found["takes"][3]
    joints = np.array(take["joints"])
    assert joints.shape == (take["frames"], 22, 3) and take["frames"] <= 80
    assert 1 <= take["score"] <= 5 and take["reason"] and found["joint_names"][0] == "pelvis"
    path = asked.predict(PROMPT, format="npy", sample=1, system="aligned", seed=5, seconds=4.0, api_name="/export")
    np.testing.assert_allclose(load_motion(path).joints, joints, atol=1e-3)
    path = asked.predict(PROMPT, api_name="/export")
    assert path.endswith("a-person-walks-forward_aligned-1.bvh") and len(load_motion(path)) > 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"prompt": " "}, "Please say what the person does"),
        ({"prompt": "walks " * 2000}, "at most 300 letters, got 11,999"),
        ({"prompt": PROMPT, "samples": 1000}, "Expected 1 to 4 motions, got 1000"),
        ({"prompt": PROMPT, "samples": "many"}, "Expected 1 to 4 motions, got 'many'"),
        ({"prompt": PROMPT, "seed": -1}, "whole number from 0 to 4294967295 as seed, got -1"),
    ],
)
def test_generate_refuses(asked, arguments, message):
    with pytest.raises(client.exceptions.AppError, match=message):
        asked.predict(**arguments, api_name="/generate")


def test_export_refuses(asked):
    with pytest.raises(client.exceptions.AppError, match=r"one of bvh, glb, .*, got 'exe'"):
        asked.predict(PROMPT, format="exe", api_name="/export")
    with pytest.raises(client.exceptions.AppError, match="Expected the system base or aligned, got 'best'"):
        asked.predict(PROMPT, system="best", api_name="/export")
    with pytest.raises(client.exceptions.AppError, match="Expected a sample from 0 to 3, got 4"):
        asked.predict(PROMPT, sample=4, api_name="/export")
