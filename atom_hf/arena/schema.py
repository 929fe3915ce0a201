"""The tables of the store. Votes, retractions, consents, blocks and settings are only ever added to.

votes        one row a vote, never changed; `one` and `two` are the motions of the pair, whatever their sides were
retractions  a vote that was taken back; the view `live` is what counts
tallies      sums of the live votes of each pair, for the queue; `quality` and `results` count the votes themselves
"""

VERSION = 1
_ADDED_TO = ("identity", "votes", "retractions", "consents", "blocks", "settings")
TABLES = """
CREATE TABLE identity (id TEXT NOT NULL);
INSERT INTO identity VALUES (lower(hex(randomblob(6))));
CREATE TABLE settings (number INTEGER PRIMARY KEY, at REAL NOT NULL, value TEXT NOT NULL);
CREATE TABLE prompts (id TEXT PRIMARY KEY, prompt TEXT NOT NULL, task TEXT NOT NULL, scenario TEXT);
CREATE TABLE motions (
    id INTEGER PRIMARY KEY, prompt_id TEXT NOT NULL REFERENCES prompts, sample INTEGER NOT NULL, system TEXT NOT NULL,
    seed INTEGER, frames INTEGER NOT NULL, joints BLOB NOT NULL, codes BLOB, digest TEXT NOT NULL,
    UNIQUE (prompt_id, sample), UNIQUE (prompt_id, digest)
);
CREATE TABLE pairs (
    id INTEGER PRIMARY KEY, prompt_id TEXT NOT NULL REFERENCES prompts, one INTEGER NOT NULL REFERENCES motions,
    two INTEGER NOT NULL REFERENCES motions, kind TEXT NOT NULL CHECK (kind IN ('normal', 'gold', 'training')),
    expected TEXT CHECK (expected IN ('one', 'two', 'tie')), lesson TEXT NOT NULL,
    CHECK (one < two), CHECK ((kind = 'normal') = (expected IS NULL)), UNIQUE (one, two)
);
CREATE INDEX pairs_kind ON pairs (kind);
CREATE TABLE tallies (
    pair INTEGER PRIMARY KEY REFERENCES pairs, one INTEGER NOT NULL DEFAULT 0, two INTEGER NOT NULL DEFAULT 0,
    tie INTEGER NOT NULL DEFAULT 0, skipped INTEGER NOT NULL DEFAULT 0, waiting INTEGER NOT NULL DEFAULT 0,
    priority REAL, shuffle INTEGER NOT NULL
);
CREATE INDEX tallies_next ON tallies (priority, shuffle) WHERE priority IS NOT NULL;
CREATE TABLE labellers (
    id TEXT PRIMARY KEY, code TEXT, joined REAL NOT NULL, gold_due INTEGER NOT NULL, repeat_due INTEGER NOT NULL
);
CREATE TABLE sessions (key TEXT PRIMARY KEY, labeller TEXT NOT NULL REFERENCES labellers, ends REAL NOT NULL);
CREATE TABLE consents (
    number INTEGER PRIMARY KEY, labeller TEXT NOT NULL REFERENCES labellers, version TEXT NOT NULL,
    given INTEGER NOT NULL, at REAL NOT NULL
);
CREATE INDEX consents_of ON consents (labeller);
CREATE TABLE blocks (
    number INTEGER PRIMARY KEY, labeller TEXT NOT NULL, blocked INTEGER NOT NULL, why TEXT NOT NULL, at REAL NOT NULL
);
CREATE INDEX blocks_of ON blocks (labeller);
CREATE TABLE ballots (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, pair INTEGER NOT NULL REFERENCES pairs,
    labeller TEXT NOT NULL REFERENCES labellers, presentation INTEGER NOT NULL, attempt INTEGER NOT NULL,
    kind TEXT NOT NULL, one_first INTEGER NOT NULL, served REAL NOT NULL, leased INTEGER NOT NULL,
    done INTEGER NOT NULL DEFAULT 0, UNIQUE (pair, labeller, presentation, attempt)
);
CREATE INDEX ballots_of ON ballots (labeller, pair);
CREATE INDEX ballots_open ON ballots (labeller) WHERE done = 0;
CREATE INDEX ballots_leased ON ballots (served) WHERE leased = 1;
CREATE TABLE votes (
    number INTEGER PRIMARY KEY AUTOINCREMENT, ballot TEXT NOT NULL UNIQUE REFERENCES ballots (id),
    pair INTEGER NOT NULL REFERENCES pairs, labeller TEXT NOT NULL REFERENCES labellers,
    presentation INTEGER NOT NULL, attempt INTEGER NOT NULL, kind TEXT NOT NULL, one_first INTEGER NOT NULL,
    choice TEXT NOT NULL CHECK (choice IN ('one', 'two', 'tie', 'skipped')), degree TEXT, reason TEXT,
    questions TEXT NOT NULL, note TEXT NOT NULL, token TEXT NOT NULL UNIQUE, at REAL NOT NULL, seconds REAL,
    UNIQUE (pair, labeller, presentation, attempt)
);
CREATE INDEX votes_of ON votes (labeller);
CREATE TABLE retractions (
    vote INTEGER PRIMARY KEY REFERENCES votes, ballot TEXT NOT NULL UNIQUE, token TEXT NOT NULL UNIQUE,
    at REAL NOT NULL
);
CREATE VIEW live AS SELECT * FROM votes WHERE NOT EXISTS (SELECT 1 FROM retractions WHERE vote = votes.number);
CREATE TRIGGER one_live_vote BEFORE INSERT ON votes WHEN EXISTS (
    SELECT 1 FROM live WHERE pair = NEW.pair AND labeller = NEW.labeller AND presentation = NEW.presentation
) BEGIN SELECT RAISE(ABORT, 'this labeller has voted on this pair'); END;
""" + "".join(
    f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} "
    f"BEGIN SELECT RAISE(ABORT, '{table} are only added to'); END;\n"
    for table in _ADDED_TO
    for verb in ("UPDATE", "DELETE")
)
