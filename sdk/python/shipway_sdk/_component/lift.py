"""From the generated records to the SDK's."""

from typing import Any

from shipway_sdk.candidate import Endpoint
from shipway_sdk.deployment import Deployment, Output
from shipway_sdk.failure import Failure
from shipway_sdk.http import Response
from shipway_sdk.notify import Event


def failure(record: Any) -> Failure:
    """A failure of the host, of the class of its code."""
    return Failure.of(
        record.code,
        record.message,
        retryable=record.retryable,
        attributes=dict(record.attributes),
    )


def deployment(record: Any) -> Deployment:
    """The deployment of a call."""
    return Deployment(
        id=record.id,
        app=record.app,
        environment=record.environment,
        commit=record.commit,
        reference=record.reference,
        attributes=dict(record.attributes),
    )


def event(record: Any) -> Event:
    """The event to deliver."""
    return Event(
        id=record.id,
        sequence=record.sequence,
        time=record.time,
        kind=record.kind,
        deployment=deployment(record.deployment),
        summary=record.summary,
        data=record.data,
        attributes=dict(record.attributes),
    )


def output(record: Any) -> Output:
    """What a command left."""
    return Output(
        exit_code=record.exit_code,
        stdout=bytes(record.stdout),
        stderr=bytes(record.stderr),
        truncated=record.truncated,
        attributes=dict(record.attributes),
    )


def response(record: Any) -> Response:
    """The answer to a request."""
    return Response(
        status=record.status,
        headers=record.headers,
        body=bytes(record.body),
        attributes=dict(record.attributes),
    )


def endpoint(record: Any) -> Endpoint:
    """One address of the candidate."""
    return Endpoint(
        process=record.process,
        url=record.url,
        host=record.host,
        attributes=dict(record.attributes),
    )
