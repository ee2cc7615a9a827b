# Writes the MIGRATION_COMMANDS of an Aldryn project as JSON, each with the file
# that put it into the list. Runs in the app's image, in its folder, under
# whatever Python the app has, 2.7 included.
import difflib
import json
import os
import sys
import traceback

# Settings may print. What they print goes to standard error, and the answer
# alone to standard output, after this line.
MARKER = sys.argv[1]
OUT = os.dup(1)
os.dup2(2, 1)

ROOT = os.path.realpath(os.getcwd())


def answer(kind, value):
    rest = ("\n%s\n%s\n" % (MARKER, json.dumps({kind: value}))).encode("ascii")
    while rest:
        rest = rest[os.write(OUT, rest) :]
    # Threads and exit handlers of the settings must not hold the probe up.
    os._exit(0)


def in_repository(path):
    path = os.path.relpath(os.path.realpath(path), ROOT)
    return None if path.startswith(os.pardir) else path.replace(os.sep, "/")


class Trail(object):
    """The list so far, and for each entry who put it there."""

    def __init__(self):
        self.commands = []
        self.origins = []

    def follow(self, commands, origin):
        """Takes the list as it is now; what is new in it is of this origin."""
        commands = list(commands or [])
        steps = difflib.SequenceMatcher(None, self.commands, commands, False)
        origins = []
        for step, old, old_end, new, new_end in steps.get_opcodes():
            if step == "equal":
                origins.extend(self.origins[old:old_end])
            else:
                origins.extend([origin] * (new_end - new))
        self.commands, self.origins = commands, origins


def watch(trail):
    """Follows the list around each addon's turn."""
    try:
        from aldryn_addons import settings as loader

        load_addon_settings = loader.load_addon_settings
    except (ImportError, AttributeError):
        return

    def watched(name, path, settings, **kwargs):
        trail.follow(settings.get("MIGRATION_COMMANDS"), None)
        result = load_addon_settings(name=name, path=path, settings=settings, **kwargs)
        config = in_repository(os.path.join(path, "aldryn_config.py"))
        trail.follow(
            settings.get("MIGRATION_COMMANDS"), {"addon": name, "file": config}
        )
        return result

    loader.load_addon_settings = watched


def load_settings():
    sys.path.insert(0, ROOT)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
    try:
        from aldryn_django import startup

        startup._setup(ROOT)
    except (ImportError, AttributeError):
        pass
    from django.conf import settings

    return settings


def settings_file():
    module = sys.modules.get(os.environ["DJANGO_SETTINGS_MODULE"])
    path = getattr(module, "__file__", None)
    return path and in_repository(path)


def is_text(value):
    return isinstance(value, type("")) or isinstance(value, type(u""))


def collect():
    trail = Trail()
    watch(trail)
    commands = getattr(load_settings(), "MIGRATION_COMMANDS", [])
    if not isinstance(commands, (list, tuple)):
        raise TypeError("MIGRATION_COMMANDS is no list but %r" % (commands,))
    for index, command in enumerate(commands):
        if not is_text(command):
            raise TypeError(
                "MIGRATION_COMMANDS[%d] is no string but %r" % (index, command)
            )
    trail.follow(commands, None)
    settings = {"addon": None, "file": settings_file()}
    return [
        dict(origin or settings, command=command)
        for command, origin in zip(trail.commands, trail.origins)
    ]


def what_failed():
    kind, value, trace = sys.exc_info()
    message = "".join(traceback.format_exception_only(kind, value)).strip()
    places = [
        (in_repository(frame[0]), frame[1])
        for frame in traceback.extract_tb(trace)
        if os.path.isfile(frame[0])
    ]
    for path, line in reversed(places):
        if path:
            return "%s (%s, line %d)" % (message, path, line)
    return message


try:
    COMMANDS = collect()
except BaseException:
    answer("error", what_failed())
answer("commands", COMMANDS)
