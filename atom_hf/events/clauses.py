"""One clause of a text → what happens in it: a verb or a noun phrase, then count, side, direction and manner.

"takes three steps forward with his left foot" → Draft("step", count=3, side="left", direction="forward")
"""

from contextlib import suppress
from dataclasses import dataclass

from .actions import ACTIONS
from .lexicon import (
    ACTION_FILLERS,
    ADVERBS,
    DIRECTIONS,
    IDLE,
    LIGHT_VERBS,
    MOTION_NOUNS,
    NOT_A_DIRECTION,
    NOUNS,
    OPPOSITES,
    POSSESSIVES,
    STYLES,
    TIMES,
    TURN_DIRECTIONS,
    VAGUE,
    VERBS,
    Head,
)
from .scenario import Event
from .words import Cursor, ScenarioParseError

_LIMBS = {"arm", "hand", "fist", "leg", "foot"}
_PLURALS = {"feet": "foot", **{f"{limb}s": limb for limb in _LIMBS - {"foot"}}}
_ADJECTIVES = ("small", "big", "large", "quick", "slow", "brisk", "more", "single", "little", "long", "short")
_MODIFIERS = ("left", "right", "forward", "backward", "back")


@dataclass
class Draft:
    """What a clause says, before it is known to fit the table.

    Args:
        action (`str`): a name of the table, `"idle"` for what is no event, or `"stand"` for standing or standing up.
        count (`int`, *optional*): repetitions, where they are said.
        side (`str`, *optional*): side of the body.
        direction (`str`, *optional*): where to; `"back"` where it depends on what was before.
        at (`int`): index of its first word.
        end (`int`): index behind its last word.
        form (`str`): form of its verb, `"finite"`, `"gerund"` or `"noun"`.
    """

    action: str
    count: int | None = None
    side: str | None = None
    direction: str | None = None
    at: int = 0
    end: int = 0
    form: str = "finite"


class ClauseReader:
    """Reads clauses at a cursor.

    Args:
        cursor ([`Cursor`]): the text.
    """

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.understood: list[Event] = []  # in the order of the text, for errors
        self._draft: Draft | None = None  # the clause in hand

    def head(self) -> tuple[Draft, int] | None:
        """What a verb or a noun phrase at the cursor begins, unread.

        Returns:
            `tuple[Draft, int] | None`: the draft and the number of words its head has; `None` if none begins here.
        """
        cursor = self.cursor
        start = cursor.at
        while (adverb := cursor.match(ADVERBS)) and not cursor.match(IDLE):
            cursor.at += adverb[1]
        draft = self._light() or self._verb() or self._noun()  # "throws a punch" is no throw
        length = cursor.at - start
        cursor.at = start
        if draft is None:
            return None
        draft.at = start
        return draft, length

    def clause(self) -> list[Draft]:
        """Read a clause: verb or noun phrase with all that belongs to it.

        Returns:
            `list[Draft]`: one draft, or several where directions or sides are coordinated ("turns left and right").

        Raises:
            ScenarioParseError: if none begins here, or something in it is not known or contradicts itself.
        """
        found = self.head()
        if found is None:
            raise self.error("")
        draft, length = found
        self.cursor.at += length
        drafts = [draft]
        if draft.action not in ("idle", "stand"):
            self._details(draft)
            draft.end = self.cursor.at
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
                direction = None if draft.direction == "back" else draft.direction
                understood.append(Event(draft.action, draft.count or 1, draft.side, direction))
        return self.cursor.error(why, understood, stopped_at)

    # -- heads -------------------------------------------------------------------------------------------------------

    def _verb(self) -> Draft | None:
        idle, verb = self.cursor.match(IDLE), self.cursor.match(VERBS)
        if idle and (verb is None or idle[1] > verb[1]):
            form = "gerund" if self.cursor.word.endswith("ing") else "finite"
            self.cursor.at += idle[1]
            return Draft(idle[0], form=form)
        if verb is None:
            return None
        head: Head = verb[0]
        self.cursor.at += verb[1]
        draft = Draft(head.action, form=head.form)
        return draft

    def _light(self) -> Draft | None:
        """A light verb with its noun phrase: "does two squats", "makes a waving motion"."""
        cursor = self.cursor
        start = cursor.at
        if (light := cursor.match(LIGHT_VERBS)) is None:
            return None
        cursor.at += light[1]
        draft = self._noun()
        if draft is None:
            cursor.at = start
            return None
        draft.form = light[0]
        return draft

    def _noun(self) -> Draft | None:
        """A noun phrase: "two jumps", "a left turn", "a few steps", "a kicking motion with ..."."""
        cursor = self.cursor
        start = cursor.at
        draft = Draft("", form="noun")
        few = cursor.take("a few", "several", "some", "a couple more", "a few more")
        if cursor.take("a couple of", "a couple"):
            draft.count = 2
        elif not few and not cursor.take("a", "an", "another"):
            draft.count = cursor.take_number()
            cursor.take("more")
        self._adjectives()
        if not few and draft.count is None and cursor.at == start and cursor.word not in _MODIFIERS:
            return None  # a bare plural such as "squats" is read as a verb
        modifier = cursor.word if cursor.word in _MODIFIERS else None
        limb = None
        noun = cursor.match(NOUNS)
        if modifier and not noun:
            cursor.at += 1
            if cursor.word in _LIMBS:
                limb, cursor.at = cursor.word, cursor.at + 1
            noun = cursor.match(NOUNS)
        else:
            modifier = None
        if noun:
            draft.action, _, draft.direction = noun[0].partition(" ")
            draft.direction = draft.direction or None
            cursor.at += noun[1]
        elif (verb := cursor.match(VERBS)) and verb[0].form == "gerund" and cursor.peek(verb[1]) in MOTION_NOUNS:
            draft.action = verb[0].action
            cursor.at += verb[1] + 1
        else:
            cursor.at = start
            return None
        self._modify(draft, modifier, limb)
        if few and draft.action == "step":
            draft.action = "walk"
        elif few:
            cursor.at = start
            return None
        return draft

    def _adjectives(self) -> None:
        while self.cursor.word in _ADJECTIVES:
            self.cursor.at += 1

    def _modify(self, draft: Draft, modifier: str | None, limb: str | None) -> None:
        if modifier is None:
            return
        sided = ACTIONS[draft.action].sides and draft.action != "step"
        if limb is not None or (sided and modifier in ("left", "right")):
            draft.side = modifier
        else:
            draft.direction = modifier

    # -- what belongs to a head --------------------------------------------------------------------------------------

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
        cursor.take("for", "exactly", "about", "a total of")
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
        plural = cursor.word in _PLURALS
        limb = _PLURALS.get(cursor.word, cursor.word)
        if draft.action == "jump" and on and limb in ("foot", "leg") and not plural:
            draft.action = "hop"
        elif draft.action == "hop" and both and plural and limb in ("foot", "leg"):
            draft.action, cursor.at = "jump", cursor.at + 1
            return True
        action = ACTIONS[draft.action]
        if limb not in _LIMBS or (cursor.at == start and not plural):
            bare = side and owned and self.cursor.words[start] in ("with", "using")  # "with his left"
            if not bare or action.limb is None:
                cursor.at = start
                return False
        elif limb not in (action.limb, *action.limb_synonyms):
            at, cursor.at = cursor.at, start
            verb = " ".join(cursor.words[draft.at : start])
            why = f"{verb!r} goes with {' or '.join((action.limb, *action.limb_synonyms))}" if action.limb else ""
            raise self.error(why, " ".join(cursor.words[start : at + 1]))
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
        return (*ACTIONS[draft.action].directions, "back")

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
        if cursor.word == "like" or cursor.rest(2) in ("as if", "as though"):
            while cursor.word and cursor.word not in (",", ".", ";", "then", "before", "after", "while", "and"):
                cursor.at += 1
            return True
        return False

    def _settle(self, draft: Draft) -> None:
        """Check the draft against the table while the place in the text is known."""
        words = " ".join(self.cursor.words[draft.at : draft.end])
        if draft.action == "raise_arm" and not any(word in words.split() for word in (*_LIMBS, *_PLURALS)):
            self._draft = None
            raise self.error("only arms and hands are raised in the table of actions; say which", f"{words} {self.cursor.rest()}")
        direction = None if draft.direction == "back" else draft.direction  # decided by what was before
        try:
            event = Event(draft.action, 1 if draft.count is None else draft.count, draft.side, direction)
        except ValueError as error:
            self._draft = None
            raise self.error(str(error).removesuffix("."), words) from None
        self.understood.append(event)
        self._draft = None

    def _contradiction(self, draft: Draft, first: str, second: str, start: int) -> ScenarioParseError:
        words = " ".join(self.cursor.words[start : self.cursor.at])
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
                    " ".join(cursor.words[draft.at : end]),
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
