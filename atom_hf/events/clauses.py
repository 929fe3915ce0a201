"""One clause of a text → what happens in it: a verb or a noun phrase, then count, side, direction and manner.

"takes three steps forward with his left foot" → Draft("step", count=3, side="left", direction="forward")
"""

from contextlib import suppress

from .actions import ACTIONS
from .heads import Draft, HeadReader
from .lexicon import (
    ACTION_FILLERS,
    ADVERBS,
    DIRECTIONS,
    LIMBS,
    NOT_A_DIRECTION,
    NOUNS,
    OPPOSITES,
    PLURALS,
    STYLES,
    TIMES,
    TURN_DIRECTIONS,
    VAGUE,
)
from .phrases import POSSESSIVES
from .scenario import Event
from .words import Cursor, ScenarioParseError

_DECIDED_LATER = ("back", "return")  # directions that depend on what was before


class ClauseReader(HeadReader):
    """Reads clauses at a cursor: heads with all that belongs to them.

    Args:
        cursor ([`Cursor`]): the text.
    """

    def __init__(self, cursor: Cursor) -> None:
        super().__init__(cursor)
        self.understood: list[Event] = []  # in the order of the text, for errors
        self._draft: Draft | None = None  # the clause in hand

    def clause(self) -> list[Draft]:
        """Read a clause: verb or noun phrase with all that belongs to it.

        Returns:
            `list[Draft]`: one draft, or several where directions or sides are coordinated ("turns left and right").

        Raises:
            ScenarioParseError: if none begins here, or something in it is not known or contradicts itself.
        """
        tool = self._tool()
        found = self.head()
        if found is None:
            raise self.error()
        draft, length = found
        self.cursor.at += length
        drafts = [draft]
        if draft.action not in ("idle", "stand"):
            self._details(draft)
            draft.end = self.cursor.at
            if tool is not None:
                end, self.cursor.at = self.cursor.at, tool
                self._side(draft)  # again, now that the action is known
                self.cursor.at = end
            self._settle(draft)
            while (more := self._elliptical(drafts[-1])) is not None:
                drafts.append(more)
        else:
            self._manner()
        return drafts

    def error(self, why: str = "", stopped_at: str | None = None) -> ScenarioParseError:
        """The error for what stands at the cursor.

        Args:
            why (`str`, *optional*, defaults to `""`): the reason, without its full stop; empty for "not known".
            stopped_at (`str`, *optional*): the words in question, the next ones by default.

        Returns:
            [`ScenarioParseError`]: to be raised.
        """
        understood = list(self.understood)
        if self._draft is not None:
            draft = self._draft
            with suppress(ValueError):
                direction = None if draft.direction in _DECIDED_LATER else draft.direction
                understood.append(Event(draft.action, draft.count or 1, draft.side, direction))
        return self.cursor.error(why, understood, stopped_at)

    def _tool(self) -> int | None:
        """Where the limb stands in "uses the left leg to kick"; the cursor is left at the verb."""
        cursor = self.cursor
        start = cursor.at
        if not cursor.take("uses", "use", "used", "using"):
            return None
        limb, words = cursor.at, 0
        while cursor.word and cursor.word != "to" and words < 5:
            cursor.at, words = cursor.at + 1, words + 1
        if words and cursor.words[cursor.at - 1] in (*LIMBS, *PLURALS) and cursor.take("to"):
            cursor.insert(limb, "with")  # then it reads like "kicks with the left leg"
            return limb
        cursor.at = start
        return None

    def _details(self, draft: Draft) -> None:
        self._draft = draft
        while self.cursor.word and (
            self._filler(draft) or self._count(draft) or self._manner() or self._side(draft) or self._direction(draft)
        ):
            pass

    def _filler(self, draft: Draft) -> bool:
        """Words that say nothing more about this action, where no longer direction or side begins here."""
        cursor = self.cursor
        filler = cursor.match(ACTION_FILLERS[draft.action])
        direction = self._longest_direction(draft)
        if filler is None or (direction and direction[0] in self._known(draft) and direction[1] >= filler[1]):
            return False
        cursor.at += filler[1]
        return True

    def _count(self, draft: Draft) -> bool:
        cursor = self.cursor
        start = cursor.at
        cursor.take("for", "exactly", "a total of")
        if cursor.word in VAGUE or (cursor.word == "a" and cursor.peek() in ("few", "number")):
            rest = cursor.rest(4)
            cursor.at = start
            if cursor.peek() in ("times", "time", "few") or "times" in rest or rest.startswith("repeatedly"):
                raise self.error("this is no exact number; say how many times, such as 'twice'")
            return False
        number = TIMES.get(cursor.word)
        if number is not None:
            cursor.at += 1
        elif cursor.take("a couple of", "a couple"):
            number = 2
            if not self._unit(draft):
                cursor.at = start
                return False
        else:
            number = cursor.take_number()
            if number is None or not self._unit(draft):
                cursor.at = start
                return False
        if draft.count is not None:
            raise self._contradiction(draft, f"{draft.count} times", f"{number} times", start)
        draft.count = number
        return True

    def _unit(self, draft: Draft) -> bool:
        """What a number counts: "times", or the noun of the action; steps make a walk a number of steps."""
        cursor = self.cursor
        cursor.take("more", "small", "big", "large", "quick", "slow")
        if cursor.take("times", "time"):
            return True
        noun = cursor.match(NOUNS)
        if noun and noun[0] == "step" and draft.action == "walk":
            draft.action = "step"
        elif noun is None or noun[0] not in (draft.action, "hop" if draft.action == "jump" else ""):
            return False
        cursor.at += noun[1]
        return True

    def _side(self, draft: Draft) -> bool:
        cursor = self.cursor
        start = cursor.at
        on = cursor.word == "on"
        cursor.take("with", "using", "on", "onto", "by using")
        both = cursor.take("both of", "both")
        one = cursor.take("a", "an", "one of", "one")
        owned = cursor.word in POSSESSIVES and bool(cursor.take(cursor.word))
        side = cursor.word if cursor.word in ("left", "right") else None
        cursor.take("left", "right")
        plural = cursor.word in PLURALS
        limb = PLURALS.get(cursor.word, cursor.word)
        if draft.action == "jump" and on and limb in ("foot", "leg") and not plural:
            draft.action = "hop"
        elif draft.action == "hop" and both and plural and limb in ("foot", "leg"):
            draft.action, cursor.at = "jump", cursor.at + 1
            return True
        action = ACTIONS[draft.action]
        if limb not in LIMBS or (cursor.at == start and not plural):
            bare = side and owned and self.cursor.words[start] in ("with", "using")  # "with his left"
            if not bare or action.limb is None:
                cursor.at = start
                return False
        elif limb not in (action.limb, *action.limb_synonyms):
            at, cursor.at = cursor.at, start
            verb = cursor.said(draft.at, start)
            why = f"{verb!r} goes with {' or '.join((action.limb, *action.limb_synonyms))}" if action.limb else ""
            raise self.error(why, cursor.said(start, at + 1))
        else:
            cursor.at += 1
        if both or (plural and not one and side is None):
            side = "both"
        if side is None:
            return True
        if draft.side not in (None, side):
            raise self._contradiction(draft, f"{draft.side} {limb}", f"{side} {limb}", start)
        draft.side = side
        return True

    def _known(self, draft: Draft) -> tuple[str, ...]:
        return (*ACTIONS[draft.action].directions, "back", *(["return"] if draft.action in ("walk", "run") else []))

    def _direction(self, draft: Draft) -> bool:
        cursor = self.cursor
        if cursor.match(NOT_A_DIRECTION):
            raise self.error("a way there and back is two events; say both")
        found = self._longest_direction(draft)
        if found is None:
            return False
        direction, length = found
        start = cursor.at
        if direction not in self._known(draft):
            known = ACTIONS[draft.action].directions
            expected = f"one of {', '.join(known)}" if known else "none"
            raise self.error(f"the direction of {draft.action} is {expected}")
        if draft.direction not in (None, direction):
            raise self._contradiction(draft, draft.direction, direction, start)
        cursor.at += length
        draft.direction = direction
        return True

    def _longest_direction(self, draft: Draft) -> tuple[str, int] | None:
        tables = (DIRECTIONS, TURN_DIRECTIONS) if draft.action == "turn" else (DIRECTIONS,)
        found = [match for table in tables if (match := self.cursor.match(table))]
        return max(found, key=lambda match: match[1], default=None)

    def _manner(self) -> bool:
        """Adverbs, styles in parentheses and similes."""
        cursor = self.cursor
        if found := cursor.match(ADVERBS):
            cursor.at += found[1]
            return True
        if cursor.word == "(" and cursor.peek() in STYLES and cursor.peek(2) == ")":
            cursor.at += 3
            return True
        if cursor.word == "like" or cursor.rest(2).lower() in ("as if", "as though"):
            while cursor.word and cursor.word not in (",", ".", ";", "then", "before", "after", "while", "and"):
                cursor.at += 1
            return True
        return False

    def _settle(self, draft: Draft) -> None:
        """Check the draft against the table while the place in the text is known."""
        words = self.cursor.said(draft.at, draft.end)
        if draft.action == "raise_arm" and not self._names_a_limb(draft):
            self._draft = None
            raise self.error(
                "only arms and hands are raised in the table of actions; say which",
                self.cursor.said(draft.at, draft.end + 3),
            )
        direction = None if draft.direction in _DECIDED_LATER else draft.direction
        try:
            event = Event(draft.action, 1 if draft.count is None else draft.count, draft.side, direction)
        except ValueError as error:
            self._draft = None
            raise self.error(str(error).removesuffix("."), words) from None
        self.understood.append(event)
        self._draft = None

    def _names_a_limb(self, draft: Draft) -> bool:
        return not {*LIMBS, *PLURALS}.isdisjoint(self.cursor.words[draft.at : draft.end])

    def _contradiction(self, draft: Draft, first: str, second: str, start: int) -> ScenarioParseError:
        words = self.cursor.said(start, self.cursor.at)
        self.cursor.at = start
        return self.error(f"it says {first}, then {second}; say one, or two events with 'then' between", words or None)

    def _elliptical(self, draft: Draft) -> Draft | None:
        """A second event of the same action: "turns left and then right", "with the left hand, then the right"."""
        cursor = self.cursor
        start = cursor.at
        then = cursor.take(", and then", ", then", "and then", "then", "followed by")
        if not then and not cursor.take("and"):
            return None
        more = Draft(draft.action, at=cursor.at, form=draft.form)
        head = self.head()
        if head is not None and head[0].form != "noun":
            cursor.at = start
            return None
        counted = cursor.word in TIMES and self._count(more)
        found = self._longest_direction(draft)
        if found and draft.direction and found[0] in self._known(draft):
            opposed = frozenset((draft.direction, found[0])) in OPPOSITES or draft.action == "turn"
            if not (then or opposed or counted):
                end, cursor.at = cursor.at + found[1], start
                raise self.error(
                    f"{draft.direction} and {found[0]} at once is no direction of the table; say one, or 'then'",
                    cursor.said(draft.at, end),
                )
            cursor.at += found[1]
            more.direction, more.side = found[0], draft.side
        elif draft.side and self._side(more) and more.side:
            more.direction = draft.direction
        head = self.head()
        said = more.direction is not None or more.side not in (None, draft.side)
        if not said or (head is not None and head[0].form != "noun"):  # it opens a clause of its own
            cursor.at = start
            return None
        self._details(more)
        more.end = cursor.at
        self._settle(more)
        return more
