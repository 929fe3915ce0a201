"""The options of the vision judge, which are the same in all commands, and the judge that they make.

add_vision_options(parser)
vision_judge(options, "temporal", PictureLayout(), budget=Budget(2.0))   →  VLMJudge('gpt-4o, temporal-1', …)
"""

import argparse
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..rewards.vlm import Budget, PictureLayout, Store, VLMJudge

LAYOUTS = "sheet, strip, views or frames, as sheet:frames=20,quality=90"


def add_vision_options(parser: argparse.ArgumentParser) -> Any:
    """Add the options that every command with a vision judge has.

    Args:
        parser (`argparse.ArgumentParser`): of the command.

    Returns:
        the group of options, for more of them.
    """
    vision = parser.add_argument_group("the vision judge")
    add = vision.add_argument
    add("--model", default="gpt-4o", help="its name at the endpoint (gpt-4o)")
    add("--base-url", "--base_url", metavar="URL", help="an endpoint such as http://localhost:8000/v1")
    add("--api-key-env", default="OPENAI_API_KEY", metavar="NAME", help="variable that has the key")
    add("--detail", choices=["low", "high", "auto"], default="high", help="how closely it looks (high)")
    add("--temperature", type=float, default=0.0, help="0 says the likeliest (0)")
    add("--concurrency", type=int, default=16, help="requests at once (16)")
    add("--budget", type=float, metavar="DOLLARS", help="the most that may be spent, on all together")
    add("--prices", type=Path, metavar="FILE", help="JSON: model, dollars for a million tokens")
    add("--store", type=Path, metavar="FILE", help="keeps replies, so that nothing is paid twice")
    add("--rules", type=Path, metavar="FOLDER", help="with rules of your own")
    return vision


def vision_judge(
    options: argparse.Namespace,
    task: str | None,
    layout: "PictureLayout",
    *,
    budget: "Budget | None" = None,
    store: "Store | None" = None,
    **more: Any,
) -> "VLMJudge":
    """The judge that the options ask for.

    Args:
        options (`argparse.Namespace`): of a command with these options.
        task (`str`, *optional*): by whose rules; without it every item says.
        layout ([`PictureLayout`]): of the pictures.
        budget ([`Budget`], *optional*): shared by all judges of the command.
        store ([`Store`], *optional*): shared by them.
        more (`Any`): further arguments of [`VLMJudge`].

    Returns:
        [`VLMJudge`]: the judge.

    Raises:
        ValueError: if an option is out of range, or there is no key or price.
        ImportError: if its libraries are missing.
    """
    from ..rewards.vlm import VLMJudge

    return VLMJudge(
        options.model,
        task,
        base_url=options.base_url,
        api_key_env=options.api_key_env,
        layout=layout,
        detail=options.detail,
        temperature=options.temperature,
        concurrency=options.concurrency,
        budget=budget,
        prices=options.prices,
        store=store,
        rules=options.rules,
        **more,
    )


def read_layout(words: str) -> "PictureLayout":
    """A layout as it is typed.

    Args:
        words (`str`): the kind, and what is to be different: `"sheet:stride=8,columns=5"`, `"strip:size=1024x256"`.

    Returns:
        [`PictureLayout`]: the layout.

    Raises:
        ValueError: if kind, names or values are none.
    """
    from ..rewards.vlm import PictureLayout

    kind, _, rest = words.partition(":")
    known = [field.name for field in fields(PictureLayout) if field.name != "kind"]
    settings: dict[str, Any] = {}
    for setting in filter(None, rest.split(",")):
        name, _, value = setting.partition("=")
        numbers = value.split("x") if name == "size" else [value]
        if name not in known or name in settings or not all(number.isdecimal() for number in numbers):
            raise ValueError(
                f"Expected a layout such as sheet or sheet:stride=8,size=1024x768 with {', '.join(known)} as whole "
                f"numbers, got {words!r}."
            )
        settings[name] = tuple(map(int, numbers)) if name == "size" else int(value)
    return PictureLayout(kind, **settings)
