"""Votes of the page, in an arena's store."""

import pytest

from atom_hf.apps.text_to_motion.comparison import Comparison
from atom_hf.apps.text_to_motion.voting import Ballots, VoteError
from atom_hf.arena import Arena, StoreError


@pytest.fixture
def ballots(tmp_path):
    made = Ballots(tmp_path / "votes")
    yield made
    made.close()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize(
    ("side", "choice", "degree"),
    [("A", "A is much better", "much better"), ("B", "B is slightly better", "slightly better")],
)
def test_a_vote_is_for_the_motion_that_was_seen(ballots, generation, order, side, choice, degree):
    comparison = Comparison(generation, (order, order))
    ballots.vote("ann", comparison, 1, choice)
    ((chosen, said, seed, prompt, task, first),) = ballots.arena._store.read(
        "SELECT system, degree, seed, prompt, task, one_first FROM votes JOIN pairs ON pairs.id = pair "
        "JOIN motions ON motions.id = CASE choice WHEN 'one' THEN one ELSE two END "
        "JOIN prompts ON prompts.id = pairs.prompt_id"
    )
    assert chosen == comparison.system(side, 1).name and said == degree
    assert (seed, prompt, task) == (3, "a person jumps twice", "frequency")
    ((shown,),) = ballots.arena._store.read(
        "SELECT system FROM pairs JOIN motions ON motions.id = CASE WHEN ? THEN one ELSE two END", (first,)
    )
    assert shown == comparison.system("A", 1).name  # the side is kept as well


def test_votes_are_exported_and_counted(ballots, generation, tmp_path):
    order = ((1, 0), (1, 0))  # A is the aligned model
    for visitor in ("ann", "bob"):
        ballots.vote(visitor, Comparison(generation, order), 0, "A is much better")
    ballots.vote("ann", Comparison(generation, order), 1, "No difference")
    exported = ballots.arena.export(tmp_path / "out")
    assert exported.votes == 3
    (standing,) = ballots.arena.standings()
    assert {standing.a, standing.b} == {"good", "bad"}
    with Arena(tmp_path / "votes") as arena:  # another server
        assert arena.settings.training == 0


def test_once_for_a_pair_and_blind(ballots, generation):
    comparison = Comparison.of(generation)
    ballots.vote("ann", comparison, 0, "No difference")
    with pytest.raises(VoteError, match="not taken: You have voted on these two motions already"):
        ballots.vote("ann", Comparison.of(generation), 0, "A is much better")
    with pytest.raises(VoteError, match="These names are known already"):
        ballots.vote("bob", comparison.told(0), 0, "A is much better")
    with pytest.raises(VoteError, match=r"Expected one of A is much better, .*, got 'best'"):
        ballots.vote("bob", comparison, 0, "best")
    ballots.vote("bob", comparison, 0, "B is much better")
    assert ballots.arena._store.read("SELECT count(*) FROM votes") == [(2,)]


def test_two_motions_that_are_the_same(ballots, generation):
    same = Comparison(generation, ((0, 0), (0, 0)))
    with pytest.raises(VoteError, match=r"Your vote was not taken: .*The two motions are the same"):
        ballots.vote("ann", same, 0, "No difference")


def test_a_folder_that_keeps_nothing(tmp_path):
    (tmp_path / "votes").write_text("a file")
    with pytest.raises(StoreError, match="expected a folder in which votes can be kept"):
        Ballots(tmp_path / "votes")
