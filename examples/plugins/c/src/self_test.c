/* The self-test: asks every web instance of the new version for one page. */
#include "shipway.h"

static void check_page(shipway_report *report, const shipway_endpoint *endpoint, shipway_str path)
{
    shipway_str name = shipway_format("GET %.*s", SHIPWAY_ARG(path));
    shipway_str url = shipway_format("%.*s%.*s", SHIPWAY_ARG(endpoint->url), SHIPWAY_ARG(path));
    shipway_http_request request = shipway_http_request_to("GET", url);
    if (endpoint->host.length > 0)
        shipway_http_header(&request, "host", "%.*s", SHIPWAY_ARG(endpoint->host));

    shipway_http_response response;
    shipway_failure *failure = shipway_http_send(&request, &response);
    shipway_str text = shipway_settings_or("text", "");
    if (failure)
        shipway_report_add(report, name, SHIPWAY_FAIL, "%.*s", SHIPWAY_ARG(failure->code));
    else if (response.status < 200 || response.status > 399)
        shipway_report_add(report, name, SHIPWAY_FAIL, "answered %u", response.status);
    else if (!shipway_str_contains(response.body, text))
        shipway_report_add(
            report, name, SHIPWAY_FAIL, "the page does not contain %.*s", SHIPWAY_ARG(text));
    else
        shipway_report_add(report, name, SHIPWAY_PASS, "answered %u", response.status);
}

shipway_failure *plugin_self_test(const shipway_deployment *deployment, shipway_report *report)
{
    (void)deployment;
    shipway_str path = shipway_settings_or("path", "/");
    shipway_endpoints endpoints = shipway_candidate_endpoints();
    for (size_t i = 0; i < endpoints.count; i++)
        if (shipway_str_is(endpoints.items[i].process, "web"))
            check_page(report, &endpoints.items[i], path);
    if (report->checks.count == 0)
        shipway_report_add(report, shipway_str_of("web"), SHIPWAY_SKIP, "there is no web process");
    return NULL;
}
