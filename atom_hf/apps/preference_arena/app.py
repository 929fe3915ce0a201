"""The page of the arena: labellers, their progress, results, and whoever runs it. It wires events; no more.

arena = Arena("arena")
make_app(arena).launch(**launch_options(tickets))
"""

import json
import logging
import os
from collections.abc import Callable
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import gradio as gr

from ...arena import Admin, Arena, ArenaError, ScheduledPush, StoreError
from ...render.viewer import viewer_module
from . import desk, words
from .desk import Exports
from .limits import COOKIE, Guard, Tickets
from .service import LabelService

_LOG = logging.getLogger(__name__)
_SCRIPTS = ("dom", "memory", "viewer", "keys", "entry", "voting", "page")
_OURS: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_QUICK: dict[str, Any] = {**_OURS, "concurrency_limit": 4}
_COOKIE = (
    f"(ticket) => {{ if (ticket) document.cookie = `{COOKIE}=${{ticket}}; path=/; max-age=1800; ` + "
    "(location.protocol === 'https:' ? 'SameSite=None; Secure' : 'SameSite=Lax'); }"
)
_FETCH = (
    "() => document.querySelector('#arena-fetch a, a#arena-fetch, #arena-fetch button, button#arena-fetch').click()"
)


def launch_options(tickets: Tickets) -> dict[str, Any]:
    """What `launch` is called with everywhere.

    Args:
        tickets ([`Tickets`]): those of the page.

    Returns:
        `dict`: look, and what visitors cannot do.
    """
    from starlette.middleware import Middleware

    theme = gr.themes.Default(
        primary_hue="blue",
        neutral_hue="slate",
        font=["system-ui", "sans-serif"],  # so that no font is fetched
        font_mono=["ui-monospace", "monospace"],
    )
    return {
        "theme": theme.set(body_text_color_subdued="*neutral_600", body_text_color_subdued_dark="*neutral_300"),
        "css": _static("label.css"),
        "ssr_mode": False,
        "allowed_paths": [],
        "max_file_size": "64mb",  # of archives, which the admin page alone can send
        "strict_cors": True,
        "enable_monitoring": False,
        "footer_links": [],
        "app_kwargs": {"middleware": [Middleware(Guard, tickets=tickets)]},
    }


def make_app(
    arena: Arena,
    *,
    hub: bool = False,
    push: ScheduledPush | None = None,
    tickets: Tickets | None = None,
    queue: int = 100,
) -> gr.Blocks:
    """The page.

    Args:
        arena ([`Arena`]): the campaign.
        hub (`bool`, *optional*, defaults to `False`): people sign in with Hugging Face, on a Space.
        push ([`ScheduledPush`], *optional*): to show how it goes.
        tickets ([`Tickets`], *optional*): for uploads; the same as `launch_options` gets.
        queue (`int`, *optional*, defaults to 100): events that may wait.

    Returns:
        `gr.Blocks`: to be launched with `launch_options(tickets)`.
    """
    return _Page(arena, hub, push, tickets or Tickets()).build(queue)


def _static(name: str) -> str:
    return files(__package__).joinpath("static", name).read_text(encoding="utf-8")


def address_of(request: Any) -> str | None:
    """From where a request comes, to count requests.

    Args:
        request: of gradio or FastAPI.

    Returns:
        `str` or `None`: on a Space what its proxy says, as all connections are the proxy's.
    """
    said = request.headers.get("x-forwarded-for", "") if os.environ.get("SPACE_ID") else ""
    return said.split(",")[0].strip() or _peer(request)


def _peer(request: Any) -> str | None:
    return request.client.host if request.client else None


class _Page:
    """The components and what their events do."""

    def __init__(self, arena: Arena, hub: bool, push: ScheduledPush | None, tickets: Tickets) -> None:
        self.arena, self.hub, self.push, self.tickets = arena, hub, push, tickets
        self.service = LabelService(arena, hub=hub)

    def build(self, queue: int) -> gr.Blocks:
        with gr.Blocks(title=self.arena.settings.title, analytics_enabled=False, delete_cache=(1800, 3600)) as app:
            if self.hub:
                gr.LoginButton(size="sm", elem_id="arena-login")
            with gr.Tabs(elem_id="arena-tabs"):
                with gr.Tab("Label"):
                    self._label()
                with gr.Tab("Progress") as progress:
                    gr.HTML('<div id="arena-report" class="ar-page"></div>', apply_default_css=False)
                with gr.Tab("Results") as results:
                    gr.HTML('<div id="arena-results" class="ar-page"></div>', apply_default_css=False)
                with gr.Tab("Admin"):
                    self._admin()
            for tab, name, place in ((progress, "report", "#arena-report"), (results, "results", "#arena-results")):
                call = f"() => globalThis.arenaPage?.fill({json.dumps(f'arena_{name}')}, {json.dumps(place)})"
                tab.select(None, None, None, js=call, **_OURS)
        app.queue(max_size=queue)
        return app

    def _label(self) -> None:
        script = "\n".join(_static(f"{name}.js") for name in _SCRIPTS)
        gr.HTML(
            html_template='<div class="arena"><p>One moment…</p></div>',
            js_on_load=f"const viewerModule = () => {viewer_module()};\n{script}",
            elem_id="arena",
            apply_default_css=False,
            about=self.service.about(),
            server_functions=self._calls(),
        )

    def _calls(self) -> list[Callable[..., Any]]:
        """What the browser may call, by name; plain functions, which is what gradio takes."""
        service = self.service

        def arena_enter(call: Any, request: gr.Request, profile: gr.OAuthProfile | None) -> Any:
            verified = profile.username if profile is not None and service.hub else None
            return service.enter(call, address_of(request), verified)

        def arena_sign_in(call: Any, request: gr.Request) -> Any:
            return service.sign_in(call, address_of(request))

        def arena_consent(call: Any, request: gr.Request) -> Any:
            return service.consent(call, address_of(request))

        def arena_vote(call: Any, request: gr.Request) -> Any:
            return service.vote(call, address_of(request))

        def arena_undo(call: Any, request: gr.Request) -> Any:
            return service.undo(call, address_of(request))

        def arena_report(call: Any, request: gr.Request) -> Any:
            return service.report(call, address_of(request))

        def arena_results(call: Any, request: gr.Request) -> Any:
            return service.results(call, address_of(request))

        return [arena_enter, arena_sign_in, arena_consent, arena_vote, arena_undo, arena_report, arena_results]

    # Whoever runs the arena --------------------------------------------------------------------------------------

    def _admin(self) -> None:
        self.admin = gr.State(None, time_to_live=3600)  # an Admin; it stays on the server
        self.exports = gr.State(None, time_to_live=3600, delete_callback=_close)
        ticket = gr.Textbox(visible="hidden", elem_id="arena-ticket")
        with gr.Row(equal_height=True, elem_id="arena-door") as door:
            secret = gr.Textbox(label="Secret", type="password", max_length=200, elem_id="arena-secret")
            enter = gr.Button("Open", variant="primary", min_width=100, scale=0, elem_id="arena-open")
        with gr.Column(visible=False, elem_id="arena-desk") as room:
            refresh = gr.Button("Refresh", size="sm", min_width=100)
            overview = gr.HTML(elem_classes="ar-page", apply_default_css=False)
            people = self._people()
            self._pairs()
        shown = [overview, *people]
        opened = gr.on(
            [enter.click, secret.submit],
            self._open,
            secret,
            [self.admin, ticket, secret, door, room, *shown],
            **_QUICK,
        )
        opened.success(None, ticket, None, js=_COOKIE, **_OURS)
        refresh.click(self._refresh, self.admin, shown, **_QUICK)

    def _people(self) -> list[Any]:
        with gr.Accordion("Results", open=True):
            standings = gr.HTML(elem_classes="ar-page", apply_default_css=False, elem_id="arena-standings")
        with gr.Accordion("Labellers", open=False):
            labellers = gr.HTML(elem_classes="ar-page", apply_default_css=False)
            couples = gr.HTML(elem_classes="ar-page", apply_default_css=False)
            with gr.Row(equal_height=True):
                who = gr.Textbox(label="Pseudonym", max_length=40)
                why = gr.Textbox(label="Why", max_length=500)
                block = gr.Button("Block", min_width=90, scale=0)
                unblock = gr.Button("Unblock", min_width=90, scale=0)
        with gr.Accordion("Invite", open=False):
            names = gr.Textbox(label="Names, a line each", lines=3, max_length=20_000, elem_id="arena-names")
            make = gr.Button("Make codes", min_width=120, elem_id="arena-invite")
            codes = gr.Textbox(
                label="Codes, shown this once", lines=3, interactive=False, buttons=["copy"], elem_id="arena-codes"
            )
        make.click(self._invite, [self.admin, names], codes, **_QUICK)
        block.click(self._block, [self.admin, who, why], None, **_QUICK)
        unblock.click(self._unblock, [self.admin, who, why], None, **_QUICK)
        return [standings, labellers, couples]

    def _pairs(self) -> None:
        with gr.Accordion("Export votes", open=False), gr.Row(equal_height=True):
            choices = [(said, name) for name, said in desk.FORMATS.items()]
            format = gr.Dropdown(choices, value="votes", label="Format")
            flagged = gr.Checkbox(False, label="Leave out flagged labellers")
            export = gr.Button("Export", min_width=100, scale=0, elem_id="arena-export")
            fetch = gr.DownloadButton("Download", visible="hidden", elem_id="arena-fetch")
        with gr.Accordion("Add pairs", open=False):
            gr.Markdown("A zip with `prompts.jsonl` and a folder of motions for each system, 64 MB at most.")
            file = gr.File(label="Zip", file_types=[".zip"], type="filepath", elem_id="arena-zip")
        made = export.click(self._export, [self.admin, format, flagged, self.exports], [fetch, self.exports], **_OURS)
        made.success(None, None, None, js=_FETCH, **_OURS)
        file.upload(self._add, [self.admin, file], file, **{**_OURS, "show_progress": "full"}, concurrency_limit=1)

    def _open(self, secret: str, request: gr.Request) -> list[Any]:
        # Guesses are counted by connection: what a proxy says of addresses, anybody can make up.
        admin = _told(lambda: self.arena.admin(secret, address=_peer(request)))
        hidden, shown = gr.Row(visible=False), gr.Column(visible=True)
        return [admin, self.tickets.draw(), "", hidden, shown, *self._refresh(admin)]

    def _refresh(self, admin: Admin | None) -> list[str]:
        admin = _known(admin)
        push = None if self.push is None else (self.push.repo_id, self.push.status())
        return [
            words.overview(admin.overview(), self.arena.warnings, push),
            words.results(self.arena.standings()),
            words.labellers(admin.labellers()),
            words.couples(self.arena.agreement()),
        ]

    def _invite(self, admin: Admin | None, names: str) -> str:
        return _told(lambda: desk.invite(_known(admin), names))

    def _block(self, admin: Admin | None, who: str, why: str) -> None:
        _told(lambda: _known(admin).block(who.strip(), why))
        gr.Info("Blocked: this labeller cannot vote, and the votes are left out.", duration=4)

    def _unblock(self, admin: Admin | None, who: str, why: str) -> None:
        _told(lambda: _known(admin).block(who.strip(), why, blocked=False))
        gr.Info("This labeller can vote again, and the votes count.", duration=4)

    def _export(self, admin: Admin | None, format: str, flagged: bool, exports: Exports | None) -> list[Any]:
        _known(admin)
        exports = exports or Exports()
        return [str(_told(lambda: exports.write(self.arena, format, flagged))), exports]

    def _add(self, admin: Admin | None, path: str | None) -> None:
        _known(admin)
        if path:
            number = _told(lambda: desk.add_zip(self.arena, Path(path)))
            gr.Info(f"{number} new pairs.", duration=6)


def _known(admin: Admin | None) -> Admin:
    if admin is None:
        raise gr.Error("Please open this page with its secret first.", print_exception=False)
    return admin


def _told(work: Callable[[], Any]) -> Any:
    """What was refused, in words."""
    try:
        return work()
    except (ArenaError, StoreError) as error:
        raise gr.Error(escape(str(error)), print_exception=False) from error


def _close(exports: Exports | None) -> None:
    if exports is not None:
        exports.close()
