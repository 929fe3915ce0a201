"""`atom-hf label`: people compare two motions of a prompt, blind, in the browser.

atom-hf label                                    a campaign to try: the package's model before and after alignment
atom-hf label campaign/ --store votes            a folder with prompts.jsonl and a folder of motions a system
atom-hf label --pairs me/motionprefer            a MotionPrefer, of the Hub or in a folder, to be labelled anew
atom-hf label --models default outputs/dpo/model --prompts prompts.txt      two models; one alone: with two seeds
"""

import argparse
import os
import secrets
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .loading import without_loading_bar

if TYPE_CHECKING:
    from ..arena import PairItem

_ADMIN = "ATOM_HF_ARENA_ADMIN"


def add_parser(commands: Any) -> None:
    """Add the command to `atom-hf`.

    Args:
        commands: the subparsers of `argparse`.
    """
    parser = commands.add_parser(
        "label",
        help="a page in the browser: people say which of two motions is better, blind",
        description="Start the arena and print its address. Votes stay in the store; the next start goes on there.",
        epilog=__doc__.split("\n\n", 1)[1] if __doc__ else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_argument_group("what is labelled")
    what.add_argument("folder", nargs="?", help="folder with prompts.jsonl and motions, or a zip of one")
    what.add_argument(
        "--pairs", metavar="SOURCE", help="such a folder or zip, or a MotionPrefer, of the Hub or a folder"
    )
    what.add_argument("--models", nargs="+", metavar="MODEL", help="one model or two: folders, Hub names, or default")
    what.add_argument("--prompts", type=Path, metavar="FILE", help="with --models: a text file, a prompt a line")
    add = parser.add_argument
    add("--store", type=Path, default=Path("outputs/arena"), metavar="DIR", help="where votes go (outputs/arena)")
    add("--codes", action="store_true", help="only people with a code of yours: the admin page makes them")
    add("--push", metavar="REPO", help="dataset repository on the Hub to which votes go every few minutes")
    add("--minutes", type=float, default=5.0, help="between two pushes (5)")
    add("--admin-secret", default=_ADMIN, metavar="VARIABLE", help=f"environment variable with it ({_ADMIN})")
    add("--host", default="127.0.0.1", help="address to listen on (127.0.0.1: this machine alone)")
    add("--port", type=int, help="port (the first free one from 7860 on)")
    add("--share", action="store_true", help="make a public address through Gradio's servers; off unless asked for")
    add("--open", action="store_true", help="open the browser")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Start the page, print its address, and serve until stopped.

    Args:
        options (`argparse.Namespace`): the command's options.

    Returns:
        `int`: 0.

    Raises:
        ValueError: if options contradict each other, or pairs do not fit together.
        ImportError: if gradio is not installed.
        OSError: if votes cannot be kept, something cannot be read, or the port is taken.
    """
    _check(options)
    try:
        from ..apps.preference_arena.app import launch_options, make_app
    except ModuleNotFoundError as error:
        raise ImportError(f"{error}. The page needs more libraries: pip install 'atom_hf[space]'.") from error
    from ..apps.preference_arena.limits import Tickets
    from ..apps.preference_arena.serving import open_arena
    from ..apps.preference_arena.settings import PageSettings

    if not options.folder:
        without_loading_bar()
    given = os.environ.get(options.admin_secret, "").strip()
    secret = given or secrets.token_urlsafe(12)
    settings = PageSettings(
        options.store,
        options.folder or options.pairs,
        "codes" if options.codes else None,
        secret,
        options.push,
        60 * options.minutes,
    )
    say = sys.stdout.write
    with open_arena(settings, _made(options)) as place:
        for warning in place.arena.warnings:
            say(f"Take care: {warning}\n")
        tickets = Tickets()
        page = make_app(place.arena, push=place.push, tickets=tickets)
        _, local, public = page.launch(
            server_name=options.host,
            server_port=options.port,
            share=options.share,
            inbrowser=options.open,
            prevent_thread_lock=True,
            quiet=True,
            **launch_options(tickets),
        )
        say(f"{local}\n")
        if public:
            say(f"{public} (anybody who knows this address can label)\n")
        say(f"{place.new} new pairs; votes are kept in {place.arena.folder}\n")
        if not given:
            say(f"Secret of the admin page (tab Admin), for this start: {secret}\n")
        say("Ctrl+C stops the page.\n")
        sys.stdout.flush()
        try:
            page.block_thread()
        finally:
            page.close(verbose=False)
    return 0


def _check(options: argparse.Namespace) -> None:
    given = [name for name in ("folder", "pairs", "models") if getattr(options, name)]
    if len(given) > 1:
        raise ValueError(f"Expected pairs from one place, got {' and '.join(given)}; leave one out.")
    if bool(options.models) != bool(options.prompts):
        raise ValueError("--models and --prompts belong together: motions are made of the prompts.")
    if options.models and len(options.models) > 2:
        raise ValueError(f"Expected one model or two, got {len(options.models)}.")
    if options.port is not None and not 0 < options.port < 2**16:
        raise ValueError(f"Expected a port from 1 to 65535, got {options.port}.")


def _made(options: argparse.Namespace) -> "Iterable[PairItem] | None":
    if not options.models:
        return None
    from ..apps.preference_arena.campaign import model_pairs
    from ..assets import DEFAULT_MODEL

    lines = options.prompts.read_text(encoding="utf-8-sig").splitlines()
    prompts = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not prompts:
        raise ValueError(f"{options.prompts}: expected a prompt a line, got none.")
    return model_pairs(prompts, [DEFAULT_MODEL if name == "default" else name for name in options.models])
