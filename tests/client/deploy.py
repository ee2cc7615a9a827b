"""Makes an app and an environment, deploys a repository and follows it to its
end, with a client that was generated from the API's description.

    SHIPWAY_SERVER=… SHIPWAY_TOKEN=… python deploy.py REPOSITORY
"""

import os
import sys
import time

from shipway import AuthenticatedClient, models
from shipway.api.apps import create_app, delete_app, get_app, list_apps
from shipway.api.deployments import (
    create_deployment,
    get_deployment,
    get_deployment_plan,
    list_environment_deployments,
    list_events,
)
from shipway.api.environments import create_environment, get_environment_status
from shipway.api.release_commands import add_release_command, list_release_commands

APP = "generated"
LIVE = "live"
PATIENCE_SECONDS = 180


def main(repository: str) -> None:
    client = AuthenticatedClient(
        base_url=os.environ["SHIPWAY_SERVER"],
        token=os.environ["SHIPWAY_TOKEN"],
        timeout=60.0,
    )
    app = create_app.sync(
        client=client, body=models.NewApp(name=APP, repository=repository)
    )
    assert isinstance(app, models.App), app
    assert APP in [each.name for each in list_apps.sync(client=client).items]

    environment = create_environment.sync(
        APP, client=client, body=models.NewEnvironment(name=LIVE, drain_seconds=5)
    )
    assert isinstance(environment, models.Environment), environment
    assert environment.drain_seconds == 5, environment

    hello = models.NewCommand(label="Say hello", run="echo hello from a release command")
    commands = add_release_command.sync(APP, LIVE, client=client, body=hello)
    assert all(isinstance(each, models.SettingsCommand) for each in commands.items), commands
    assert commands == list_release_commands.sync(APP, LIVE, client=client)
    assert [each.label for each in commands.items] == [hello.label], commands

    # What is refused has a type of its own, too.
    missing = get_app.sync("nowhere", client=client)
    assert isinstance(missing, models.Problem), missing
    assert missing.type_ == "/problems/not-found", missing

    deployment = create_deployment.sync(
        APP, LIVE, client=client, body=models.NewDeployment()
    )
    assert isinstance(deployment, models.Deployment), deployment
    deployment = followed(client, deployment)
    assert isinstance(deployment.ending, models.EndingSucceeded), deployment.ending

    events = list_events.sync(deployment.id, client=client)
    kinds = [event.kind for event in events.items]
    assert kinds[-1] == "deployment.ended", kinds
    plan = get_deployment_plan.sync(deployment.id, client=client)
    assert isinstance(plan, models.Plan), plan
    status = get_environment_status.sync(APP, LIVE, client=client)
    assert status.serving.deployment == deployment.id, status
    history = list_environment_deployments.sync(APP, LIVE, client=client, limit=1)
    assert [each.id for each in history.items] == [deployment.id], history
    assert delete_app.sync_detailed(APP, client=client).status_code == 204
    print(f"client: ok, {deployment.id} {deployment.ending.status}, {len(kinds)} events")


def followed(client: AuthenticatedClient, deployment: models.Deployment) -> models.Deployment:
    limit = time.monotonic() + PATIENCE_SECONDS
    while not deployment.ending:
        assert time.monotonic() < limit, f"no end after {PATIENCE_SECONDS} s: {deployment}"
        deployment = get_deployment.sync(deployment.id, client=client, wait_seconds=20)
        assert isinstance(deployment, models.Deployment), deployment
    return deployment


if __name__ == "__main__":
    main(sys.argv[1])
