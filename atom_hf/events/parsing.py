"""An English text → scenario: clauses, put in the order in which they happen.

"after jumping, a man turns left before he sits down" → jump, turn (left), sit_down

How a text is read where English leaves room:

- "walks back" after a turn around is a walk forward, else backward; "back to where he started" says no direction then.
- "takes three steps", "walks three steps" are three counts of step; "a few steps" are a walk.
- "stands" is standing up from a low posture, else nothing; "stops", "lands", "lowers them" are nothing either.
- "while" joins events in the order of the words; two of them have no order to judge, so the task is integrity.
- "and" between left and right, or forward and backward, is one event after the other; a diagonal is an error.
- Manner that no event can say ("slowly", "on a chair", "above her head", "as if ...") is left out by the lists of
  `lexicon` and `fillers`. Any other word stops the parser.

One clause is read in `clauses`; here are subjects, conjunctions and order.
"""

from .clauses import ClauseReader, Draft
from .lexicon import ADVERBS, PERSON_ADJECTIVES, PERSONS
from .scenario import Event, Scenario
from .words import Cursor, ScenarioParseError

__all__ = ["ScenarioParseError", "parse"]

_MALE, _FEMALE = {"man", "guy", "boy", "he"}, {"woman", "lady", "girl", "she"}
_DETERMINERS = ("a", "an", "the", "this", "that", "one")
_JOINTS = (
    ", and then", "and then", ", and finally", ", and lastly", "and finally", ", and", ", then", ",", "and", "then",
    "but", "&",
)  # fmt: skip
_NEXT = (
    "followed by", ", followed by", "and followed by", "which is followed by", "after which", ", after which",
    ", after that", "and after that", ", and after that", "before", ", before", "and before", "until", ", until",
)  # fmt: skip
_AFTER = ("after having", "after", ", after")
_WHILE = ("while", ", while", "and while", "as", ", as")
_TIMES = (
    "then", "after that", "after this", "after which", "afterwards", "afterward", "next", "finally", "lastly", "first",
    "firstly", "at first", "subsequently", "later", "secondly", "second", "third", "also", "again", "immediately",
    "to begin", "at the end", "in the end", "thirdly",
)  # fmt: skip
_AUXILIARIES = (
    "is seen", "was seen", "can be seen", "who is", "who was", "is", "are", "was", "were", "begins to", "starts to",
    "began to", "started to", "begin to", "start to", "beginning to", "starting to", "proceeds to", "proceeded to",
    "goes on to", "continues to", "begins", "starts", "begin", "start", "began", "started", "continues", "continued",
    "appears to be", "seems to be", "appears to", "seems to", "to", "decides to", "gets ready and", "will", "has",
)  # fmt: skip
_POSTURES = {"sit_down": "sitting", "lie_down": "lying", "squat": "squatting", "stand_up": "standing"}


def parse(text: str, task: str | None = None) -> Scenario:
    """A scenario from an English text.

    Args:
        text (`str`): such as `"the person takes 3 steps forward then jumps twice"`.
        task (`str`, *optional*): task of the scenario. By default `"frequency"` if something happens more than once,
            else `"temporal"` if several things happen one after the other, else `"integrity"`.

    Returns:
        [`Scenario`]: its events in the order in which they happen.

    Raises:
        ScenarioParseError: if the text can't be read as a whole.
        TypeError: if the text is no string.
    """
    if not isinstance(text, str):
        raise TypeError(f"The text of a scenario is a string, got {type(text).__name__}.")
    reader = _Reader(Cursor(text))
    events = _resolved(reader.drafts(), reader)
    if not events:
        raise reader.cursor.error("the text names no action of the table, such as 'walks' or 'sits down'", (), "")
    if task is None:
        at_once = reader.at_once and len(events) <= 2
        ordered = len(events) > 1 and not at_once
        task = "frequency" if any(event.count > 1 for event in events) else "temporal" if ordered else "integrity"
    return Scenario(tuple(events), task)


class _Reader:
    """Sentences at a cursor; `at_once` notes that "while" joined events, which says no order."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.clauses = ClauseReader(cursor)
        self.at_once = False

    def drafts(self) -> list[Draft]:
        drafts: list[Draft] = []
        while self.cursor.word:
            drafts += self._sentence()
            while self.cursor.take(".", ";", "!"):
                pass
        return drafts

    def _sentence(self) -> list[Draft]:
        cursor = self.cursor
        self._times()
        if cursor.take("after", "having", "once"):
            first = self._subordinate()
            return first + self._sentence_rest()
        if cursor.take("before"):
            last = self._subordinate()
            return self._sentence_rest() + last
        if cursor.take("while", "as"):
            first = self._subordinate()
            self.at_once |= any(draft.action != "idle" for draft in first)
            return first + self._sentence_rest()
        return self._sentence_rest()

    def _sentence_rest(self) -> list[Draft]:
        """Clauses up to the full stop."""
        cursor = self.cursor
        cursor.take(",")
        clauses = [self._clause()]
        while cursor.word and cursor.word not in (".", ";", "!"):
            if self._take(_NEXT):
                clauses.append(self._clause())
            elif self._take(_AFTER):
                clauses.insert(-1, self._subordinate())
            elif self._take(_WHILE):
                clauses.append(self._clause())
                self.at_once |= any(draft.action != "idle" for draft in clauses[-1])
            elif cursor.take("/"):
                other = self._clause()  # "run/jog" is one event
                if [draft.action for draft in other] != [draft.action for draft in clauses[-1]]:
                    clauses.append(other)
            elif self._take(_JOINTS) or self._unjoined():
                if cursor.word or cursor.words[-1] != ",":
                    clauses.append(self._clause())
            else:
                raise self.clauses.error()
        return [draft for clause in clauses for draft in clause]

    def _take(self, phrases: tuple[str, ...]) -> bool:
        return self.cursor.take(*phrases)

    def _unjoined(self) -> bool:
        """Whether a clause follows without a conjunction: "kicks standing still", "turns around walks back"."""
        found = self.clauses.head()
        return found is not None and (found[0].action == "idle" or found[0].form == "finite")

    def _subordinate(self) -> list[Draft]:
        """Clauses behind "after" or "before": "walking and turning left", "he walks and turns left"."""
        cursor = self.cursor
        drafts = self._clause()
        form = drafts[0].form
        while True:
            start = cursor.at
            comma = cursor.word == ","
            if not self._take(_JOINTS):
                return drafts
            self._times()
            subject = self._subject()
            found = self.clauses.head()
            finite_after_comma = comma and form == "finite"
            if subject or found is None or found[0].form != form or finite_after_comma:
                cursor.at = start
                return drafts
            drafts += self._clause()

    def _times(self) -> None:
        while self._take(_TIMES) or self.cursor.word == ",":
            if self.cursor.word == ",":
                self.cursor.at += 1

    def _clause(self) -> list[Draft]:
        cursor = self.cursor
        self._times()
        self._subject()
        while True:
            self._times()
            if self._take(_AUXILIARIES):
                continue
            if (adverb := cursor.match(ADVERBS)) and not cursor.word == "while":
                cursor.at += adverb[1]
                if cursor.word == "and":  # "slowly and casually"
                    cursor.at += 1
                    cursor.at += more[1] if (more := cursor.match(ADVERBS)) else -1
                continue
            break
        if not cursor.word:
            raise self.clauses.error("the sentence ends where an action is expected")
        return self.clauses.clause()

    def _subject(self) -> bool:
        """Read who does it, if it is said here."""
        cursor = self.cursor
        start = cursor.at
        while cursor.word in _DETERMINERS:
            cursor.at += 1
        while cursor.word in PERSON_ADJECTIVES and cursor.peek() in (PERSONS | PERSON_ADJECTIVES):
            cursor.at += 1
        if cursor.word not in PERSONS and cursor.at > start and cursor.words[cursor.at - 1] in PERSONS:
            cursor.at -= 1  # "a human standing up": the adjective was the noun
        if cursor.word not in PERSONS:
            cursor.at = start
            return False
        for one, other in ((_MALE, _FEMALE), (_FEMALE, _MALE)):
            if cursor.word in one and other & set(cursor.words[: cursor.at]):
                raise self.clauses.error(
                    "a scenario has one person, and this is another", cursor.said(start, cursor.at + 1)
                )
        cursor.at += 1
        cursor.take(":")
        cursor.take("who is", "who", "that is", "that")
        return True


def _resolved(drafts: list[Draft], reader: _Reader) -> list[Event]:
    """Events of drafts in order: what "stands" and "walks back" mean depends on what was before."""
    events: list[Event] = []
    posture, facing_back = "standing", False
    for draft in drafts:
        action, direction = draft.action, draft.direction
        if action == "idle" or (action == "stand" and posture == "standing"):
            continue
        if action == "stand":
            action = "stand_up"
        if direction in ("back", "return"):
            direction = _way_back(action, direction, facing_back)
        try:
            event = Event(action, draft.count or 1, draft.side, direction)
        except ValueError as error:
            words = reader.cursor.said(draft.at, draft.end)
            raise reader.cursor.error(str(error).removesuffix("."), events, words) from None
        if action == "turn":
            facing_back = direction == "around"
        elif action in ("walk", "run"):  # a walk that is no way back leaves none to go
            facing_back = facing_back and draft.direction in ("back", "return")
        posture = _POSTURES.get(action, posture)
        events.append(event)
    return events


def _way_back(action: str, said: str, facing_back: bool) -> str | None:
    """Where "back" is: ahead after a turn around, else behind; "back to the start" without a turn does not say."""
    if action == "turn":
        return "around"
    if facing_back and action in ("walk", "run", "hop"):
        return "forward"
    return "backward" if said == "back" else None
