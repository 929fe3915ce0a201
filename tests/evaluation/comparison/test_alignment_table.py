"""Several alignments in a table: what stands in a row, several seeds, bases of their own, and what is refused."""

from typing import Any

import pytest

from atom_hf.evaluation.comparison import alignment_table
from atom_hf.evaluation.report.tables import Value

BASE = [i / 40 for i in range(20)]


def metrics(gain: float, *, base: list[float] = BASE, prompts: int = 20, **changes: Any) -> dict[str, Any]:
    """What metrics.json holds of an alignment that gains so much on each prompt, give or take a little."""
    aligned: list[Any] = [score + gain + 0.001 * (-1) ** i for i, score in enumerate(base)]
    before, after = sum(base) / len(base), sum(aligned) / len(aligned)
    events = {
        task: {"base": before, "aligned": after, "delta": after - before}
        for task in ("integrity", "temporal", "frequency", "overall")
    }
    return {
        "events": events,
        "evaluator": {name: {"base": 2.0, "aligned": 2.0 + gain} for name in ("R@3", "FID")},
        "variety": {"Diversity": 0.9, "MModality": 0.75},
        "valid": {"base": 1.0, "aligned": 0.985},
        "kl": {"per_token": gain / 2},
        "overall_by_prompt": {"prompts": [f"p{i}" for i in range(prompts)], "base": base, "aligned": aligned},
    } | changes


def cells(table: Any, row: str) -> dict[str, Any]:
    (found,) = [each for each in table.rows if each.name == row]
    return dict(zip([column.name for column in table.columns], found.cells, strict=True))


def test_one_seed():
    table = alignment_table("Loss", {"IPO": [metrics(0.1)], "hinge": [metrics(0.25)]})
    assert [row.name for row in table.rows] == ["base model", "IPO", "hinge"]
    assert [row.reference for row in table.rows] == [True, False, False]
    base, ipo, hinge = (cells(table, row) for row in ("base model", "IPO", "hinge"))
    assert base["overall"] == pytest.approx(0.2375) and base["R@3"] == base["FID"] == 2.0
    assert base["Diversity kept, %"] == base["valid, %"] == 100.0 and base["Δ to the base"] is base["p"] is None
    assert hinge["overall"] == pytest.approx(0.4875) and hinge["p"] == "< 0.001"
    delta = hinge["Δ to the base"]
    assert isinstance(delta, Value) and delta.value == pytest.approx(0.25)
    assert delta.ends[0] <= delta.value <= delta.ends[1]
    assert hinge["Δ temporal"] == pytest.approx(0.25) and hinge["FID"] == pytest.approx(2.25)
    assert hinge["MModality kept, %"] == pytest.approx(75) and hinge["valid, %"] == pytest.approx(98.5)
    assert hinge["KL a token"] == pytest.approx(0.125)
    assert ipo["Δ to the first alignment"] is ipo["p "] is None
    assert hinge["Δ to the first alignment"].value == pytest.approx(0.15) and hinge["p "] == "< 0.001"
    assert not any("seeds" in column.name for column in table.columns)


def test_several_seeds():
    """The score of a prompt is the mean over seeds, their spread a column of its own."""
    table = alignment_table("Loss", {"IPO": [metrics(0.1), metrics(0.3)], "hinge": [metrics(0.2)]})
    ipo, hinge = cells(table, "IPO"), cells(table, "hinge")
    assert ipo["Δ to the base"].value == pytest.approx(0.2) and ipo["over seeds, sd"] == pytest.approx(0.02**0.5)
    assert ipo["Δ integrity"] == pytest.approx(0.2) and ipo["KL a token"] == pytest.approx(0.1)
    assert hinge["over seeds, sd"] is None and cells(table, "base model")["over seeds, sd"] is None
    assert hinge["Δ to the first alignment"].value == pytest.approx(0, abs=1e-9)
    assert float(hinge["p "]) > 0.05


def test_a_base_for_each_arm():
    """As where the temperature of sampling differs: each is compared with its own."""
    hot = [score / 2 for score in BASE]
    table = alignment_table("Temperature", {"0.5": [metrics(0.1)], "1.2": [metrics(0.3, base=hot)]})
    assert [row.name for row in table.rows] == ["0.5", "1.2"]
    assert cells(table, "1.2")["Δ to the base"].value == pytest.approx(0.3)
    apart = cells(table, "1.2")["Δ to the first row"].value
    assert apart == pytest.approx(0.2 - sum(BASE) / 40)  # between what both became


def test_prompts_without_a_score_are_left_out_of_pairs():
    one, two = metrics(0.1), metrics(0.1)
    two["overall_by_prompt"]["aligned"][3:] = [None] * 17
    found = cells(alignment_table("t", {"a": [one], "b": [two]}), "b")
    assert found["overall"] == pytest.approx(sum(BASE[:3]) / 3 + 0.1, abs=0.001)
    lost = metrics(0.1)
    lost["overall_by_prompt"]["aligned"][0] = None
    mean = cells(alignment_table("t", {"a": [one, lost]}), "a")["overall"]
    assert mean == pytest.approx(sum(BASE[1:]) / 19 + 0.1, abs=0.001)  # known to one seed alone


def test_what_was_not_measured_is_blank():
    bare = metrics(0.1, evaluator={}, variety={}, kl=None)
    del bare["events"]["frequency"]
    null = metrics(0.1, kl={"per_token": None}, evaluator={"FID": {"base": None, "aligned": None}}, variety={})
    table = alignment_table("t", {"bare": [bare], "null": [null]})
    for row in ("bare", "null"):
        found = cells(table, row)
        for column in ("R@3", "FID", "Diversity kept, %", "MModality kept, %", "KL a token"):
            assert found[column] is None, (row, column)
    assert cells(table, "bare")["Δ frequency"] is None and cells(table, "base model")["FID"] is None


def test_markdown():
    text = alignment_table("Loss", {"IPO | it": [metrics(0.1)], "hinge": [metrics(0.25)]}).markdown()
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 5 and lines[0].startswith("| alignment | overall | Δ to the base | p | Δ integrity |")
    assert lines[3].startswith(r"| IPO \| it | 0.338 | 0.100 ± ")
    assert "Loss" in text and "Means over 20 held-out prompts with 95 % bootstrap intervals" in text
    assert "**" not in "".join(lines)  # nothing is marked as the best


def test_refused():
    with pytest.raises(ValueError, match="Expected at least one alignment, got none"):
        alignment_table("t", {})
    with pytest.raises(ValueError, match="b: expected the metrics of at least one training, got none"):
        alignment_table("t", {"a": [metrics(0.1)], "b": []})
    with pytest.raises(ValueError, match="evaluated on different prompts; no table can compare them"):
        alignment_table("t", {"a": [metrics(0.1)], "b": [metrics(0.1, base=BASE[:10], prompts=10)]})
    with pytest.raises(ValueError, match="b: no judge scored base and aligned model"):
        alignment_table("t", {"a": [metrics(0.1)], "b": [metrics(0.1, events={})]})
