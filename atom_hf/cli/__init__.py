"""`atom-hf`: the command line. One module a command; each adds its parser and says what to run."""

import argparse
import sys
from collections.abc import Sequence

import atom_hf

from . import annotate, convert, convert_checkpoint, data, demo, evaluate, export, generate, judge, label, render


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `atom-hf`.

    Args:
        arguments (`Sequence[str]`, *optional*): words after `atom-hf`; those of the process without it.

    Returns:
        `int`: exit status: 0 if all went well, 1 if something could not be read or written, 2 for wrong usage.
    """
    parser = argparse.ArgumentParser(prog="atom-hf", description="Text-to-motion alignment: tools for motion files.")
    parser.add_argument("--version", action="version", version=f"atom-hf {atom_hf.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (
        annotate,
        convert,
        convert_checkpoint,
        data,
        demo,
        evaluate,
        export,
        generate,
        judge,
        label,
        render,
    ):
        command.add_parser(commands)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except (
        ValueError,
        OSError,
        ImportError,
    ) as error:  # what users cause; anything else is a bug and keeps its traceback
        sys.stderr.write(f"atom-hf {options.command}: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(f"atom-hf {options.command}: stopped.\n")
        return 130
