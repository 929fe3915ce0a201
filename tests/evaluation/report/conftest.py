"""Names that break out of careless pages, and a reader that notices."""

from html.parser import HTMLParser

import pytest

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Elements(HTMLParser):
    """Reads markup, and fails where elements are not nested properly; `found` lists their names and attributes."""

    def __init__(self, markup):
        super().__init__(convert_charrefs=True)
        self.found, self.texts, self.open = [], [], []
        self.feed(markup)
        self.close()
        assert self.open == []

    def handle_starttag(self, name, attributes):
        assert len(dict(attributes)) == len(attributes), f"an attribute of {name} stands twice"
        self.found.append((name, dict(attributes)))
        if name not in VOID:
            self.open.append(name)

    def handle_startendtag(self, name, attributes):
        self.found.append((name, dict(attributes)))

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, text):
        self.texts.append((self.open[-1] if self.open else "", text))

    def named(self, name):
        return [attributes for found, attributes in self.found if found == name]

    def text(self, *inside):
        return " ".join(text for name, text in self.texts if not inside or name in inside)


@pytest.fixture
def read():
    return Elements


@pytest.fixture
def evil():
    """One name with everything in it that means something to HTML, SVG, scripts, Markdown and LaTeX."""
    markup = "</script><script>alert(1)</script><img src=x onerror=alert(2)> <!-- ]]>"
    return markup + " \"q\" 'a' `b` & | \\ {x} $1_2 \u202eback \x00 שלמה"
