"""The settings, put together when they are loaded: the project's own, then each addon's in order.

MIGRATION_COMMANDS is therefore known only at run time. With the addons below it is:

    CACHE_URL="locmem://" python manage.py createcachetable django_dbcache; exit 0
    python manage.py check --database default
    python manage.py migrate --noinput
    python manage.py seed_notes
"""

import os

import aldryn_addons.settings

INSTALLED_ADDONS = ["site-database", "site-cache"]

MIGRATION_COMMANDS = ["python manage.py check --database default"]

aldryn_addons.settings.load(locals())

MIGRATION_COMMANDS.append("python manage.py seed_notes")

# This site signs nothing: no sessions, no forms. One that does must not have a default here.
SECRET_KEY = os.environ.get("SECRET_KEY", "") or "only-for-builds-and-trials"
DEBUG = False
# The proxy in front answers for the site's own domains only.
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
WSGI_APPLICATION = "wsgi.application"
INSTALLED_APPS += ["django.contrib.contenttypes", "notes"]
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
