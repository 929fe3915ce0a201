"""What a page says about takes, in HTML and in one line; whatever a visitor typed stays text."""

from html import escape

from ...data.escaping import markdown_text
from ...evaluation.event_track import event_name
from ...rewards.judge import HIGHEST, LOWEST
from .comparison import Comparison
from .studio import Generation, Take

_ASPECTS = {"integrity": "all there", "temporal": "in order", "frequency": "as often"}


def verdicts(comparison: Comparison, number: int) -> str:
    """The judge's explanation of a take, a card a side.

    Args:
        comparison ([`Comparison`]): what is seen.
        number (`int`): of the take, from 0.

    Returns:
        `str`: HTML.
    """
    generation = comparison.generation
    head = _asked(generation)
    cards = "".join(_card(comparison, side, number) for side in comparison.sides)
    return f'<div class="t2m-verdicts">{head}<div class="t2m-cards">{cards}</div></div>'


def _asked(generation: Generation) -> str:
    if generation.scenario is None:
        return f'<p class="t2m-asked">No verdict: {escape(generation.problem)} The motions are there all the same.</p>'
    chips = "".join(
        f"<li>{escape(' '.join(part for part in (event.side, event_name(event)) if part))}</li>"
        for event in generation.scenario.events
    )
    asked = "Asked for, in this order" if len(generation.scenario.events) > 1 else "Asked for"
    return f'<p class="t2m-asked">{asked}</p><ol class="t2m-events">{chips}</ol>'


def _card(comparison: Comparison, side: str, number: int) -> str:
    take = comparison.take(side, number)
    label = comparison.label(side, number)
    told = number in comparison.open
    name = f'<span class="t2m-model">{escape(comparison.system(side, number).name)}</span>' if told else ""
    title = f"<h3>{escape(label)} {name}</h3>" if label or name else ""
    return f'<section class="t2m-card">{title}{_score(take)}<p class="t2m-seen">{_seen(take)}</p></section>'


def _score(take: Take) -> str:
    verdict = take.verdict
    if verdict.score is None:
        return '<p class="t2m-score none">no score</p>'
    share = (verdict.score - LOWEST) / (HIGHEST - LOWEST)
    aspects = "".join(
        f'<li><span>{said}</span> <meter min="0" max="1" low="0.5" high="0.99" optimum="1" '
        f'value="{verdict.raw[name]:.2f}" aria-label="{said}">{verdict.raw[name]:.0%}</meter> '
        f"<b>{verdict.raw[name]:.0%}</b></li>"
        for name, said in _ASPECTS.items()
    )
    return (
        f'<p class="t2m-score" style="--share:{share:.3f}"><b>{verdict.score:.1f}</b> of {HIGHEST:g}</p>'
        f'<p class="t2m-reason">{escape(verdict.reason)}</p><ul class="t2m-aspects">{aspects}</ul>'
    )


def _seen(take: Take) -> str:
    fps = take.motion.fps
    if not take.events:
        return f"Nothing of the table of actions seen in {take.motion.duration:.1f} s."
    said = [
        f"{' '.join(part for part in (event.side, event.action.replace('_', ' '), event.direction) if part)} "
        f"{event.start / fps:.1f}–{event.end / fps:.1f} s"
        for event in take.events
    ]
    return f"Seen in {take.motion.duration:.1f} s: {escape(', '.join(said))}"


def take_names(comparison: Comparison) -> list[tuple[str, int]]:
    """What the takes are called where one is chosen.

    Args:
        comparison ([`Comparison`]): what is seen.

    Returns:
        `list[tuple[str, int]]`: name and number, such as `("Take 1 · A 4.3 · B 3.0", 0)`.
    """
    names = []
    for number in range(comparison.generation.request.samples):
        scores = []
        for side in comparison.sides:
            score = comparison.take(side, number).verdict.score
            prefix = f"{side} " if len(comparison.sides) > 1 else ""
            scores += [f"{prefix}{score:.1f}"] if score is not None else []
        names.append((" · ".join([f"Take {number + 1}", *scores]), number))
    return names


def status(comparison: Comparison) -> str:
    """What came of a request, in a line of Markdown.

    Args:
        comparison ([`Comparison`]): what is seen.

    Returns:
        `str`: numbers and fixed words only.
    """
    generation = comparison.generation
    count = sum(len(takes) for takes in generation.takes)
    return f"{count} motions in {generation.seconds:.1f} s · seed {generation.request.seed}"


def blindness(comparison: Comparison, number: int, voting: bool) -> str:
    """Who is A and who is B, in a line of Markdown.

    Args:
        comparison ([`Comparison`]): what is seen.
        number (`int`): of the take, from 0.
        voting (`bool`): whether votes are taken here.

    Returns:
        `str`: names only after a vote or on demand.
    """
    if len(comparison.sides) == 1:
        return ""
    if number in comparison.open:
        names = " · ".join(
            f"**{side}** is the {recipe.role} model, {markdown_text(recipe.name)}"
            for side in comparison.sides
            if (recipe := comparison.system(side, number))
        )
        rest = comparison.generation.request.samples - len(comparison.open)
        return f"{names}. The other takes are still blind." if rest else f"{names}."
    until = "until you vote or reveal them" if voting else "until you reveal them"
    return (
        "One is the base model, one the aligned. The server has drawn the sides for each take; names stay hidden "
        f"{until}."
    )
