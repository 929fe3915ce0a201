"""`atom-hf demo`: the text-to-motion page on this machine.

atom-hf demo                                               base and aligned model of the package, side by side
atom-hf demo --model outputs/dpo/model --base-model default    a model of yours beside the package's
atom-hf demo --adapter outputs/dpo/adapter                 the package's model, without and with an adapter of yours
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from .loading import without_loading_bar

_DEFAULT = "default"


def add_parser(commands: Any) -> None:
    """Add the command to `atom-hf`.

    Args:
        commands: the subparsers of `argparse`.
    """
    parser = commands.add_parser(
        "demo",
        help="a page in the browser: sentences become motions, to compare, vote on and download",
        description="Start the text-to-motion page and print its address.",
        epilog=__doc__.split("\n\n", 1)[1] if __doc__ else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--model", help="checkpoint: a folder, a Hub repository, or default (the package's tiny one)")
    add("--base-model", metavar="MODEL", help="a model to compare with; default is the package's tiny one")
    add("--adapter", help="LoRA adapter on top of the model, which is compared with the model alone")
    add("--votes", type=Path, default=Path("outputs/votes"), metavar="FOLDER", help="where votes go (outputs/votes)")
    add("--no-votes", action="store_true", help="take no votes")
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
        ValueError: if the port is none.
        ImportError: if gradio, torch or transformers are not installed.
        OSError: if the port is taken.
    """
    if options.port is not None and not 0 < options.port < 2**16:
        raise ValueError(f"Expected a port from 1 to 65535, got {options.port}.")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait leave their core to other visitors
    try:
        from ..apps.text_to_motion.app import launch_options, make_app
    except ModuleNotFoundError as error:
        raise ImportError(f"{error}. The page needs more libraries: pip install 'atom_hf[space]'.") from error
    from ..apps.text_to_motion.settings import PageSettings
    from ..apps.text_to_motion.systems import Sources

    without_loading_bar()
    sources = Sources(_source(options.model), _source(options.base_model), options.adapter)
    page = make_app(PageSettings(sources, votes=None if options.no_votes else options.votes))
    _, local, public = page.launch(
        server_name=options.host,
        server_port=options.port,
        share=options.share,
        inbrowser=options.open,
        prevent_thread_lock=True,
        quiet=True,
        **launch_options(),
    )
    sys.stdout.write(f"{local}\n")
    if public:
        sys.stdout.write(f"{public} (anybody who knows this address can use it)\n")
    sys.stdout.write("Ctrl+C stops the page.\n")
    sys.stdout.flush()
    try:
        page.block_thread()
    finally:
        page.close(verbose=False)
    return 0


def _source(name: str | None) -> str | None:
    if name != _DEFAULT:
        return name
    from ..assets import DEFAULT_MODEL

    return DEFAULT_MODEL
