"""The tables of the queue's database, and the way there from those of older programs."""

import sqlite3

FIRST = """
    CREATE TABLE run (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        status TEXT NOT NULL,
        workflow TEXT NOT NULL,
        wanted TEXT NOT NULL,
        created REAL NOT NULL,
        started REAL,
        finished REAL,
        attempts INTEGER NOT NULL DEFAULT 0,
        error TEXT,
        outputs TEXT NOT NULL DEFAULT '[]'
    );
    CREATE INDEX run_by_status ON run (status, position);
    CREATE TABLE node (
        run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
        node TEXT NOT NULL,
        state TEXT NOT NULL,
        seconds REAL,
        message TEXT,
        PRIMARY KEY (run, node)
    ) WITHOUT ROWID;
    """

# A workflow is kept once for all the runs of a batch, each of which keeps only what it changes.
# Those in line have an index of their own, so that a long history does not slow the next claim.
LINE_AND_BATCHES = """
    CREATE TABLE workflow (hash TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
    INSERT INTO workflow SELECT 'run ' || id, workflow FROM run;
    UPDATE run SET workflow = 'run ' || id;
    ALTER TABLE run ADD COLUMN changes TEXT NOT NULL DEFAULT '{}';
    ALTER TABLE run ADD COLUMN name TEXT NOT NULL DEFAULT '';
    ALTER TABLE run ADD COLUMN batch TEXT;
    ALTER TABLE run ADD COLUMN copy_of TEXT;
    ALTER TABLE run ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE run ADD COLUMN models TEXT NOT NULL DEFAULT '';
    ALTER TABLE run ADD COLUMN passed INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE run ADD COLUMN rank REAL NOT NULL DEFAULT 0;
    UPDATE run SET rank = position;
    CREATE INDEX run_in_line ON run (priority DESC, rank)
        WHERE status IN ('waiting', 'interrupted');
    CREATE INDEX run_by_batch ON run (batch, position) WHERE batch IS NOT NULL;
    CREATE INDEX run_by_workflow ON run (workflow);
    CREATE TABLE batch (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        created REAL NOT NULL,
        on_error TEXT NOT NULL,
        recipe TEXT NOT NULL DEFAULT '{}'
    ) WITHOUT ROWID;
    CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    """

# A picture is found by its words (FTS5), by its models and families, and newest first. `file` is
# its place in the output folder, NULL while it lies in the trash; `home` is where it was saved.
GALLERY = """
    CREATE TABLE picture (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        file TEXT UNIQUE,
        home TEXT NOT NULL,
        run TEXT,
        node TEXT NOT NULL DEFAULT '',
        created REAL NOT NULL,
        title TEXT NOT NULL,
        starred INTEGER NOT NULL DEFAULT 0,
        trashed REAL,
        facts TEXT NOT NULL DEFAULT '{}',
        words TEXT NOT NULL
    );
    CREATE INDEX picture_starred ON picture (number) WHERE starred AND trashed IS NULL;
    CREATE INDEX picture_trashed ON picture (number) WHERE trashed IS NOT NULL;
    CREATE TABLE picture_tag (
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        picture INTEGER NOT NULL REFERENCES picture (number) ON DELETE CASCADE,
        PRIMARY KEY (kind, name, picture)
    ) WITHOUT ROWID;
    CREATE INDEX picture_tag_of ON picture_tag (picture);
    CREATE VIRTUAL TABLE picture_words USING fts5 (
        words, content = 'picture', content_rowid = 'number',
        tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
    );
    CREATE TRIGGER picture_added AFTER INSERT ON picture BEGIN
        INSERT INTO picture_words (rowid, words) VALUES (new.number, new.words);
    END;
    CREATE TRIGGER picture_gone AFTER DELETE ON picture BEGIN
        INSERT INTO picture_words (picture_words, rowid, words)
            VALUES ('delete', old.number, old.words);
    END;
    CREATE TRIGGER picture_reworded AFTER UPDATE OF words ON picture BEGIN
        INSERT INTO picture_words (picture_words, rowid, words)
            VALUES ('delete', old.number, old.words);
        INSERT INTO picture_words (rowid, words) VALUES (new.number, new.words);
    END;
    """

# Runs whose pictures have a star are kept when old ones are forgotten.
STARS_BY_RUN = """
    CREATE INDEX picture_by_run ON picture (run) WHERE starred;
    """

MIGRATIONS = (FIRST, LINE_AND_BATCHES, GALLERY, STARS_BY_RUN)
"""One entry for each version; entry k brings a database from version k to k + 1."""


class NewerQueue(Exception):
    """The database was written by a newer version of this program."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the database to the newest version; raises `NewerQueue` and leaves it as it is."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise NewerQueue(
            f"The queue's database has version {version}, and this program knows versions up "
            f"to {len(MIGRATIONS)}. Update the program, or give it another --data folder."
        )
    for number in range(version, len(MIGRATIONS)):
        # executescript commits by itself, so the script carries its own transaction.
        connection.executescript(
            f"BEGIN IMMEDIATE; {MIGRATIONS[number]}; PRAGMA user_version = {number + 1}; COMMIT;"
        )
