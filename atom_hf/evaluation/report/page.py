"""A report in one HTML file that asks no other host for anything, and can be opened from disk.

report = Report("Preference alignment", "base against aligned")
report.add_heading("Scores")
report.add_chart(radar_chart(...), bar_chart(...))     # side by side
report.add_clips([ClipGroup("a person jumps twice", [Clip("base", before), Clip("aligned", after)])])
report.write("report.html")
"""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from ...motion import Motion
from ...motion.formats.files import replacing
from .charts import Chart
from .clips import Clip, ClipGroup, Reel, viewers
from .markup import html_text, tag
from .tables import Table

DEFAULT_BUDGET = 15_000_000
_AROUND = 1000  # bytes of notes and of the policy for the viewer


class Report:
    """A page that is put together from top to bottom.

    All text is shown as it is: nothing in a caption or a name becomes markup.

    Args:
        title (`str`): heading of the page.
        subtitle (`str`, *optional*, defaults to ""): a line below it.
        budget (`int`, *optional*, defaults to 15,000,000): most bytes of the file. Videos for browsers that cannot
            draw are left out to stay below it, then motions; text, tables and charts are always whole.
    """

    def __init__(self, title: str, subtitle: str = "", *, budget: int = DEFAULT_BUDGET) -> None:
        if budget < 1:
            raise ValueError(f"Expected a budget of at least 1 byte, got {budget}.")
        self.title = title
        self.subtitle = subtitle
        self.budget = budget
        self._blocks: list[str | list[ClipGroup]] = []
        self._headings: list[str] = []

    def add_heading(self, text: str, level: int = 2) -> None:
        """Begin a part of the report; those of level 2 stand in its contents.

        Args:
            text (`str`): the heading.
            level (`int`, *optional*, defaults to 2): 2 or 3.

        Raises:
            ValueError: if the level is another one.
        """
        if level not in (2, 3):
            raise ValueError(f"Expected a heading of level 2 or 3, got {level}.")
        anchor = None
        if level == 2:
            self._headings.append(text)
            anchor = f"part-{len(self._headings)}"
        self._blocks.append(tag(f"h{level}", text, id=anchor, dir="auto"))

    def add_text(self, text: str, *, note: bool = False) -> None:
        """Add paragraphs.

        Args:
            text (`str`): plain text; an empty line begins a new paragraph.
            note (`bool`, *optional*, defaults to `False`): set it apart, as what nobody may overlook, such as that
                numbers were made with a small evaluator.
        """
        paragraphs = [part for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]
        inside = "\n".join(tag("p", part.strip(), dir="auto") for part in paragraphs)
        self._blocks.append(f'<div class="notice" role="note">\n{inside}\n</div>' if note else inside)

    def add_table(self, table: Table) -> None:
        """Add a table.

        Args:
            table ([`Table`]): the table.
        """
        self._blocks.append(table.html())

    def add_chart(self, *charts: Chart) -> None:
        """Add charts, side by side where there is room.

        Args:
            charts ([`Chart`]): from `radar_chart` and the others.
        """
        figures = "\n".join(_figure(chart) for chart in charts)
        self._blocks.append(f'<div class="charts">\n{figures}\n</div>')

    def add_clips(self, groups: Sequence[ClipGroup]) -> None:
        """Add motions side by side; they are drawn when the report is written.

        Args:
            groups (`Sequence[ClipGroup]`): from top to bottom.

        Raises:
            TypeError: if a clip holds no [`Motion`].
        """
        for group in groups:
            for clip in group.clips:
                if not isinstance(clip.motion, Motion):
                    raise TypeError(
                        f"Expected a Motion in clip {clip.label!r} of {group.caption!r}, got "
                        f"{type(clip.motion).__name__}; Motion(joints, fps) makes one of joints [T, 22, 3]."
                    )
        self._blocks.append(list(groups))

    def html(self) -> str:
        """The page.

        Returns:
            `str`: HTML; the same for the same content.
        """
        groups = [group for block in self._blocks if not isinstance(block, str) for group in block]
        bare = self._page(Reel(["" for _ in groups], "", "", []))
        return self._page(viewers(groups, max(self.budget - len(bare.encode()) - _AROUND, 0)))

    def _page(self, reel: Reel) -> str:
        drawn = iter(reel.blocks)
        body, notes = [], reel.notes
        for block in self._blocks:
            if isinstance(block, str):
                body.append(block)
                continue
            body += [tag("p", note, class_="note") for note in notes if block]
            notes = [] if block else notes  # they stand before the first motions
            body += [_group(group, next(drawn)) for group in block]
        return _document(self.title, self.subtitle, self._contents(), "\n".join(body), reel)

    def write(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the page, whole or not at all.

        Args:
            path (`str` or `Path`): an `.html` file; missing folders are made.
            overwrite (`bool`, *optional*, defaults to `False`): replace an old file.

        Returns:
            `Path`: the file.

        Raises:
            FileExistsError: if the file is there and `overwrite` is not set.
            ValueError: if the path does not end in `.html`.
        """
        path = Path(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"{path}: expected a file ending in .html, got {path.suffix or 'no suffix'!r}.")
        if path.exists() and not overwrite:
            raise FileExistsError(f"{path} exists already; choose another name, or pass overwrite=True to replace it.")
        page = self.html()
        with replacing(path) as temporary:
            temporary.write_text(page, encoding="utf-8", newline="\n")
        return path

    def _contents(self) -> str:
        if len(self._headings) < 3:
            return ""
        items = "\n".join(
            f'<li><a href="#part-{i}" dir="auto">{html_text(text)}</a></li>'
            for i, text in enumerate(self._headings, 1)
        )
        return f'<nav aria-label="Contents"><ul>\n{items}\n</ul></nav>'


def _document(title: str, subtitle: str, contents: str, body: str, reel: Reel) -> str:
    styles = [style for style in (_asset("report.css"), reel.style) if style]
    policy = f"default-src 'none'; style-src {' '.join(map(_digest, styles))}; base-uri 'none'; form-action 'none'; "
    if reel.script:
        policy += (
            f"script-src {_digest(reel.script)}; img-src data: blob:; media-src data: blob:; connect-src data: blob:"
        )
    else:
        policy += "img-src data:"
    style = "\n".join(f"<style>{style}</style>" for style in styles)
    script = f'<script type="module">{reel.script}</script>' if reel.script else ""
    below = tag("p", subtitle, class_="subtitle", dir="auto") if subtitle else ""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>{html_text(title)}</title>
{style}
</head>
<body>
<header>
<h1 dir="auto">{html_text(title)}</h1>
{below}
{contents}
</header>
<main>
{body}
</main>
{script}
</body>
</html>
"""


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8").replace("\r\n", "\n")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


def _figure(chart: Chart) -> str:
    notes = "".join(tag("p", note, class_="note", dir="auto") for note in chart.notes)
    data = f"<details><summary>Numbers</summary>\n{chart.data.html()}\n</details>" if chart.data else ""
    caption = tag("figcaption", chart.title, dir="auto")
    return f'<figure class="chart">\n{caption}\n{chart.svg}\n{notes}\n{data}\n</figure>'


def _group(group: ClipGroup, viewer: str) -> str:
    caption = tag("figcaption", group.caption, dir="auto")
    said = "\n".join(_clip(clip) for clip in group.clips)
    return f'<figure class="group">\n{caption}\n{viewer}\n<div class="clips">\n{said}\n</div>\n</figure>'


def _clip(clip: Clip) -> str:
    lines = "".join(tag("li", line, dir="auto") for line in clip.lines)
    listed = f"<ul>{lines}</ul>" if lines else ""
    return f'<div class="clip">\n{tag("p", clip.label, class_="name", dir="auto")}\n{listed}\n</div>'
