/* The notifier: sends how a deployment ended to an address. */
#include "shipway.h"

static shipway_str body_of(const shipway_event *event)
{
    shipway_json json = {0};
    shipway_json_begin_object(&json);
    shipway_json_field(&json, "id", event->id);
    shipway_json_field(&json, "app", event->deployment.app);
    shipway_json_field(&json, "environment", event->deployment.environment);
    shipway_json_field(&json, "text", event->summary);
    shipway_json_end_object(&json);
    return shipway_json_written(&json);
}

/* What an answer means: the receiver took it, is busy, or does not want it. */
static shipway_failure *judge(unsigned status)
{
    if (status >= 200 && status < 300)
        return NULL;
    bool busy = status == 429 || (status >= 500 && status < 600);
    shipway_failure *failure =
        shipway_fail(busy ? SHIPWAY_UNAVAILABLE : "refused", "the receiver answered %u", status);
    failure->retryable = busy;
    return failure;
}

shipway_failure *plugin_deliver(const shipway_event *event)
{
    if (!shipway_str_is(event->kind, "deployment.ended")) {
        shipway_log_debug("%.*s is not sent", SHIPWAY_ARG(event->kind));
        return NULL;
    }
    shipway_str url, token;
    SHIPWAY_TRY(shipway_settings_require("url", &url));

    shipway_http_request request = shipway_http_request_to("POST", url);
    shipway_http_header(&request, "content-type", "application/json");
    if (shipway_settings_get("token", &token))
        shipway_http_header(&request, "authorization", "Bearer %.*s", SHIPWAY_ARG(token));
    request.body = body_of(event);

    shipway_http_response response;
    SHIPWAY_TRY(shipway_http_send(&request, &response));
    SHIPWAY_TRY(judge(response.status));
    shipway_log_info("sent to %.*s", SHIPWAY_ARG(url));
    return NULL;
}
