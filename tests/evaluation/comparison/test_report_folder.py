"""The folder that a comparison leaves."""

import json

import pytest

from atom_hf.evaluation.comparison import compare, write_comparison
from atom_hf.evaluation.comparison.page import comparison_page
from atom_hf.evaluation.report import clips
from tests.evaluation.comparison.parts import AverageEmbedder, LengthJudge, system

EVIL = "</script><script>alert(1)</script> & | $x_1$ {b}"


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    """Drawing has its own tests."""
    nothing = lambda groups, budget: clips.Reel(["" for _ in groups], "", "", [])  # noqa: E731
    monkeypatch.setattr("atom_hf.evaluation.report.page.viewers", nothing)


@pytest.fixture(scope="module")
def found():
    prompts = [EVIL, *(f"prompt {i}" for i in range(32))]
    sets = [system(name, [2.0 + i * step for i in range(33)], prompts) for name, step in ((EVIL, 0.1), ("b", 0.05))]
    return compare(
        sets, real=system("real", [3.0] * 33, prompts), judge=LengthJudge(), embedder=AverageEmbedder(),
        replications=2, progress=False,
    )  # fmt: skip


def test_four_files_that_say_what_they_were_made_with(found, tmp_path):
    files = write_comparison(found, tmp_path / "new" / "report")
    assert [path.name for path in files] == ["metrics.json", "report.md", "tables.tex", "report.html"]
    assert sorted(path.name for path in (tmp_path / "new" / "report").iterdir()) == sorted(p.name for p in files)
    for path in files:
        text = path.read_text(encoding="utf-8")
        for part in ("average", "f" * 12, found.made_with["prompts"]["sha256"][:12]):
            assert part in text, (path.name, part)
        assert "length" in text and "ublished" in text
    assert json.loads(files[0].read_text(encoding="utf-8"))["systems"][1]["name"] == EVIL


def test_nothing_in_a_name_or_caption_becomes_markup(found, tmp_path):
    _, markdown, latex, html = (path.read_text() for path in write_comparison(found, tmp_path / "r"))
    assert "<script>alert" not in html and "&lt;script&gt;alert(1)" in html
    assert "<script>" not in markdown and r"\|" in markdown
    assert r"\textless" in latex.split("\n\n", 1)[1] and "$x_1$" not in latex.split("\n\n", 1)[1]
    assert all(line.startswith("%") for line in latex.split("\n\n", 1)[0].splitlines())


def test_the_page_shows_gains_and_losses_of_every_system(found):
    html = comparison_page(found).html()
    for heading in ("largest gains", "median differences", "largest losses", "Wins and losses", "Feet and floor"):
        assert heading in html
    assert html.count("<svg") == 4


def test_one_system_without_judge_or_evaluator():
    found = compare([system("alone", [2.0, 3.0], ["a", "b"])], progress=False)
    html = comparison_page(found).html()
    assert "Without scores of a judge, the first cases are shown." in html and "R@3" not in html


def test_one_system_shows_its_best_and_worst():
    found = compare([system("alone", [2.0, 3.0, 4.0])], judge=LengthJudge(), progress=False)
    html = comparison_page(found).html()
    assert html.index("alone: best") < html.index("prompt 2") < html.index("alone: worst")


def test_a_folder_that_is_not_empty_is_left_alone(found, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(FileExistsError, match="is not empty; choose another folder, or pass --overwrite"):
        write_comparison(found, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    write_comparison(found, tmp_path, overwrite=True)
    assert (tmp_path / "mine.txt").read_text() == "keep" and (tmp_path / "report.html").is_file()
    with pytest.raises(FileExistsError, match="is a file; the report is a folder"):
        write_comparison(found, tmp_path / "mine.txt", overwrite=True)


def test_outputs_in_no_mean_are_listed(tmp_path):
    import dataclasses

    from atom_hf.evaluation.comparison import LeftOut

    base = dataclasses.replace(
        system("a", [2.0]), left_out=[LeftOut("x<y", "cannot be read", "x.npy: NaN in frame 3")]
    )
    files = write_comparison(compare([base], progress=False), tmp_path / "r")
    text = files[1].read_text()
    assert "**Outputs that are in no mean**" in text and "NaN in frame 3" in text and "x<y" not in text
