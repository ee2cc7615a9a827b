// Tells an HTTP address how each deployment ended.

import {
  type Event,
  Failure,
  http,
  log,
  settings,
} from "../../../sdk/js/index.js";

export function deliver(event: Event): void {
  if (event.kind !== "deployment.ended") {
    log.debug(`${event.kind} is not sent`);
    return;
  }
  const url = settings.get("url");
  if (!url) throw new Failure("invalid", "the setting url is not set");
  const { status, ok } = http.post(url, {
    headers: headers(),
    json: body(event),
  });
  if (!ok) throw refusal(status);
  log.info(`sent to ${url}`);
}

function headers(): Record<string, string> {
  const token = settings.get("token");
  return token ? { authorization: `Bearer ${token}` } : {};
}

function body({ id, deployment, summary }: Event) {
  const { app, environment } = deployment;
  return { id, app, environment, text: summary };
}

function refusal(status: number): Failure {
  const message = `the receiver answered ${status}`;
  if (status === 429 || (status >= 500 && status < 600)) {
    return new Failure("unavailable", message, { retryable: true });
  }
  return new Failure("refused", message);
}
