"""What the page of labellers asks the server for: plain data in, plain data out, errors in words.

service.sign_in({"name": "ann"})                       {"screen": "consent", "key": "…", "code": "K7Q2-…"}
service.vote({"key": …, "ballot": …, "answer": {"choice": "first", "degree": "better"}, "token": "…"})
    {"saved": {"at": "…", "feedback": None, "systems": None}, "next": {"screen": "ballot", "ballot": {…}, …}}
    {"error": "That was too fast; …", "kind": "wait", "after": 2.5}

`key` proves who somebody is. The browser of this labeller keeps it and sends it along; the server has a hash of it.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from ...arena import (
    GIVEN_DEGREES,
    REASONS,
    Acknowledgement,
    Arena,
    ArenaError,
    Ballot,
    BallotError,
    NotAllowed,
    Session,
    StoreError,
    TooFast,
)
from . import words
from .ballots import shown_ballot

_LOG = logging.getLogger(__name__)
_LONGEST = 1000  # letters of a key, an id or a token
Reply = dict[str, Any]


class LabelService:
    """The calls of the labellers' page. No two calls share anything but the arena, so threads may come at once.

    Args:
        arena ([`Arena`]): the campaign.
        hub (`bool`, *optional*, defaults to `False`): whether the server signs people in with Hugging Face.
    """

    def __init__(self, arena: Arena, *, hub: bool = False) -> None:
        self.arena, self.hub = arena, hub

    def about(self) -> Reply:
        """What is the same for everybody.

        Returns:
            `dict[str, Any]`: texts and choices of the campaign, without names of systems.
        """
        settings = self.arena.settings
        return {
            "title": settings.title,
            "consent": settings.consent,
            "license": settings.license,
            "access": settings.access,
            "hub": self.hub,
            "degrees": list(reversed(GIVEN_DEGREES)),
            "reasons": list(REASONS),
            "undo": not settings.reveal,
        }

    def enter(self, call: object, address: str | None = None, verified: str | None = None) -> Reply:
        """Where somebody is who opens the page, or comes back to it.

        Args:
            call (`Mapping`): with `key`, if the browser has one.
            address (`str`, *optional*): from where.
            verified (`str`, *optional*): user name that the server has from Hugging Face; it goes before the key.

        Returns:
            `dict[str, Any]`: a screen: `"sign-in"`, `"consent"`, `"ballot"` or `"done"`.
        """

        def entered() -> Reply:
            if verified is not None:
                return self._arrived(self.arena.sign_in_verified(verified, address=address), address)
            key = _text(call, "key", "")
            if not key or self.hub:
                return {"screen": "sign-in"}
            return self._where(key, address)

        return _answered(entered)

    def sign_in(self, call: object, address: str | None = None) -> Reply:
        """Sign somebody in by name, and by the name's code if it has one.

        Args:
            call (`Mapping`): with `name` and `code`.
            address (`str`, *optional*): from where.

        Returns:
            `dict[str, Any]`: a screen with `key`, and with `code` for a name that was free.
        """

        def signed_in() -> Reply:
            if self.hub:
                raise NotAllowed("Please sign in with Hugging Face.")
            name, code = _text(call, "name"), _text(call, "code", "")
            return self._arrived(self.arena.sign_in(name, code or None, address=address), address)

        return _answered(signed_in)

    def consent(self, call: object, address: str | None = None) -> Reply:
        """Write down that somebody agrees, or no longer does.

        Args:
            call (`Mapping`): with `key` and `given`.
            address (`str`, *optional*): from where.

        Returns:
            `dict[str, Any]`: a screen.
        """

        def agreed() -> Reply:
            key, given = _text(call, "key"), _field(call, "given", None)
            if not isinstance(given, bool):
                raise ArenaError("Expected yes or no to the consent.")
            self.arena.consent(key, given)
            return self._where(key, address)

        return _answered(agreed)

    def vote(self, call: object, address: str | None = None) -> Reply:
        """Take a vote, then say what is next. The same call again gives the same acknowledgement.

        Args:
            call (`Mapping`): with `key`, `ballot`, `answer` and `token`.
            address (`str`, *optional*): from where.

        Returns:
            `dict[str, Any]`: `saved`, once the vote is on the disk, and `next`.
        """

        def voted() -> Reply:
            key, answer = _text(call, "key"), _field(call, "answer", {})
            saved = self.arena.vote(key, _text(call, "ballot"), answer, _text(call, "token"), address=address)
            # The vote is kept, whatever becomes of the rest.
            return {"saved": _saved(saved), "next": _answered(lambda: self._where(key, None))}

        return _answered(voted)

    def undo(self, call: object, address: str | None = None) -> Reply:
        """Take the last vote back.

        Args:
            call (`Mapping`): with `key` and `token`.
            address (`str`, *optional*): from where.

        Returns:
            `dict[str, Any]`: the screen with that pair.
        """

        def undone() -> Reply:
            key = _text(call, "key")
            ballot = self.arena.undo(key, _text(call, "token"))
            return self._screen(key, ballot)

        return _answered(undone)

    def report(self, call: object, address: str | None = None) -> Reply:
        """How somebody's votes compare, now.

        Args:
            call (`Mapping`): with `key`.
            address (`str`, *optional*): from where.

        Returns:
            `dict[str, Any]`: `html`.
        """

        def reported() -> Reply:
            key = _text(call, "key")
            progress, quality = self.arena.progress(key), self.arena.quality(key)
            return {"html": words.report(progress, quality, self.arena.agreement(), self.arena.settings)}

        return _answered(reported)

    def results(self, call: object, address: str | None = None) -> Reply:
        """Who wins; for those alone whose judgement it can no longer sway.

        Args:
            call (`Mapping`): with `key`.
            address (`str`, *optional*): from where.

        Returns:
            `dict[str, Any]`: `html`.
        """

        def told() -> Reply:
            key = _text(call, "key")
            progress = self.arena.progress(key)
            if not self.arena.settings.reveal and (self.arena.next_ballot(key, address=address) or not progress.votes):
                raise NotAllowed(
                    "Results are shown once you have no pairs left: whoever still votes had better not know them."
                )
            return {"html": words.results(self.arena.standings())}

        return _answered(told)

    def _arrived(self, session: Session, address: str | None) -> Reply:
        place = self._where(session.key, address) if session.consented else {"screen": "consent"}
        return {**place, "key": session.key, "code": session.code}

    def _where(self, key: str, address: str | None) -> Reply:
        self.arena.progress(key)  # whoever is not signed in, or blocked, is told so here
        try:
            ballot = self.arena.next_ballot(key, address=address)
        except NotAllowed:  # the consent is missing, or its text is a new one
            return {"screen": "consent"}
        return self._screen(key, ballot)

    def _screen(self, key: str, ballot: Ballot | None) -> Reply:
        progress = self.arena.progress(key)._asdict()
        if ballot is None:
            return {"screen": "done", "progress": progress}
        return {"screen": "ballot", "progress": progress, "ballot": shown_ballot(ballot)}


def _saved(saved: Acknowledgement) -> Reply:
    feedback = None if saved.feedback is None else saved.feedback._asdict()
    return {"at": saved.at, "ballot": saved.ballot_id, "feedback": feedback, "systems": saved.systems}


def _answered(work: Callable[[], Reply]) -> Reply:
    """What came of a call; what people cause or can do something about is told in words."""
    try:
        return work()
    except TooFast as error:
        return {"error": str(error), "kind": "wait", "after": error.retry_after}
    except NotAllowed as error:
        return {"error": str(error), "kind": "not allowed"}
    except BallotError as error:
        return {"error": str(error), "kind": "ballot"}
    except ArenaError as error:
        return {"error": str(error), "kind": "refused"}
    except StoreError as error:
        _LOG.error("%s", error)
        return {"error": "The server cannot save anything just now; your vote waits in this browser.", "kind": "store"}


def _field(call: object, name: str, default: Any) -> Any:
    if not isinstance(call, Mapping):
        raise ArenaError("Expected a call with fields; please load the page again.")
    return call.get(name, default)


def _text(call: object, name: str, default: str | None = None) -> str:
    value = _field(call, name, default)
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise ArenaError(f"Expected {name} as text of at most {_LONGEST} letters; please load the page again.")
    return value
