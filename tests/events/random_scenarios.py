"""Random scenarios of any actions, counts, sides and directions, whether or not a body would do them."""

from random import Random

from atom_hf.events import ACTIONS, TASKS, Event, Scenario


def random_event(random: Random) -> Event:
    """An event; its count is 1 in 40 % of the cases, its side and direction are not always said."""
    action = random.choice(list(ACTIONS.values()))
    count = 1 if random.random() < 0.4 else random.randint(1, action.max_count)
    return Event(action.name, count, random.choice((None, *action.sides)), random.choice((None, *action.directions)))


def random_scenario(random: Random) -> Scenario:
    """A scenario of one to four events."""
    return Scenario(tuple(random_event(random) for _ in range(random.randint(1, 4))), random.choice(TASKS))
