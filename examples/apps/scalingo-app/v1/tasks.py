"""python3 tasks.py refresh|announce: what the Procfile's postdeploy runs."""

import sys

import markers
from version import VERSION


def refresh():
    print(f"refreshing what version {VERSION} shows")
    markers.write("refresh")


def announce():
    print(f"version {VERSION} is about to serve, after {len(markers.read())} tasks so far")
    markers.write("announce")


TASKS = {"refresh": refresh, "announce": announce}


def main(arguments):
    if len(arguments) != 1 or arguments[0] not in TASKS:
        print(f"usage: python3 tasks.py {'|'.join(TASKS)}", file=sys.stderr)
        return 2
    return TASKS[arguments[0]]()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
