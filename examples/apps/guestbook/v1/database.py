"""The database: one SQLite file, and the migrations that shape it.

Its path comes from GUESTBOOK_DATABASE and should lie outside the release, which is replaced at
each deployment. Several versions of the app use the file at the same time while a new one is
being proven, so a migration may only add: what the previous version reads and writes must go on
working.
"""

import os
import sqlite3
from pathlib import Path

MIGRATIONS = Path(__file__).parent / "migrations"
# How long a writer waits for another one, in seconds.
BUSY_SECONDS = 10


def path():
    return os.environ.get("GUESTBOOK_DATABASE") or "guestbook.sqlite3"


def connect():
    """Opens the database. Transactions are explicit: `isolation_level=None` is autocommit."""
    connection = sqlite3.connect(path(), timeout=BUSY_SECONDS, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def schema(connection):
    """The number of migrations applied; 0 for a database that has never been migrated."""
    try:
        return connection.execute("SELECT count(*) FROM migration").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def migrate():
    """Applies what is missing, in order, each whole or not at all; yields (name, applied now)."""
    Path(path()).absolute().parent.mkdir(parents=True, exist_ok=True)
    connection = connect()
    try:
        # Kept in the file: from here on readers and the writer do not wait for each other.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL)"
        )
        for file in sorted(MIGRATIONS.glob("*.sql")):
            yield file.stem, _apply(connection, file)
    finally:
        connection.close()


def _apply(connection, file):
    # The lock is taken before looking, so that two runs at once apply nothing twice.
    connection.execute("BEGIN IMMEDIATE")
    try:
        known = connection.execute("SELECT 1 FROM migration WHERE name = ?", [file.stem]).fetchone()
        if not known:
            for statement in _statements(file.read_text()):
                connection.execute(statement)
            connection.execute(
                "INSERT INTO migration VALUES (?, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))", [file.stem]
            )
        connection.execute("COMMIT")
        return not known
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _statements(script):
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        raise ValueError("the last statement does not end with a semicolon")
