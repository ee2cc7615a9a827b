"""Fails on purpose: it finds data that it cannot change, says which, and raises."""

from django.db import migrations

LIMIT = 10


def shorten_titles(apps, schema_editor):
    notes = apps.get_model("notes", "Note").objects.all()
    too_long = [note.title for note in notes if len(note.title) > LIMIT]
    print(f"\n    looking for titles of more than {LIMIT} characters")
    for title in too_long:
        print(f"    cannot shorten {title!r}")
    if too_long:
        raise RuntimeError(f"titles of more than {LIMIT} characters: {len(too_long)}")


class Migration(migrations.Migration):
    dependencies = [("notes", "0002_note_author")]

    operations = [migrations.RunPython(shorten_titles, migrations.RunPython.noop)]
