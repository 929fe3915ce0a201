"""What whoever runs the arena does: codes, archives of votes, new pairs."""

import zipfile

import pytest

from atom_hf.apps.preference_arena.desk import Exports, add_zip, invite
from atom_hf.arena import ArenaError, ZipLimits
from tests.apps.preference_arena.conftest import SECRET
from tests.apps.preference_arena.test_campaign import packed
from tests.arena.parts import sign_in, vote


def test_codes_for_names(make):
    arena = make(1, access="codes")
    lines = invite(arena.admin(SECRET), "ann\n\n  bob  smith \n").splitlines()
    assert [line.split("\t")[0] for line in lines] == ["ann", "bob smith"]
    assert arena.sign_in("bob smith", lines[1].split("\t")[1])
    for names, got in (("\n", 0), ("x\n" * 201, 201)):
        with pytest.raises(ArenaError, match=f"Expected 1 to 200 names, a line each, got {got}"):
            invite(arena.admin(SECRET), names)


def test_votes_as_archives_that_go_with_the_visit(make):
    arena = make(1)
    vote(arena, sign_in(arena))
    exports = Exports()
    path = exports.write(arena, "votes", False)
    with zipfile.ZipFile(path) as archive:
        assert any(name.startswith("votes/") for name in archive.namelist())
    assert [child.name for child in exports.folder.iterdir()] == ["arena-votes.zip"]
    with pytest.raises(ArenaError, match="Expected a format"):
        exports.write(arena, "../votes", False)
    exports.close()
    assert not path.exists()


def test_a_zip_of_pairs_is_added_or_refused(make, tmp_path):
    arena, path = make(1), tmp_path / "more.zip"
    path.write_bytes(packed())
    assert add_zip(arena, path) == 1 and add_zip(arena, path) == 0
    with pytest.raises(ArenaError, match="at most 0 MB; send it in parts"):
        add_zip(arena, path, ZipLimits(archive=100))
    path.write_bytes(b"PK no zip")
    with pytest.raises(ArenaError, match="Expected a zip archive of motions"):
        add_zip(arena, path)
