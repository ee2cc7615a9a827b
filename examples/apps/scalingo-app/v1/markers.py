"""What the tasks did: one JSON line each, in the file that MARKERS_FILE names."""

import json
import os
from pathlib import Path

from version import VERSION


def path():
    return Path(os.environ.get("MARKERS_FILE") or "markers.jsonl")


def write(task):
    marker = {"task": task, "version": VERSION, **surroundings()}
    path().absolute().parent.mkdir(parents=True, exist_ok=True)
    with path().open("a") as file:
        file.write(json.dumps(marker) + "\n")


def read():
    try:
        return [json.loads(line) for line in path().read_text().splitlines()]
    except FileNotFoundError:
        return []


def surroundings():
    """Where this runs. Of the environment only the names: values may be secret."""
    return {"commit": os.environ.get("CONTAINER_VERSION") or "unknown", "environment": sorted(os.environ)}
