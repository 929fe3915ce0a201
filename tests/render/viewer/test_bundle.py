"""The committed bundle is made of the committed sources, can stand in a page, and loads nothing."""

import hashlib
import json
import re
from pathlib import Path

import atom_hf.render.viewer
from atom_hf.render.viewer import viewer_script, viewer_style
from atom_hf.render.viewer.body_table import body_json, body_table

VIEWER = Path(atom_hf.render.viewer.__file__).parent
SOURCES = VIEWER / "js"


def test_the_bundle_is_made_of_these_sources():
    names = [
        "build.mjs",
        "package-lock.json",
        "package.json",
        *(f"src/{file.name}" for file in (SOURCES / "src").iterdir()),
    ]
    digest = hashlib.sha256()
    for name in sorted(names):
        digest.update(f"{name}\n".encode() + (SOURCES / name).read_bytes())
    first = viewer_script().split("\n", 1)[0]
    assert first == f"/* atom_hf viewer, sources {digest.hexdigest()} */", "run: npm ci && npm run build, in viewer/js"


def test_the_body_is_that_of_the_python_renderer():
    written = (SOURCES / "src" / "body.json").read_text(encoding="utf-8")
    assert written == body_json(), "run: python -m atom_hf.render.viewer.body_table > …/js/src/body.json, and build"
    for bone in body_table()["bones"]:
        for ball in bone["balls"]:
            assert abs(sum(weight for _, weight in ball["at"]) - 1) < 1e-6


def test_the_bundle_can_stand_in_a_page():
    script = viewer_script()
    assert script.isascii()
    assert not re.search(r"</script|<!--|<script", script, re.IGNORECASE)
    assert "</style" not in viewer_style().lower()


def test_the_bundle_names_no_host_but_namespaces():
    hosts = set(re.findall(r"(?:https?|wss?):[\\/]+([\w.-]+)", viewer_script()))
    assert hosts <= {"www.w3.org"}


def test_the_bundle_never_sets_markup():
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", viewer_script()
    )


def test_the_licence_of_three_comes_along():
    text = (VIEWER / "static" / "LICENSE.three.txt").read_text(encoding="utf-8")
    assert text.startswith("The MIT License") and "three.js authors" in text
    assert "Three.js Authors" in viewer_script()


def test_versions_are_exact_and_the_lock_file_names_no_registry():
    package = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))
    wanted = package["dependencies"] | package["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    lock = (SOURCES / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock and "registry" not in lock
