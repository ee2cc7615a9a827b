"""Connects the site to the database of DATABASE_URL and keeps its schema up to date."""

import os

import dj_database_url
from aldryn_client import forms

# A build has no database; settings must load all the same.
NO_DATABASE = "sqlite://:memory:"


class Form(forms.BaseForm):
    connection_lifetime = forms.NumberField("Seconds to keep a connection", initial=60)

    def to_settings(self, data, settings):
        url = os.environ.get("DATABASE_URL") or NO_DATABASE
        settings["DATABASES"] = {
            "default": dj_database_url.parse(url, conn_max_age=int(data["connection_lifetime"]))
        }
        settings.setdefault("MIGRATION_COMMANDS", [])
        settings["MIGRATION_COMMANDS"].append("python manage.py migrate --noinput")
        return settings
