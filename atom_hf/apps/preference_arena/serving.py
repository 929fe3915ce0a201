"""From settings to an arena that is ready: its folder, its pairs, and the push to the Hub.

with open_arena(PageSettings.of_environment()) as place:
    make_app(place.arena, push=place.push).launch(…)
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

from ...arena import Arena, PairItem, ScheduledPush
from ...arena.arena import STORE
from ...arena.results import systems
from ...arena.store import Store
from .campaign import read_pairs, trial_pairs
from .settings import PageSettings

_LOG = logging.getLogger(__name__)


class Place(NamedTuple):
    """An arena that is ready.

    Args:
        arena ([`Arena`]): with its pairs.
        push ([`ScheduledPush`], *optional*): where votes are pushed.
        new (`int`): pairs that were added.
    """

    arena: Arena
    push: ScheduledPush | None
    new: int


@contextmanager
def open_arena(settings: PageSettings, pairs: Iterable[PairItem] | None = None) -> Iterator[Place]:
    """Open an arena, see that it has pairs, and close it in the end.

    A store that has pairs already is not filled with the campaign to try.

    Args:
        settings ([`PageSettings`]): how it is run.
        pairs (`Iterable[PairItem]`, *optional*): to be added; those of the settings by default.

    Yields:
        [`Place`]: the arena.

    Raises:
        StoreError: if votes could not be kept.
        ArenaError: if pairs do not fit together.
    """
    arena = Arena(settings.store, admin_secret=settings.admin_secret, pushed=settings.push is not None)
    try:
        arena = _with_access(arena, settings)
        for warning in arena.warnings:
            _LOG.warning("%s", warning)
        new = arena.add_pairs(pairs or _pairs(arena, settings))
        push = None if settings.push is None else ScheduledPush(arena.export, settings.push, every=settings.push_every)
        try:
            yield Place(arena, push, new)
        finally:
            if push is not None:
                push.stop()
    finally:
        arena.close()


def _with_access(arena: Arena, settings: PageSettings) -> Arena:
    if settings.access in (None, arena.settings.access):
        return arena
    wanted = replace(arena.settings, access=settings.access)
    arena.close()
    return Arena(settings.store, wanted, admin_secret=settings.admin_secret, pushed=settings.push is not None)


def _pairs(arena: Arena, settings: PageSettings) -> Iterable[PairItem]:
    if settings.pairs is not None:
        return read_pairs(settings.pairs)
    if _has_pairs(arena):
        return ()
    _LOG.info("No pairs were named: making a campaign to try.")
    return trial_pairs()


def _has_pairs(arena: Arena) -> bool:
    store = Store(arena.folder / STORE)
    try:
        return bool(systems(store))
    finally:
        store.close()
