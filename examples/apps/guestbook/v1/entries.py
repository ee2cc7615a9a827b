"""What people wrote."""

AUTHOR_LIMIT = 60
MESSAGE_LIMIT = 1000


class Refused(Exception):
    """The form cannot be taken as it is; the text says why."""


def latest(connection, limit=50):
    return connection.execute(
        "SELECT author, message, written_at FROM entry ORDER BY id DESC LIMIT ?", [limit]
    ).fetchall()


def count(connection):
    return connection.execute("SELECT count(*) FROM entry").fetchone()[0]


def add(connection, form):
    author = _field(form, "author", "your name", AUTHOR_LIMIT)
    message = _field(form, "message", "a message", MESSAGE_LIMIT)
    connection.execute("INSERT INTO entry (author, message) VALUES (?, ?)", [author, message])


def _field(form, name, wanted, limit):
    value = form.get(name, "").strip()
    if not value:
        raise Refused(f"Please write {wanted}.")
    if len(value) > limit:
        raise Refused(f"That is too long: at most {limit} characters, please.")
    return value
