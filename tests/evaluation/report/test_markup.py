import pytest

from atom_hf.evaluation.report.markup import html_text, latex_text, number, shorten, tag, text_width


def test_html_text(evil):
    text = html_text(evil)
    assert not set(text) & set("<>\"'`") and "&lt;/script&gt;" in text and "&amp;" in text
    assert "שלמה" in text and text.count("\ufffd") == 2  # the null and the mark that turns text around


@pytest.mark.parametrize("letter", ["\ud800", "\x1b", "\u202e", "\u2067", "\uffff", "\x9f"])
def test_characters_that_may_not_be_shown(letter):
    assert html_text(f"a{letter}b") == "a\ufffdb"
    assert latex_text(f"a{letter}b") == "a?b"
    html_text(letter).encode()


def test_marks_of_honest_right_to_left_text_stay():
    assert html_text("\u200fשלמה\u200e 👩\u200d🦰") == "\u200fשלמה\u200e 👩\u200d🦰"


def test_latex_text():
    assert latex_text(r"\input{x} 5% & $a_b$ ~^ #1") == (
        r"\textbackslash{}input\{x\} 5\% \& \$a\_b\$ \textasciitilde{}\textasciicircum{} \#1"
    )
    assert latex_text("0.5 ± 0.1 –\n↑") == r"0.5 $\pm$ 0.1 -- $\uparrow$"


def test_tag():
    assert tag("text", "a < b", x=3, text_anchor="end", class_="m", id=None) == (
        '<text x="3" text-anchor="end" class="m">a &lt; b</text>'
    )
    assert tag("rect", width=1.50) == '<rect width="1.5"/>'
    assert tag("p", "x", title='"><b>') == '<p title="&quot;&gt;&lt;b&gt;">x</p>'
    assert tag("p", "") == "<p></p>"


@pytest.mark.parametrize(
    ("value", "text"), [(-0.001, "0"), (100.0, "100"), (1.005, "1"), (-2.5, "-2.5"), (0.256, "0.26")]
)
def test_number(value, text):
    assert number(value) == text


def test_shorten():
    assert shorten("short", 100, 13) == "short"
    long = shorten("a name that goes on and on and on", 100, 13)
    assert long.endswith("…") and len(long) > 5 and text_width(long, 13) <= 100
    assert shorten("日本語" * 9, 60, 13).startswith("日") and text_width(shorten("日本語" * 9, 60, 13), 13) <= 60
    assert shorten("wide", 1, 13) == "…"
