"""The example of the author's guide: a plugin of all three roles."""

from shipway_sdk import (
    Argv,
    Check,
    Collected,
    Command,
    Deployment,
    Endpoint,
    Entrypoint,
    Event,
    Failure,
    Invocation,
    NotFound,
    Phase,
    Plugin,
    Provenance,
    Request,
    Setting,
    Shell,
    Unavailable,
    candidate,
    http,
    log,
    settings,
    source,
)

plugin = Plugin(
    name="example",
    version="1.0.0",
    summary="The example of the author's guide, in every language.",
    settings=[
        Setting(
            "file",
            "Where the release commands stand; Releasefile unless set.",
        ),
        Setting("url", "Where endings are sent."),
        Setting(
            "token",
            "Sent as a bearer token.",
            secret_in=["header:authorization"],
        ),
        Setting("path", "What is asked of the new version; / unless set."),
        Setting("text", "What the page must contain."),
    ],
    requests=[
        Request.files(
            ["Releasefile", "Releasefile.d/*"],
            "The release commands stand in these files.",
        ),
        Request.http(["POST setting:url"], "Endings are sent to this address."),
    ],
)

# What a line may begin with to run at another time than the release.
PHASES = (Phase.GATE, Phase.AFTER, Phase.FAILED)


@plugin.release_source
def collect(deployment: Deployment) -> Collected:
    """Every line `LABEL: COMMAND` of the Releasefile and of Releasefile.d."""
    collected = Collected()
    first = settings.get("file", "Releasefile")
    try:
        read_lines(first, collected)
    except NotFound:
        collected.warn(f"there is no {first}")
    for file in source.find("Releasefile.d/*"):
        read_lines(file, collected)
    return collected


def read_lines(file: str, collected: Collected) -> None:
    for number, line in enumerate(source.read_text(file).split("\n"), start=1):
        line = line.removesuffix("\r").strip(" \t")
        place = Provenance(file, f"line {number}")
        if not line or line.startswith("#"):
            continue
        label, _, command = (part.strip(" \t") for part in line.partition(":"))
        if label and command:
            collected.add(read_command(label, command, place))
        else:
            collected.skip(line, "a line is LABEL: COMMAND", place)


def read_command(label: str, command: str, place: Provenance) -> Command:
    phase = Phase.RELEASE
    for other in PHASES:
        if label.startswith(f"{other.value} "):
            phase = other
            label = label.removeprefix(f"{other.value} ").strip(" \t")
            break
    return Command(
        run=read_invocation(command),
        label=label,
        phase=phase,
        entrypoint=Entrypoint.KEEP,
        provenance=place,
    )


def read_invocation(command: str) -> Invocation:
    if command.startswith("exec "):
        words = command.removeprefix("exec ").split(" ")
        return Argv([word for word in words if word])
    return Shell(command)


@plugin.notifier
def deliver(event: Event) -> None:
    """Posts how a deployment ended."""
    if event.kind != "deployment.ended":
        log.debug(f"{event.kind} is not sent")
        return
    url = settings.require("url")
    headers = {"content-type": "application/json"}
    token = settings.get("token")
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    body = {
        "id": event.id,
        "app": event.deployment.app,
        "environment": event.deployment.environment,
        "text": event.summary,
    }
    response = http.post(url, json=body, headers=headers)
    if response.ok:
        log.info(f"sent to {url}")
        return
    refusal = f"the receiver answered {response.status}"
    if response.status == 429 or 500 <= response.status <= 599:
        raise Unavailable(refusal, retryable=True)
    raise Failure("refused", refusal)


@plugin.self_test
def test(deployment: Deployment) -> list[Check]:
    """Asks every instance of `web` for a page."""
    endpoints = candidate.endpoints("web")
    if not endpoints:
        return [Check.skipped("web", "there is no web process")]
    path = settings.get("path", "/")
    return [check_page(endpoint, path) for endpoint in endpoints]


def check_page(endpoint: Endpoint, path: str) -> Check:
    name = f"GET {path}"
    headers = {"host": endpoint.host} if endpoint.host else {}
    try:
        response = http.get(endpoint.url + path, headers=headers)
    except Failure as failure:
        return Check.failed(name, failure.code)
    answered = f"answered {response.status}"
    if not 200 <= response.status < 400:
        return Check.failed(name, answered)
    text = settings.get("text", "")
    if text not in response.text:
        return Check.failed(name, f"the page does not contain {text}")
    return Check.passed(name, answered)
