"""{{title}}: posts how each deployment ended to a web address."""

from shipway_sdk import Event, Failure, Plugin, Request, Setting, http, log, settings

plugin = Plugin(
    name="{{name}}",
    version="0.1.0",
    summary="Posts how each deployment ended to a web address.",
    settings=[
        Setting("url", "Where endings are sent.", required=True),
        # The plugin only ever sees a placeholder. The host puts the value in on
        # the way out, and nowhere but in this header.
        Setting(
            "token",
            "Sent as a bearer token, if it is set.",
            secret_in=["header:authorization"],
        ),
    ],
    # The operator grants this, or does not: a request is never a grant.
    requests=[Request.http(["POST setting:url"], "Endings are sent to this address.")],
)


@plugin.notifier
def deliver(event: Event) -> None:
    # There are many kinds of events, and later versions bring more.
    if event.kind != "deployment.ended":
        return
    message = {
        # The same when an event comes again: a receiver can drop repeats.
        "id": event.id,
        "app": event.deployment.app,
        "text": event.summary,
    }
    response = http.post(settings.require("url"), json=message, headers=headers())
    if response.ok:
        log.info(f"told the receiver about {event.deployment.app}")
        return
    # A failure that is retryable is delivered again, later.
    again = response.status == 429 or response.status >= 500
    refusal = f"the receiver answered {response.status}"
    raise Failure("refused", refusal, retryable=again)


def headers() -> dict[str, str]:
    token = settings.get("token")
    return {"authorization": f"Bearer {token}"} if token else {}
