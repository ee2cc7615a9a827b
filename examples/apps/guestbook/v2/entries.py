"""What people wrote."""

AUTHOR_LIMIT = 60
MESSAGE_LIMIT = 1000
MOODS = ["happy", "curious", "moved", "hungry"]


class Refused(Exception):
    """The form cannot be taken as it is; the text says why."""


def latest(connection, limit=50):
    return connection.execute(
        "SELECT author, message, mood, written_at FROM entry ORDER BY id DESC LIMIT ?", [limit]
    ).fetchall()


def count(connection):
    return connection.execute("SELECT count(*) FROM entry").fetchone()[0]


def moods(connection):
    """How often each mood was chosen, the most frequent first."""
    return connection.execute(
        "SELECT mood, count(*) AS times FROM entry WHERE mood <> '' GROUP BY mood ORDER BY times DESC, mood"
    ).fetchall()


def add(connection, form):
    author = _field(form, "author", "your name", AUTHOR_LIMIT)
    message = _field(form, "message", "a message", MESSAGE_LIMIT)
    mood = form.get("mood", "")
    if mood and mood not in MOODS:
        raise Refused("Please choose one of the moods.")
    connection.execute(
        "INSERT INTO entry (author, message, mood) VALUES (?, ?, ?)", [author, message, mood]
    )


def _field(form, name, wanted, limit):
    value = form.get(name, "").strip()
    if not value:
        raise Refused(f"Please write {wanted}.")
    if len(value) > limit:
        raise Refused(f"That is too long: at most {limit} characters, please.")
    return value
