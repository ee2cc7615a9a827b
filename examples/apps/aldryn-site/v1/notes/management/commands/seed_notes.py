from django.core.management.base import BaseCommand

from notes.models import Note

NOTES = [
    ("Welcome", "These notes live in PostgreSQL."),
    ("How they came here", "A release command wrote them, once, before this version served anyone."),
]


class Command(BaseCommand):
    help = "Writes the first notes; leaves those that are there as they are."

    def handle(self, *args, **options):
        for title, body in NOTES:
            _, created = Note.objects.get_or_create(title=title, defaults={"body": body})
            self.stdout.write(f"note {title!r}: {'written' if created else 'was there'}")
