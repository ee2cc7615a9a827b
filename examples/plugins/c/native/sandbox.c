/* The built example in the real host: `make check`, after
 * `shipway plugin build`. What a case expects, its file says; here are the
 * assertions that want a program. */
#include "shipway_case.h"

#include <stdio.h>
#include <stdlib.h>

static void a_placeholder_is_all_that_the_plugin_sees(const char *component)
{
    shipway_testing_begin();
    shipway_str report, request = {0}, calls = {0};
    shipway_str value = shipway_str_of("s3cret-value");
    SHIPWAY_EXPECT(shipway_case_run(component, "tests/ended.toml", &report));
    SHIPWAY_EXPECT(shipway_json_find(report, "requests[0]", &request));
    SHIPWAY_EXPECT(shipway_str_contains(request, value));
    SHIPWAY_EXPECT(shipway_json_find(report, "calls", &calls));
    SHIPWAY_EXPECT(!shipway_str_contains(calls, value));
}

static void every_command_says_where_it_stands(const char *component)
{
    shipway_testing_begin();
    shipway_str report, file = {0};
    size_t count = 0;
    SHIPWAY_EXPECT(shipway_case_run(component, "tests/releasefile.toml", &report));
    SHIPWAY_EXPECT(shipway_json_find_count(report, "result.commands", &count) && count > 0);
    for (size_t i = 0; i < count; i++) {
        shipway_str place = shipway_format("result.commands[%zu].provenance.file", i);
        SHIPWAY_EXPECT(shipway_json_find_string(report, shipway_cstr(place), &file));
        SHIPWAY_EXPECT(shipway_str_starts_with(file, "Releasefile"));
    }
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: %s PLUGIN.wasm\n", arguments[0]);
        return EXIT_FAILURE;
    }
    a_placeholder_is_all_that_the_plugin_sees(arguments[1]);
    every_command_says_where_it_stands(arguments[1]);
    return shipway_testing_end();
}
