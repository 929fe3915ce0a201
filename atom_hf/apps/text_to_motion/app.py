"""The page: a sentence becomes motions of two models, side by side. It wires events; what they do is elsewhere.

page = make_app(PageSettings.of_environment())
page.launch(**launch_options())
"""

import logging
from importlib.resources import files
from typing import Any

import gradio as gr

from ...arena import StoreError
from . import api, words
from .comparison import Comparison
from .downloads import FORMATS, Downloads, formats
from .examples import EXAMPLES, OPENING
from .request import HIGHEST_TEMPERATURE, LONGEST_SECONDS, SHORTEST_SECONDS, Request, RequestError
from .settings import PageSettings
from .studio import Generation, Studio
from .systems import LoadError
from .viewer_html import show, viewer_component
from .voting import CHOICES, Ballots, VoteError

_LOG = logging.getLogger(__name__)
_TITLE = "Text to motion"
_ABOUT = (
    "Say what a person does. Two models answer: a base model, and one aligned with preferences. The judge says what "
    "it sees, you say which is better, and every motion is yours to take to Blender, an engine or a notebook."
)
_ALONE = (
    "Say what a person does. The model answers, the judge says what it sees, and every motion is yours to take to "
    "Blender, an engine or a notebook."
)
_FETCH = (
    "() => { const a = document.querySelector('#fetch a, a#fetch, button#fetch, #fetch button'); if (a) a.click(); }"
)
_TEMPERATURE = 0.7
_ONE_AT_A_TIME: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "models"}
_OURS: dict[str, Any] = {"api_visibility": "private"}


def launch_options() -> dict[str, Any]:
    """What `launch` is called with everywhere.

    Returns:
        `dict`: look, and what visitors cannot do.
    """
    return {
        "theme": _theme(),
        "head": f"<style>{files(__package__).joinpath('style.css').read_text(encoding='utf-8')}</style>",
        "ssr_mode": False,
        "allowed_paths": [],
        "max_file_size": "1kb",  # nothing is uploaded here
        "strict_cors": True,
        "enable_monitoring": False,
        "state_session_capacity": 500,  # a visit holds about half a megabyte
        "footer_links": ["api"],
    }


def _theme() -> gr.themes.Base:
    """Quiet, with the system's letters, so that no font is fetched, and words dark enough to read."""
    theme = gr.themes.Default(
        primary_hue="blue",
        neutral_hue="slate",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    return theme.set(body_text_color_subdued="*neutral_600", body_text_color_subdued_dark="*neutral_300")


def make_app(settings: PageSettings | None = None, studio: Studio | None = None) -> gr.Blocks:
    """The page.

    Args:
        settings ([`PageSettings`], *optional*): those of the environment by default.
        studio ([`Studio`], *optional*): with models of one's own.

    Returns:
        `gr.Blocks`: to be launched with `launch_options()`.
    """
    settings = settings or PageSettings.of_environment()
    return _Page(settings, studio or Studio(settings.sources)).build()


class _Page:
    """The components and what their events do."""

    def __init__(self, settings: PageSettings, studio: Studio) -> None:
        self.settings, self.studio = settings, studio
        self.two = len(studio.recipes) == 2
        self.opening: Generation | None = None
        self.ballots, self.no_votes = _ballots(settings) if self.two else (None, "")

    def build(self) -> gr.Blocks:
        with gr.Blocks(title=_TITLE, analytics_enabled=False, delete_cache=(1800, 3600)) as app:
            gr.Markdown(f"# {_TITLE}\n{_ABOUT if self.two else _ALONE}", elem_id="head")
            self.seen = gr.State(None, time_to_live=3600)  # a Comparison, on the server alone
            self.folder = gr.State(None, time_to_live=3600, delete_callback=_close)
            with gr.Row(equal_height=False):
                with gr.Column(scale=4, min_width=300, elem_id="controls"):
                    self._controls()
                with gr.Column(scale=8, min_width=300):
                    self._results()
            self._wire()
            api.add(self.studio, self.settings)
            app.load(self._open, None, self._outputs(), show_progress_on=self.viewer, concurrency_limit=4, **_OURS)
        app.queue(max_size=self.settings.queue)
        return app

    def _controls(self) -> None:
        caps = self.settings.caps
        self.prompt = gr.Textbox(
            label="What does the person do?", placeholder=OPENING, max_length=caps.prompt, lines=1, max_lines=4,
            submit_btn=False, elem_id="prompt", autofocus=True,
        )  # fmt: skip
        with gr.Row(elem_classes="t2m-buttons"):
            self.button = gr.Button("Generate", variant="primary", elem_id="generate", min_width=140, scale=2)
            self.again = gr.Button("Other takes", elem_id="again", min_width=110, scale=1)
        self.status = gr.Markdown(elem_id="status")
        with gr.Accordion("Settings", open=False):
            self.samples = gr.Slider(
                1, caps.samples, value=min(4, caps.samples), step=1, label="Motions of each model", elem_id="samples"
            )
            self.seconds = gr.Slider(
                SHORTEST_SECONDS, LONGEST_SECONDS, value=LONGEST_SECONDS, step=0.2, label="Longest, in seconds"
            )
            self.temperature = gr.Slider(
                0, HIGHEST_TEMPERATURE, value=_TEMPERATURE, step=0.05, label="Temperature",
                info="Lower is safer, higher more varied; 0 always takes the likeliest.",
            )  # fmt: skip
            self.seed = gr.Number(
                0,
                label="Seed",
                precision=0,
                minimum=0,
                info="The same seed makes the same motions; “Other takes” draws a new one.",
                elem_id="seed",
            )
        self.examples = [
            gr.Dataset(components=["textbox"], samples=[[text] for text in group.prompts], label=group.title)
            for group in EXAMPLES
        ]

    def _results(self) -> None:
        self.viewer = viewer_component()
        self.takes = gr.Radio(label="Takes, with the judge's scores", choices=[], visible=False, elem_id="takes")
        with gr.Column(visible=False, elem_id="vote", elem_classes="t2m-panel") as self.vote:
            gr.Markdown("### Which fits the sentence better?")
            self.blind = gr.Markdown(elem_id="blind")
            with gr.Row(elem_classes="t2m-buttons"):
                self.choices = [gr.Button(text, size="sm", min_width=88, interactive=False) for text in CHOICES]
            with gr.Row(elem_classes="t2m-buttons"):
                self.reveal = gr.Button("Reveal without voting", size="sm", min_width=88, elem_id="reveal")
            gr.Markdown(self._consent(), elem_id="votenote")
        self.verdicts = gr.HTML(elem_id="verdicts", apply_default_css=False)
        with gr.Column(visible=False, elem_id="files", elem_classes="t2m-panel") as self.files:
            gr.Markdown("### Take it away")
            with gr.Row(elem_classes="t2m-buttons"):
                self.side = gr.Radio(["A", "B"], value="A", label="Motion", visible=self.two, elem_id="side")
                self.lock_feet = gr.Checkbox(False, label="Keep standing feet from sliding", elem_id="feet")
            with gr.Row(elem_classes="t2m-buttons"):
                self.formats = {
                    suffix: gr.Button(
                        suffix[1:].upper(), size="sm", min_width=72, elem_id=f"as-{suffix[1:]}",
                        variant="primary" if suffix in (".bvh", ".glb") else "secondary",
                    )
                    for suffix in formats()
                }  # fmt: skip
            gr.Markdown("  \n".join(FORMATS[suffix] for suffix in self.formats), elem_id="filenote")
            self.fetch = gr.DownloadButton("Download", elem_id="fetch", visible="hidden")

    def _consent(self) -> str:
        if self.ballots is None:
            return self.no_votes
        return (
            "Your sentence, both motions and your vote are kept without your name and may be published "
            f"({self.ballots.license}). Do not type anything private."
        )

    def _outputs(self) -> list[Any]:
        return [
            self.seen, self.viewer, self.takes, self.verdicts, self.vote, self.blind, *self.choices, self.reveal,
            self.files, self.status, self.seed,
        ]  # fmt: skip

    def _wire(self) -> None:
        asked = [self.prompt, self.samples, self.seed, self.temperature, self.seconds]
        shown: dict[str, Any] = {
            "show_progress_on": [self.viewer], "scroll_to_output": False, **_ONE_AT_A_TIME, **_OURS,
        }  # fmt: skip
        gr.on([self.button.click, self.prompt.submit], self._generate, asked, self._outputs(), **shown)
        self.again.click(self._generate_anew, asked, self._outputs(), **shown)
        for dataset in self.examples:
            taken = dataset.click(
                lambda row: row[0], dataset, self.prompt, queue=False, show_progress="hidden", **_OURS
            )
            taken.then(self._generate, asked, self._outputs(), **shown)
        quick: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": 4, **_OURS}
        played = [self.viewer, self.verdicts, self.blind, *self.choices, self.reveal]
        told = [self.seen, *played]
        self.takes.input(self._pick, [self.seen, self.takes], played, **quick)
        for button in self.choices:
            button.click(self._vote, [self.seen, self.takes, button], told, **quick)
        self.reveal.click(self._reveal, [self.seen, self.takes], told, **quick)
        for button in self.formats.values():
            made = button.click(
                self._write, [self.seen, self.takes, self.side, button, self.lock_feet, self.folder],
                [self.fetch, self.folder], concurrency_limit=2, show_progress_on=[self.fetch], **_OURS,
            )  # fmt: skip
            made.success(None, None, None, js=_FETCH, **_OURS)

    # What events do ----------------------------------------------------------------------------------------------

    def _open(self, progress: gr.Progress = gr.Progress()) -> list[Any]:  # noqa: B008 - gradio's way
        """What the page plays when it opens, made once for all visitors."""
        if self.opening is None:
            samples = min(4, self.settings.caps.samples)
            self.opening = self._made(OPENING, samples, 0, _TEMPERATURE, LONGEST_SECONDS, progress)
        return self._answer(self.opening)

    def _generate(
        self, prompt: str, samples: int, seed: int, temperature: float, seconds: float,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:  # fmt: skip
        return self._answer(self._made(prompt, samples, seed, temperature, seconds, progress))

    def _generate_anew(
        self, prompt: str, samples: int, seed: int, temperature: float, seconds: float,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:  # fmt: skip
        made = self._made(prompt or OPENING, samples, api.new_seed(), temperature, seconds, progress)
        return self._answer(made)

    def _made(
        self, prompt: Any, samples: Any, seed: Any, temperature: Any, seconds: Any, progress: Any
    ) -> Generation:  # fmt: skip
        try:
            request = Request.read(prompt, samples, seed, temperature, seconds, self.settings.caps)
            return self.studio.generate(request, lambda share, words: progress(share, desc=words))
        except (RequestError, LoadError) as error:
            raise _said(error) from error

    def _answer(self, generation: Generation) -> list[Any]:
        comparison = Comparison.of(generation)
        return [
            comparison,
            show(comparison, 0),
            gr.Radio(choices=words.take_names(comparison), value=0, visible=generation.request.samples > 1),
            words.verdicts(comparison, 0),
            gr.Column(visible=self.two),
            *self._ballot(comparison, 0),
            gr.Column(visible=True),
            words.status(comparison),
            generation.request.seed,
        ]

    def _pick(self, comparison: Comparison | None, number: int | None) -> list[Any]:
        comparison, number = _there(comparison, number)
        return [show(comparison, number), words.verdicts(comparison, number), *self._ballot(comparison, number)]

    def _ballot(self, comparison: Comparison, number: int) -> list[Any]:
        """Who is who, the buttons of a vote, and the one that reveals."""
        blind = number not in comparison.open
        votable = blind and self.ballots is not None
        return [
            words.blindness(comparison, number, self.ballots is not None),
            *(gr.Button(interactive=votable) for _ in self.choices),
            gr.Button(interactive=blind),
        ]

    def _vote(self, comparison: Comparison | None, number: int | None, choice: str, visit: gr.Request) -> list[Any]:
        comparison, number = _there(comparison, number)
        if self.ballots is None:
            raise gr.Error(self.no_votes or "No votes are taken here.", print_exception=False)
        try:
            address = visit.client.host if visit.client else None
            self.ballots.vote(str(visit.session_hash), comparison, number, choice, address=address)
        except (VoteError, StoreError) as error:
            raise _said(error) from error
        gr.Info("Your vote is kept. Thank you!", duration=4)
        return self._tell(comparison.told(number), number)

    def _reveal(self, comparison: Comparison | None, number: int | None) -> list[Any]:
        comparison, number = _there(comparison, number)
        return self._tell(comparison.told(number), number)

    def _tell(self, comparison: Comparison, number: int) -> list[Any]:
        return [
            comparison,
            show(comparison, number),
            words.verdicts(comparison, number),
            *self._ballot(comparison, number),
        ]

    def _write(
        self, comparison: Comparison | None, number: int | None, side: str, name: str, lock_feet: bool,
        folder: Downloads | None,
    ) -> list[Any]:  # fmt: skip
        comparison, number = _there(comparison, number)
        folder = folder or Downloads()
        side = side if side in comparison.sides else comparison.sides[0]
        take = comparison.take(side, number)
        suffix = f".{name.lower()}"
        if suffix not in self.formats:
            raise gr.Error("Choose one of the formats.", print_exception=False)
        try:
            path = folder.write(take.motion, suffix, comparison.generation.request.prompt, side, number, lock_feet)
        except RequestError as error:
            raise _said(error) from error
        return [str(path), folder]


def _ballots(settings: PageSettings) -> tuple[Ballots | None, str]:
    if settings.votes is None:
        return None, "Votes are switched off here."
    try:
        ballots = Ballots(settings.votes)
    except (OSError, ValueError) as error:
        _LOG.error("No votes are taken: %s", error)
        return None, "Votes are switched off: there is no disk here on which they could be kept."
    for warning in ballots.warnings:
        _LOG.warning("%s", warning)
    return ballots, ""


def _there(comparison: Comparison | None, number: int | None) -> tuple[Comparison, int]:
    if comparison is None:
        raise gr.Error("Generate a motion first.", print_exception=False)
    most = comparison.generation.request.samples - 1
    return comparison, min(max(int(number or 0), 0), most)


def _said(error: Exception) -> gr.Error:
    return gr.Error(str(error), print_exception=False)


def _close(folder: Downloads | None) -> None:
    if folder is not None:
        folder.close()
