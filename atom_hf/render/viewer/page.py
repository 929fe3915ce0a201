"""Viewers in HTML: a block for a page that has the script, a whole page, a frame for a notebook, a module for Gradio.

html = viewer_page([ViewerClip(motion)], title="A jump", prompt="a person jumps twice")     # opens from disk
block = viewer_block(viewer_spec([ViewerClip(motion)]))                                     # many on one page
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from .clips import ViewerClip
from .spec import viewer_spec

VIDEO_BUDGET = 600_000  # bytes; a page of its own can spare them
_STYLE_ID = "atom-viewer-style"


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath("static", name).read_text(encoding="utf-8").replace("\r\n", "\n")


def viewer_script() -> str:
    """The viewer as an ES module, to stand in `<script type="module">`, once a page, after or before its blocks.

    Returns:
        `str`: JavaScript without anything that would end a script element. It mounts every block it finds, and exports
            `mount(element, spec, options)`.
    """
    return _asset("viewer.js")


def viewer_style() -> str:
    """The viewer's style sheet, to stand in `<style>`, once a page.

    Returns:
        `str`: CSS.
    """
    return _asset("viewer.css")


def viewer_block(spec: dict[str, Any]) -> str:
    """The markup of one viewer, for a page that has `viewer_style()` and `viewer_script()` once.

    Without JavaScript it shows the prompt, the still and the events as text.

    Args:
        spec (`dict`): from `viewer_spec`.

    Returns:
        `str`: HTML; no text in the spec becomes markup.
    """
    fallback = dict(spec.get("fallback", {}))
    still = fallback.pop("still", None)
    data = {**spec, "fallback": fallback}
    prompt = spec.get("prompt", "")
    parts = [f'<p dir="auto">{escape(prompt)}</p>' if prompt else ""]
    if still:
        parts.append(f'<img data-still src="{escape(still)}" alt="{escape(f"Moments of a motion: {prompt}")}">')
    events = [(clip.get("label", ""), event) for clip in spec["clips"] for event in clip.get("events", [])]
    if events:
        lines = "".join(f'<li dir="auto">{escape(_line(label, event))}</li>' for label, event in events)
        parts.append(f"<ol>{lines}</ol>")
    inside = "\n".join(part for part in parts if part)
    return (
        f'<div data-atom-viewer>\n{inside}\n<script type="application/json">{script_json(data)}</script>\n'
        "<noscript><p>Turning, pausing and stepping through this motion need JavaScript.</p></noscript>\n</div>"
    )


def viewer_page(
    clips: Sequence[ViewerClip] | ViewerClip,
    *,
    title: str = "Motion",
    prompt: str = "",
    heading: bool = True,
    **options: Any,
) -> str:
    """A whole page with one viewer. It asks no host for anything and opens from disk.

    Args:
        clips (`Sequence[ViewerClip]`): one clip, or up to four side by side.
        title (`str`, *optional*, defaults to `"Motion"`): of the page.
        prompt (`str`, *optional*, defaults to `""`): written above the picture.
        heading (`bool`, *optional*, defaults to `True`): show the title above the viewer.
        options (*optional*): as for [`viewer_spec`]; `video_budget` is 600,000 bytes.

    Returns:
        `str`: HTML, about 0.75 MB and the clips.

    Raises:
        TypeError: if something is of another kind.
        ValueError: as for `viewer_spec`.
    """
    if options.get("fallback", True):
        options.setdefault("video_budget", VIDEO_BUDGET)
    block = viewer_block(viewer_spec(clips, prompt=prompt, **options))
    shown = f'<h1 dir="auto">{escape(title)}</h1>\n' if heading else ""
    return _document(title, f"{shown}{block}", framed=not heading)


def viewer_iframe(clips: Sequence[ViewerClip] | ViewerClip, *, height: int = 640, **options: Any) -> str:
    """A viewer for a notebook, in a frame that can reach nothing outside of itself.

    Args:
        clips (`Sequence[ViewerClip]`): one clip, or up to four side by side.
        height (`int`, *optional*, defaults to 640): of the frame, pixels.
        options (*optional*): as for [`viewer_page`].

    Returns:
        `str`: an `<iframe>` element that holds the page.

    Raises:
        TypeError: if something is of another kind.
        ValueError: if the height is not above zero; else as for `viewer_spec`.
    """
    if isinstance(height, bool) or not isinstance(height, int) or height < 1:
        raise ValueError(f"Expected a height in pixels, an integer of at least 1, got {height!r}.")
    page = viewer_page(clips, **{"heading": False, "video_budget": 0, **options})
    title = escape(str(options.get("prompt") or options.get("title") or "Motion viewer"))
    return (
        f'<iframe title="{title}" sandbox="allow-scripts" width="100%" height="{height}" style="border:0" '
        f'srcdoc="{escape(page)}"></iframe>'
    )


def viewer_module() -> str:
    """JavaScript for places that run code but load no files, such as `js_on_load` of `gr.HTML`.

    The expression is a promise of the module, made once a page however often it is asked for; the style sheet comes
    along: `(…).then(({ mount }) => mount(element.querySelector(".host"), props.value))`.

    Returns:
        `str`: an expression.
    """
    style = script_json(viewer_style())
    code = script_json(viewer_script())
    return (
        "(globalThis.atomViewer ??= (() => {"
        f'if (!document.getElementById("{_STYLE_ID}")) {{'
        'const style = document.createElement("style");'
        f'style.id = "{_STYLE_ID}"; style.textContent = {style}; document.head.append(style); }}'
        f'const url = URL.createObjectURL(new Blob([{code}], {{ type: "text/javascript" }}));'
        "return import(url).finally(() => URL.revokeObjectURL(url)); })())"
    )


def script_json(value: Any) -> str:
    """JSON that may stand in a script element, and is a JavaScript expression as well.

    Args:
        value: what `json.dumps` takes, without NaN.

    Returns:
        `str`: ASCII; `<`, `>` and `&` are escaped, so that no `</script>` or `<!--` in a caption ends the element.

    Raises:
        ValueError: if a number is not finite.
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))  # ASCII, so U+2028 is escaped as well
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _line(label: str, event: dict[str, Any]) -> str:
    said = " ".join(part for part in (event.get("side"), event["name"]) if part)
    who = f"{label}: " if label else ""
    return f"{who}{said}, {event['start']:.2f} s to {event['end']:.2f} s ({event['row']})"


def _document(title: str, body: str, *, framed: bool) -> str:
    style, script = viewer_style(), viewer_script()
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data: blob:; "
        "media-src data: blob:; connect-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body class="atom-page{" atom-framed" if framed else ""}">
<main>
{body}
</main>
<script type="module">{script}</script>
</body>
</html>
"""


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
