import os

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render

from notes.models import Note

VERSION = "1"


def index(request):
    facts = {"version": VERSION, "commit": commit(), "database": connection.vendor}
    return render(request, "notes/index.html", {"notes": Note.objects.all(), **facts})


def healthz(request):
    Note.objects.exists()
    return HttpResponse("ok\n", content_type="text/plain")


def version(request):
    applied = MigrationRecorder(connection).migration_qs.filter(app="notes").order_by("id")
    migrations = list(applied.values_list("name", flat=True))
    return JsonResponse({"version": VERSION, "commit": commit(), "migrations": migrations})


def commit():
    return os.environ.get("CONTAINER_VERSION") or "unknown"
