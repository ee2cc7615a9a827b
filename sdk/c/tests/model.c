#include "tests.h"

static void a_failure_has_a_code_and_a_sentence(void)
{
    shipway_failure *failure = shipway_fail(SHIPWAY_DENIED, "%s is not granted", "a.txt");
    SHIPWAY_EXPECT(shipway_failure_is(failure, SHIPWAY_DENIED));
    SHIPWAY_EXPECT(!shipway_failure_is(failure, SHIPWAY_INVALID));
    SHIPWAY_EXPECT_TEXT(failure->message, "a.txt is not granted");
    SHIPWAY_EXPECT(!failure->retryable);
}

static void a_manifest_is_built(void)
{
    shipway_manifest manifest = {0};
    shipway_manifest_setting(&manifest, "url", "Where to.")->required = true;
    shipway_manifest_secret(&manifest, "token", SHIPWAY_STRS("header:x-token", "query"), "Who.");
    shipway_request_http(&manifest, SHIPWAY_STRS("POST setting:url"), "To send.");
    shipway_request_variables(&manifest, SHIPWAY_STRS("STAGE"), "To know.");
    shipway_request_image(&manifest, "To look.");
    shipway_request_exec(&manifest, "To try.");

    SHIPWAY_EXPECT(manifest.settings.count == 2);
    SHIPWAY_EXPECT(manifest.settings.items[0]->required && !manifest.settings.items[0]->secret);
    SHIPWAY_EXPECT(manifest.settings.items[1]->secret);
    SHIPWAY_EXPECT_TEXT(manifest.settings.items[1]->places.items[1], "query");
    const char *const capabilities[] = {"http", "variables", "image", "exec"};
    SHIPWAY_EXPECT(manifest.requests.count == 4);
    for (size_t i = 0; i < manifest.requests.count; i++)
        SHIPWAY_EXPECT(strcmp(manifest.requests.items[i]->capability, capabilities[i]) == 0);
    SHIPWAY_EXPECT(manifest.requests.items[2]->targets.count == 0);
}

static void a_command_has_defaults_and_stays_where_it_is(void)
{
    shipway_collected collected = {0};
    shipway_command *first = shipway_collected_add(
        &collected, shipway_str_of("Migrate"), shipway_shell(shipway_str_of("./migrate")));
    for (unsigned i = 0; i < 50; i++)
        shipway_collected_add(
            &collected, shipway_format("%u", i), shipway_argv(SHIPWAY_STRS("true")));
    first->undo = shipway_shell(shipway_str_of("./migrate back"));
    SHIPWAY_EXPECT(collected.commands.items[0] == first);
    SHIPWAY_EXPECT(first->phase == SHIPWAY_PHASE_RELEASE);
    SHIPWAY_EXPECT(first->entrypoint == SHIPWAY_ENTRYPOINT_BYPASS);
    SHIPWAY_EXPECT(first->when == SHIPWAY_WHEN_ALWAYS && first->timeout_seconds == 0);
    SHIPWAY_EXPECT(collected.commands.items[50]->run->kind == SHIPWAY_ARGV);
}

static void what_was_skipped_says_where_and_why(void)
{
    shipway_collected collected = {0};
    shipway_collected_skip(&collected, shipway_str_of("x"),
        shipway_at(shipway_str_of("Makefile"), "line %d", 3), "no %s", "target");
    shipway_collected_warn(&collected, "a %s", "doubt");
    SHIPWAY_EXPECT_TEXT(collected.skipped.items[0]->reason, "no target");
    SHIPWAY_EXPECT_TEXT(collected.skipped.items[0]->provenance.place, "line 3");
    SHIPWAY_EXPECT_TEXT(collected.warnings.items[0], "a doubt");
}

static void a_report_holds_checks(void)
{
    shipway_report report = {0};
    shipway_check *check =
        shipway_report_add(&report, shipway_str_of("page"), SHIPWAY_WARN, "took %d s", 3);
    check->duration_ms = 3000;
    SHIPWAY_EXPECT(report.checks.count == 1);
    SHIPWAY_EXPECT_TEXT(report.checks.items[0]->message, "took 3 s");
}

static void headers_are_found_without_case(void)
{
    shipway_http_response response = {0};
    shipway_str value = {0};
    shipway_pairs_add(&response.headers, "Content-Type", shipway_str_of("text/html"));
    SHIPWAY_EXPECT(shipway_http_response_header(&response, "content-type", &value));
    SHIPWAY_EXPECT_TEXT(value, "text/html");
    SHIPWAY_EXPECT(!shipway_http_response_header(&response, "content", &value));
    SHIPWAY_EXPECT(!shipway_http_response_header(&response, "content-type2", &value));
}

void test_model(void)
{
    shipway_testing_begin();
    a_failure_has_a_code_and_a_sentence();
    a_manifest_is_built();
    a_command_has_defaults_and_stays_where_it_is();
    what_was_skipped_says_where_and_why();
    a_report_holds_checks();
    headers_are_found_without_case();
}
