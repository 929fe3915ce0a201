"""What the page says about votes, in HTML; whatever somebody typed stays text.

share(Share(9, 10, 0.60, 0.98))       "9 of 10 (90 %, 60–98 %)"
kappa(Agreement(0.61, 0.52, 0.70, …))     "0.61 (0.52 to 0.70)"
"""

from collections.abc import Iterable, Sequence
from html import escape
from time import gmtime, strftime

from ...arena import Agreements, LabellerQuality, Overview, Progress, PushStatus, Settings, Share, Standing
from ...evaluation.agreement import Agreement
from ...evaluation.win_rate import WinRate

_ENOUGH = 0.6
_NO_PAIR = "not yet: no pair has two votes"


def share(found: Share) -> str:
    """How many of how many, with the interval.

    Args:
        found ([`Share`]): counts.

    Returns:
        `str`: plain text.
    """
    if found.rate is None or found.low is None or found.high is None:
        return "none yet"
    return f"{found.hits} of {found.total} ({found.rate:.0%}, {found.low * 100:.0f}–{found.high:.0%})"


def kappa(found: Agreement | None, none: str = "not yet: it takes two pairs that others have judged as well") -> str:
    """A chance-corrected agreement, with the interval.

    Args:
        found ([`Agreement`], *optional*): None if there is too little.
        none (`str`, *optional*): what is said then.

    Returns:
        `str`: plain text.
    """
    if found is None:
        return none
    if found.value is None:
        return f"not defined: {found.cause}"
    if found.low is None or found.high is None:
        return f"{found.value:.2f} (no interval: {found.cause})"
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"


def report(progress: Progress, quality: LabellerQuality, agreement: Agreements, settings: Settings) -> str:
    """How somebody is doing.

    Args:
        progress ([`Progress`]): counts.
        quality ([`LabellerQuality`]): of this labeller.
        agreement ([`Agreements`]): of all labellers.
        settings ([`Settings`]): of the campaign.

    Returns:
        `str`: HTML.
    """
    total, side = progress.votes + progress.available, quality.position
    own = [
        ("Gold questions right", share(quality.gold), _bar(quality.gold)),
        ("Same answer when a pair came again", share(quality.repeats), _bar(quality.repeats)),
        ("Same choice as most others", share(quality.others), _bar(quality.others)),
        ("κ with most others", kappa(quality.kappa), _gauge(quality.kappa)),
        ("Chosen as A : as B : tie", f"{side.first} : {side.second} : {side.ties}", ""),
        ("Skipped", share(quality.skipped), ""),
        ("Seconds a vote, median", "none yet" if quality.seconds is None else f"{quality.seconds:.1f}", ""),
    ]
    flags = "".join(f"<li>{escape(flag)}</li>" for flag in quality.flags)
    warning = f'<ul class="ar-flags">{flags}</ul>' if flags else ""
    return (
        f'<p class="ar-count"><b>{progress.votes}</b> of about {total} pairs judged</p>'
        f'<progress max="{max(total, 1)}" value="{progress.votes}" aria-label="pairs judged"></progress>'
        f"{warning}<h3>My votes</h3>{_facts(own)}<h3>All labellers: {agreement.labellers}</h3>{_together(agreement)}"
        f'<p class="ar-soft">In brackets: 95 % intervals. κ and α are 1 where all agree, and 0 where agreement is no '
        f"better than chance. Your votes are published under {escape(settings.license)}.</p>"
    )


def _together(agreement: Agreements) -> str:
    return _facts(
        [
            ("α of the choices", kappa(agreement.choice, _NO_PAIR), _gauge(agreement.choice)),
            ("α of the degrees", kappa(agreement.degree, _NO_PAIR), _gauge(agreement.degree)),
            ("Votes, and pairs", f"{agreement.votes} on {agreement.pairs}", ""),
        ]
    )


def results(standings: Sequence[Standing]) -> str:
    """Who wins, a row for every two systems.

    Args:
        standings (`Sequence[Standing]`): of the arena.

    Returns:
        `str`: HTML.
    """
    if not standings:
        return '<p class="ar-soft">Nobody has voted yet.</p>'
    rows = "".join(
        f'<tr><th scope="row">{escape(line.a)}</th><td>{escape(line.b)}</td><td>{_rate(line.win_rate)}</td>'
        f"<td>{_interval(line.win_rate)}</td><td>{line.win_rate.wins} : {line.win_rate.ties} : "
        f"{line.win_rate.losses}</td><td>{line.win_rate.p:.3f}</td><td>{line.votes}</td></tr>"
        for line in standings
    )
    heads = ("System", "against", "wins", "95 % interval", "won : tied : lost", "p", "votes")
    return (
        f'<div class="ar-wide"><table class="ar-table">{_head(heads)}<tbody>{rows}</tbody></table></div>'
        '<p class="ar-soft">One outcome a prompt: what most votes on it say. Wins are of the prompts that were '
        "decided, with Wilson's interval; p is the exact sign test's. Sides were drawn by the server, and nobody knew "
        "who made what before the vote.</p>"
    )


def overview(found: Overview, warnings: Iterable[str], push: tuple[str, PushStatus] | None) -> str:
    """What there is, for whoever runs the arena.

    Args:
        found ([`Overview`]): counts.
        warnings (`Iterable[str]`): of the storage.
        push (`tuple`, *optional*): repository and status of the scheduled push.

    Returns:
        `str`: HTML.
    """
    said = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
    return (f'<ul class="ar-flags">{said}</ul>' if said else "") + _facts(
        [
            ("Pairs", _counts(found.pairs), ""),
            ("Pairs that need votes", str(found.unfinished), ""),
            ("Systems", ", ".join(found.systems), ""),
            ("Labellers", str(found.labellers), ""),
            ("Votes", f"{_counts(found.votes)}; taken back: {found.retracted}", ""),
            ("Skipped", _counts(found.skipped), ""),
            ("Store", f"{found.bytes / 2**20:.1f} MB", ""),
            ("Push to the Hub", _pushed(push), ""),
        ]
    )


def labellers(found: Sequence[LabellerQuality]) -> str:
    """How good everybody's votes are, a row for each.

    Args:
        found (`Sequence[LabellerQuality]`): of the arena.

    Returns:
        `str`: HTML.
    """
    if not found:
        return '<p class="ar-soft">Nobody has voted yet.</p>'
    rows = "".join(
        f'<tr><th scope="row"><code>{escape(one.labeller)}</code></th><td>{one.votes}</td><td>{share(one.gold)}</td>'
        f"<td>{share(one.repeats)}</td><td>{share(one.others)}</td><td>{escape(_short_kappa(one.kappa))}</td>"
        f"<td>{'' if one.seconds is None else f'{one.seconds:.1f} s'}</td>"
        f"<td>{escape('; '.join(one.flags))}</td></tr>"
        for one in found
    )
    heads = ("Pseudonym", "votes", "gold right", "repeats as before", "as most others", "κ", "median", "flags")
    return f'<div class="ar-wide"><table class="ar-table">{_head(heads)}<tbody>{rows}</tbody></table></div>'


def couples(agreement: Agreements) -> str:
    """κ of every two labellers who share pairs.

    Args:
        agreement ([`Agreements`]): of the arena.

    Returns:
        `str`: HTML.
    """
    rows = "".join(
        f"<tr><td><code>{escape(a)}</code></td><td><code>{escape(b)}</code></td><td>{escape(kappa(found))}</td>"
        f"<td>{found.items}</td></tr>"
        for a, b, found in agreement.couples
    )
    table = f'<table class="ar-table">{_head(("Labeller", "and", "κ", "pairs"))}<tbody>{rows}</tbody></table>'
    return _together(agreement) + (f'<div class="ar-wide">{table}</div>' if rows else "")


def _head(names: Iterable[str]) -> str:
    return "<thead><tr>" + "".join(f'<th scope="col">{escape(name)}</th>' for name in names) + "</tr></thead>"


def _facts(rows: Iterable[tuple[str, str, str]]) -> str:
    lines = "".join(f"<dt>{escape(name)}</dt><dd>{escape(said)}{picture}</dd>" for name, said, picture in rows)
    return f'<dl class="ar-facts">{lines}</dl>'


def _bar(found: Share) -> str:
    return "" if found.rate is None else _meter(found.rate)


def _gauge(found: Agreement | None) -> str:
    return "" if found is None or found.value is None else _meter(max(0.0, found.value))


def _meter(value: float) -> str:
    # What it says stands beside it in words.
    return f'<meter min="0" max="1" low="{_ENOUGH}" optimum="1" value="{value:.2f}" aria-hidden="true"></meter>'


def _short_kappa(found: Agreement | None) -> str:
    return "" if found is None or found.value is None else kappa(found)


def _rate(found: WinRate) -> str:
    return "undecided" if found.rate is None else f"<b>{found.rate:.0%}</b>{_meter(found.rate)}"


def _interval(found: WinRate) -> str:
    return "" if found.interval is None else f"{found.interval[0] * 100:.0f}–{found.interval[1]:.0%}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "none"


def _pushed(push: tuple[str, PushStatus] | None) -> str:
    if push is None:
        return "off"
    name, status = push
    last = "not yet" if status.pushed_at is None else strftime("%Y-%m-%d %H:%M UTC", gmtime(status.pushed_at))
    return f"{name}, last {last}" + (f"; {status.failures} failures: {status.error}" if status.error else "")
