"""What a clause begins with: a verb of the table, a light verb with its noun, or a noun phrase.

"takes three steps ..." → Draft("step", count=3);  "a left turn" → Draft("turn", direction="left")
"""

from dataclasses import dataclass

from .actions import ACTIONS
from .lexicon import ADVERBS, IDLE, LIGHT_VERBS, LIMBS, MOTION_NOUNS, NOUNS, VERBS
from .words import Cursor

_ADJECTIVES = ("small", "big", "large", "quick", "slow", "brisk", "more", "single", "little", "long", "short")
_MODIFIERS = ("left", "right", "forward", "backward", "back")


@dataclass
class Draft:
    """What a clause says, before it is known to fit the table.

    Args:
        action (`str`): a name of the table, `"idle"` for what is no event, or `"stand"` for standing or standing up.
        count (`int`, *optional*): repetitions, where they are said.
        side (`str`, *optional*): side of the body.
        direction (`str`, *optional*): where to; `"back"` and `"return"` (to where it began) depend on what was before.
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


class HeadReader:
    """Recognises heads of clauses at a cursor.

    Args:
        cursor ([`Cursor`]): the text.
    """

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor

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

    def _verb(self) -> Draft | None:
        idle, verb = self.cursor.match(IDLE), self.cursor.match(VERBS)
        if idle and (verb is None or idle[1] > verb[1]):
            form = "gerund" if self.cursor.word.endswith("ing") else "finite"
            self.cursor.at += idle[1]
            return Draft(idle[0], form=form)
        if verb is None:
            return None
        self.cursor.at += verb[1]
        return Draft(verb[0].action, form=verb[0].form)

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
            if cursor.word in LIMBS:
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
        action = ACTIONS[draft.action]
        if (few and draft.action != "step") or limb not in (None, action.limb, *action.limb_synonyms):
            cursor.at = start
            return None
        self._modify(draft, modifier, limb)
        if few:
            draft.action = "walk"
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
