"""Keeps the site's cache in a table of its database, made before anything else runs."""

import os

import django_cache_url
from aldryn_client import forms


class Form(forms.BaseForm):
    table = forms.CharField("Name of the cache table", initial="django_dbcache")

    def to_settings(self, data, settings):
        table = data["table"]
        url = os.environ.get("CACHE_URL") or f"db://{table}"
        settings["CACHES"] = {"default": django_cache_url.parse(url)}
        settings.setdefault("MIGRATION_COMMANDS", [])
        # Creating the table must not need the table: hence the cache in memory. And a cache that
        # cannot be had is no reason to stop a deployment: hence the exit.
        settings["MIGRATION_COMMANDS"].insert(
            0, f'CACHE_URL="locmem://" python manage.py createcachetable {table}; exit 0'
        )
        return settings
