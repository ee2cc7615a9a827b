/* Tells a web address how each deployment ended. */
#include "shipway.h"

void plugin_describe(shipway_manifest *manifest)
{
    manifest->name = "{{name}}";
    manifest->version = "0.1.0";
    manifest->summary = "Posts how each deployment ended to a web address.";
    shipway_manifest_setting(manifest, "url", "Where endings are sent.")->required = true;
    /* The plugin only ever sees a placeholder. The host puts the value in on the
     * way out, and nowhere but in this header. */
    shipway_manifest_secret(manifest, "token", SHIPWAY_STRS("header:authorization"),
        "Sent as a bearer token, if it is set.");
    /* The operator grants this, or does not: a request is never a grant. */
    shipway_request_http(
        manifest, SHIPWAY_STRS("POST setting:url"), "Endings are sent to this address.");
}

static shipway_str message(const shipway_event *event)
{
    shipway_json json = {0};
    shipway_json_begin_object(&json);
    /* The same when an event comes again: a receiver can drop repeats. */
    shipway_json_field(&json, "id", event->id);
    shipway_json_field(&json, "app", event->deployment.app);
    shipway_json_field(&json, "environment", event->deployment.environment);
    shipway_json_field(&json, "text", event->summary);
    shipway_json_end_object(&json);
    return shipway_json_written(&json);
}

/* A failure that is retryable is delivered again, later. */
static shipway_failure *judge(unsigned status)
{
    if (status >= 200 && status < 300)
        return NULL;
    shipway_failure *failure =
        shipway_fail(SHIPWAY_UNAVAILABLE, "the receiver answered %u", status);
    failure->retryable = status == 429 || status >= 500;
    return failure;
}

shipway_failure *plugin_deliver(const shipway_event *event)
{
    /* There are many kinds of events, and later versions bring more. */
    if (!shipway_str_is(event->kind, "deployment.ended"))
        return NULL;
    shipway_str url, token;
    SHIPWAY_TRY(shipway_settings_require("url", &url));
    shipway_http_request request = shipway_http_request_to("POST", url);
    shipway_http_header(&request, "content-type", "application/json");
    if (shipway_settings_get("token", &token))
        shipway_http_header(&request, "authorization", "Bearer %.*s", SHIPWAY_ARG(token));
    request.body = message(event);
    shipway_http_response response;
    SHIPWAY_TRY(shipway_http_send(&request, &response));
    return judge(response.status);
}
