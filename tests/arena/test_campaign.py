"""What is labelled: whole in the store, all or none, and each pair once."""

import numpy as np
import pytest

from atom_hf.arena import ArenaError, Clip, PairItem
from atom_hf.motion import Motion
from tests.arena.parts import motion, pair, pairs, rows, sign_in


def test_pairs_are_added_once(make):
    arena = make(3)
    assert arena.add_pairs(pairs(5)) == 2
    assert arena.add_pairs(pairs(5)) == 0
    item = pair("a person takes 0 steps")
    assert arena.add_pairs([PairItem(item.prompt, item.two, item.one)]) == 0  # the other way round is the same
    assert rows(arena, "SELECT count(*) FROM pairs") == rows(arena, "SELECT count(*) FROM tallies") == [(5,)]
    assert rows(arena, "SELECT count(*) FROM motions") == [(10,)]
    third = PairItem(item.prompt, item.one, Clip(motion("other"), "third"))
    assert arena.add_pairs([third]) == 1
    found = rows(
        arena,
        "SELECT sample, system FROM motions JOIN prompts ON prompts.id = prompt_id "
        f"WHERE prompt = '{item.prompt}' ORDER BY sample",
    )
    assert found == [(0, "base"), (1, "aligned"), (2, "third")]


def test_what_is_expected_goes_with_the_motion(make):
    arena = make(0)
    one, two, three = (Clip(motion(name), name) for name in ("one", "two", "three"))
    arena.add_pairs([PairItem("a man waves", one, two), PairItem("a man waves", three, one, expected="one")])
    ((system, expected),) = rows(
        arena, "SELECT motions.system, expected FROM pairs JOIN motions ON motions.id = two WHERE kind = 'gold'"
    )
    assert (system, expected) == ("three", "two")


def test_no_files_are_needed_and_codes_are_kept(make):
    arena = make(1)
    codes = [np.frombuffer(blob, "<i4").tolist() for (blob,) in rows(arena, "SELECT codes FROM motions ORDER BY id")]
    item = pair("a person takes 0 steps")
    assert codes == [item.one.motion.codes.tolist(), item.two.motion.codes.tolist()]
    arena.close()
    assert sorted(path.name for path in arena.folder.iterdir()) == ["secret", "votes.sqlite"]
    again = make(0)
    assert again.next_ballot(sign_in(again)).prompt == "a person takes 0 steps"


def _bad(**options):
    return pair("a man waves", **options)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (lambda: _bad(task="dance"), "Expected a task, one of integrity, temporal, frequency, overall, got 'dance'"),
        (lambda: _bad(expected="left"), "Expected the right answer as one of one, two, tie, got 'left'"),
        (lambda: _bad(training=True), "Expected the right answer of a training pair; set expected"),
        (lambda: _bad(scenario="[1]"), "Expected a scenario, a JSON object with events"),
        (lambda: _bad(systems=("base", "")), "Expected a system's name, got nothing"),
        (lambda: _bad(lesson="x" * 2000), "Expected a lesson of at most 1000 letters"),
        (lambda: pair(" "), "Expected a prompt, got nothing"),
        (lambda: pair("a\u202eb"), "Expected a prompt without control or invisible characters"),
        (lambda: PairItem("a", Clip(motion("x"), "a"), Clip(motion("x"), "b")), "The two motions are the same"),
        (
            lambda: PairItem("a", Clip(Motion(motion("x").joints[:3]), "a"), Clip(motion("y"), "b")),
            "Expected 5 to 2400 frames",
        ),
        (lambda: PairItem("a", Clip(motion("x"), "a", 2**63), Clip(motion("y"), "b")), "seed of at most 64 bits"),
    ],
)
def test_all_or_none(make, item, message):
    arena = make(0)
    with pytest.raises(ArenaError, match=f"Pair 3: .*{message}.* Nothing was added"):
        arena.add_pairs([*pairs(2), item()])
    assert rows(arena, "SELECT count(*) FROM prompts") == [(0,)]


def test_a_name_of_another_prompt(make):
    arena = make([pair("a man waves", prompt_id="p1")])
    with pytest.raises(ArenaError, match=r"The prompt_id 'p1' belongs to 'a man waves' .* Nothing was added"):
        arena.add_pairs([*pairs(2), pair("a man jumps", prompt_id="p1")])
    assert rows(arena, "SELECT count(*) FROM pairs") == [(1,)]


def test_hostile_prompts_are_words(make):
    words = "<script>alert(1)</script> </s> <motion_id_3> '; DROP TABLE votes; --"
    arena = make([pair(words)])
    assert arena.next_ballot(sign_in(arena)).prompt == words
