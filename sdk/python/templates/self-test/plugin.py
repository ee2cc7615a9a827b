"""{{title}}: asks every instance of the new version for a page."""

import time
from collections.abc import Iterator

from shipway_sdk import (
    Check,
    Deployment,
    Endpoint,
    Failure,
    Plugin,
    Setting,
    candidate,
    http,
    settings,
)

plugin = Plugin(
    name="{{name}}",
    version="0.1.0",
    summary="Asks every instance of the new version for a page.",
    settings=[Setting("path", "The page; / unless set.")],
    # The candidate may be asked without a grant, so there are no requests.
)

# A page that takes longer, in seconds, is no reason to fail, but to look.
SLOW = 2.0


@plugin.self_test
def test(deployment: Deployment) -> Iterator[Check]:
    path = settings.get("path", "/")
    endpoints = candidate.endpoints("web")
    for endpoint in endpoints:
        yield check_page(endpoint, path)
    if not endpoints:
        yield Check.skipped("web", "there is no web process")


def check_page(endpoint: Endpoint, path: str) -> Check:
    name = f"GET {path}"
    # The app knows its own domain and not the instance's address.
    headers = {"host": endpoint.host} if endpoint.host else {}
    begun = time.monotonic()
    try:
        response = http.get(endpoint.url + path, headers=headers)
    except Failure as failure:
        return Check.failed(name, f"no answer: {failure}")
    took = time.monotonic() - begun
    if not 200 <= response.status < 400:
        return Check.failed(name, f"answered {response.status}", took)
    if took > SLOW:
        return Check.warned(name, f"answered after {took:.1f} s", took)
    return Check.passed(name, f"answered {response.status}", took)
