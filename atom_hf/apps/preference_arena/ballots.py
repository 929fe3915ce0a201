"""A ballot as the browser gets it: prompt, questions and two motions called A and B; nothing tells who made them.

{"id": "h2XsW…", "prompt": "a man jumps twice", "questions": [{"name": "events", …}], "viewer": {"clips": […, …], …}}
"""

from typing import Any

from ...arena import Ballot
from ...render.viewer import ViewerClip, viewer_spec


def shown_ballot(ballot: Ballot) -> dict[str, Any]:
    """A ballot for the page.

    Args:
        ballot ([`Ballot`]): of the arena.

    Returns:
        `dict[str, Any]`: for JSON, about 90 kB for two motions of five seconds; texts are as typed, not escaped.
    """
    clips = [ViewerClip(motion, label) for motion, label in ((ballot.first, "A"), (ballot.second, "B"))]
    return {
        "id": ballot.id,
        "prompt": ballot.prompt,
        "questions": [question._asdict() for question in ballot.questions],
        "viewer": viewer_spec(clips),
    }
