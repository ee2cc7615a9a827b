"""python3 manage.py migrate: brings the database to this version's shape, then ends."""

import sys

import database


def migrate():
    print(f"migrating {database.path()}", flush=True)
    for name, applied_now in database.migrate():
        print(f"  {name}: {'applied' if applied_now else 'was applied before'}", flush=True)


def main(arguments):
    if arguments != ["migrate"]:
        print("usage: python3 manage.py migrate", file=sys.stderr)
        return 2
    migrate()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
