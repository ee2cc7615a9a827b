/* Asks the new version for a page before anybody else does. */
#include "shipway.h"

void plugin_describe(shipway_manifest *manifest)
{
    /* The candidate's own endpoints are granted without asking. */
    manifest->name = "{{name}}";
    manifest->version = "0.1.0";
    manifest->summary = "Asks every instance of the new version for a page.";
    shipway_manifest_setting(manifest, "path", "What is asked for; / unless set.");
    shipway_manifest_setting(manifest, "text", "What the page must contain.");
}

/* One failed check fails the deployment, and the old version stays. */
static void check(shipway_report *report, const shipway_endpoint *endpoint, shipway_str path)
{
    shipway_str name = shipway_format("GET %.*s", SHIPWAY_ARG(path));
    shipway_str url = shipway_format("%.*s%.*s", SHIPWAY_ARG(endpoint->url), SHIPWAY_ARG(path));
    shipway_http_request request = shipway_http_request_to("GET", url);
    if (endpoint->host.length > 0)
        shipway_http_header(&request, "host", "%.*s", SHIPWAY_ARG(endpoint->host));

    shipway_http_response page;
    shipway_failure *failure = shipway_http_send(&request, &page);
    shipway_str text = shipway_settings_or("text", "");
    if (failure)
        shipway_report_add(report, name, SHIPWAY_FAIL, "%.*s", SHIPWAY_ARG(failure->message));
    else if (page.status < 200 || page.status >= 400)
        shipway_report_add(report, name, SHIPWAY_FAIL, "answered %u", page.status);
    else if (!shipway_str_contains(page.body, text))
        shipway_report_add(
            report, name, SHIPWAY_FAIL, "the page does not contain %.*s", SHIPWAY_ARG(text));
    else
        shipway_report_add(report, name, SHIPWAY_PASS, "answered %u", page.status);
}

shipway_failure *plugin_self_test(const shipway_deployment *deployment, shipway_report *report)
{
    (void)deployment;
    shipway_str path = shipway_settings_or("path", "/");
    shipway_endpoints endpoints = shipway_candidate_endpoints();
    for (size_t i = 0; i < endpoints.count; i++)
        if (shipway_str_is(endpoints.items[i].process, "web"))
            check(report, &endpoints.items[i], path);
    return NULL;
}
