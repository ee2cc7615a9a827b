#include "shipway.h"

void plugin_describe(shipway_manifest *manifest)
{
    manifest->name = "example";
    manifest->version = "1.0.0";
    manifest->summary = "The example of the author's guide, in every language.";

    shipway_manifest_setting(
        manifest, "file", "Where the release commands stand; Releasefile unless set.");
    shipway_manifest_setting(manifest, "url", "Where endings are sent.");
    shipway_manifest_secret(
        manifest, "token", SHIPWAY_STRS("header:authorization"), "Sent as a bearer token.");
    shipway_manifest_setting(manifest, "path", "What is asked of the new version; / unless set.");
    shipway_manifest_setting(manifest, "text", "What the page must contain.");

    shipway_request_files(manifest, SHIPWAY_STRS("Releasefile", "Releasefile.d/*"),
        "The release commands stand in these files.");
    shipway_request_http(
        manifest, SHIPWAY_STRS("POST setting:url"), "Endings are sent to this address.");
}
