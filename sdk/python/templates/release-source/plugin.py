"""{{title}}: runs the scripts in release.d."""

from shipway_sdk import (
    Collected,
    Command,
    Deployment,
    Phase,
    Plugin,
    Provenance,
    Request,
    source,
)

plugin = Plugin(
    name="{{name}}",
    version="0.1.0",
    summary="Runs the scripts in release.d, in the order of their names.",
    # The operator grants this, or does not: a request is never a grant.
    requests=[
        Request.files(["release.d/*"], "Every script there is a release command."),
    ],
)

# A script runs before the new version starts, unless its name begins with one of
# these: once it is up and not yet routed, or once it is routed.
PHASES = {"gate-": Phase.GATE, "after-": Phase.AFTER}


@plugin.release_source
def collect(deployment: Deployment) -> Collected:
    collected = Collected()
    # Sorted by the host. No such folder is no file, and no failure.
    for path in source.find("release.d/*"):
        if path.endswith(".sh"):
            collected.add(script(path))
        else:
            # Shown in the plan, so that nobody wonders.
            collected.skip(path, "only files that end in .sh are run", Provenance(path))
    return collected


def script(path: str) -> Command:
    label = path.removeprefix("release.d/").removesuffix(".sh")
    phase = Phase.RELEASE
    for prefix, other in PHASES.items():
        if label.startswith(prefix):
            label, phase = label.removeprefix(prefix), other
    return Command.argv(["sh", path], label=label, phase=phase).at(path)
