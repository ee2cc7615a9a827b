"""The pages: a request's path and form in, a `Reply` out. Knows nothing of sockets."""

import json
from dataclasses import dataclass, field

import database
import entries
from layout import commit, page, text
from version import VERSION

HTML = "text/html; charset=utf-8"


@dataclass
class Reply:
    status: int
    body: str = ""
    type: str = HTML
    headers: dict = field(default_factory=dict)


def get(path, connection):
    if path == "/":
        return guestbook(connection)
    if path == "/moods":
        return moods(connection)
    if path == "/healthz":
        return healthz(connection)
    if path == "/version":
        return version(connection)
    return missing(path)


def post(path, form, connection):
    if path != "/":
        return missing(path)
    try:
        entries.add(connection, form)
    except entries.Refused as refusal:
        return guestbook(connection, status=422, error=str(refusal), form=form)
    # After a POST, a reload must not write the entry again.
    return Reply(303, headers={"Location": "/"})


def guestbook(connection, status=200, error="", form=None):
    total = entries.count(connection)
    lead = "Nobody has written yet." if not total else f"{total} written so far."
    written = "\n".join(map(entry, entries.latest(connection))) or '<p class="none">Be the first.</p>'
    link = '<nav><a href="/moods">How people felt</a></nav>'
    return Reply(status, page("Guestbook", lead, write_form(error, form or {}) + written + link))


def moods(connection):
    rows = entries.moods(connection)
    felt = "\n".join(f"<article>{mood(row)} {row['times']} times</article>" for row in rows)
    body = (felt or '<p class="none">Nobody has said yet.</p>') + '<nav><a href="/">Back</a></nav>'
    return Reply(200, page("How people felt", "The moods of the guestbook.", body))


def write_form(error, form):
    chosen = form.get("mood", "")
    options = "".join(
        f"<option{' selected' if name == chosen else ''}>{text(name)}</option>" for name in entries.MOODS
    )
    warning = f'<p class="error" role="alert">{text(error)}</p>' if error else ""
    return f"""<form method="post" action="/">{warning}
<label>Your name <input name="author" required maxlength="{entries.AUTHOR_LIMIT}"
  autocomplete="name" value="{text(form.get("author", ""))}"></label>
<label>Message <textarea name="message" required rows="3"
  maxlength="{entries.MESSAGE_LIMIT}">{text(form.get("message", ""))}</textarea></label>
<label>Mood <select name="mood"><option value="">rather not say</option>{options}</select></label>
<button>Sign the guestbook</button></form>
"""


def entry(row):
    return f"""<article><p>{text(row["message"])}</p>
<footer>{text(row["author"])}, {when(row)} {mood(row)}</footer></article>"""


def mood(row):
    return f'<span class="mood">{text(row["mood"])}</span>' if row["mood"] else ""


def when(row):
    at = row["written_at"]
    return f'<time datetime="{text(at)}">{text(at[:10])} {text(at[11:16])}</time>'


def healthz(connection):
    """Healthy once the pages can be served: 503 until the database has been migrated."""
    if database.schema(connection) == 0:
        return Reply(503, "the database has not been migrated\n", "text/plain")
    return Reply(200, "ok\n", "text/plain")


def version(connection):
    facts = {"version": VERSION, "commit": commit(), "schema": database.schema(connection)}
    return Reply(200, json.dumps(facts) + "\n", "application/json")


def missing(path):
    body = '<p>Nothing is written here. <a href="/">Back to the guestbook</a></p>'
    return Reply(404, page("Not here", path, body))
