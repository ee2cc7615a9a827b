#include "tests.h"

void plugin_describe(shipway_manifest *manifest)
{
    manifest->name = "tested";
    shipway_request_files(manifest, SHIPWAY_STRS("*.txt", "deep/**"), "To be tested.");
}

int main(void)
{
    test_text();
    test_json();
    test_model();
    test_calls();
    test_host();
    return shipway_testing_end();
}
