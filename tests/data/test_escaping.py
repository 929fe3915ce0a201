"""Words stay words in Markdown and on a terminal."""

import pytest

from atom_hf.data.escaping import markdown_text, terminal_text


def test_markdown_text():
    assert markdown_text("a_b\n *c* <d> | `e` & 1") == r"a\_b \*c\* &lt;d&gt; \| \`e\` &amp; 1"
    assert markdown_text("# a $x$ ![b](c) {d}\\ ~e~") == r"\# a \$x\$ !\[b\](c) \{d\}\\ \~e\~"
    assert markdown_text("- kinematic-1 (CC-BY 4.0)") == r"\- kinematic-1 (CC-BY 4.0)"


@pytest.mark.parametrize("letter", ["\ud800", "\x1b", "\u202e", "\u2067", "\uffff", "\x9f"])
def test_characters_that_may_not_be_shown(letter):
    assert markdown_text(f"a{letter}b") == "a\ufffdb"
    assert terminal_text(f"a{letter}b").isprintable() and terminal_text(f"a{letter}b") != "ab"


def test_honest_text_stays():
    assert markdown_text("\u200fשלמה\u200e 👩\u200d🦰") == "\u200fשלמה\u200e 👩\u200d🦰"
    assert terminal_text("Ñandú 日本") == "Ñandú 日本" and terminal_text("\x1b[2J") == r"\x1b[2J"
