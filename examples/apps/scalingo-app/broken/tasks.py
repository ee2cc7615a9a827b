"""python3 tasks.py refresh|verify: what the Procfile's postdeploy runs."""

import sys

import markers
from version import VERSION


def refresh():
    print(f"refreshing what version {VERSION} shows")
    markers.write("refresh")


def verify():
    """Fails on purpose: what an app may find when it looks at itself before it serves."""
    print(f"verifying version {VERSION}")
    print("  prices: ok")
    print("  stock: 3 articles have no price", file=sys.stderr)
    print("version 2 must not serve", file=sys.stderr)
    return 3


TASKS = {"refresh": refresh, "verify": verify}


def main(arguments):
    if len(arguments) != 1 or arguments[0] not in TASKS:
        print(f"usage: python3 tasks.py {'|'.join(TASKS)}", file=sys.stderr)
        return 2
    return TASKS[arguments[0]]()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
