/* The example's functions in an in-memory host: `make`. */
#include "shipway_testing.h"

static const shipway_command *command(const shipway_collected *collected, size_t index)
{
    return collected->commands.items[index];
}

static void collects_lines_with_phases(void)
{
    shipway_testing_begin();
    shipway_testing_file("Releasefile", "# first\r\n\n"
                                        "  Migrate : ./migrate --all: now\t\r\n"
                                        "gate  Smoke: exec curl   -f  http://x/\n"
                                        "after Tell: echo done\n"
                                        "failed Undo: ./undo\n"
                                        "gate: exec\n");
    shipway_collected collected = {0};
    SHIPWAY_EXPECT(!plugin_collect(shipway_testing_deployment(), &collected));
    SHIPWAY_EXPECT(collected.commands.count == 5 && collected.skipped.count == 0);
    SHIPWAY_EXPECT_TEXT(command(&collected, 0)->label, "Migrate");
    SHIPWAY_EXPECT_TEXT(command(&collected, 0)->run->as.shell, "./migrate --all: now");
    SHIPWAY_EXPECT_TEXT(command(&collected, 0)->provenance.place, "line 3");
    SHIPWAY_EXPECT(command(&collected, 0)->entrypoint == SHIPWAY_ENTRYPOINT_KEEP);
    SHIPWAY_EXPECT_TEXT(command(&collected, 1)->label, "Smoke");
    SHIPWAY_EXPECT(command(&collected, 1)->phase == SHIPWAY_PHASE_GATE);
    SHIPWAY_EXPECT(command(&collected, 1)->run->as.argv.count == 3);
    SHIPWAY_EXPECT_TEXT(command(&collected, 1)->run->as.argv.items[2], "http://x/");
    SHIPWAY_EXPECT(command(&collected, 2)->phase == SHIPWAY_PHASE_AFTER);
    SHIPWAY_EXPECT(command(&collected, 3)->phase == SHIPWAY_PHASE_FAILED);
    SHIPWAY_EXPECT_TEXT(command(&collected, 4)->label, "gate");
    SHIPWAY_EXPECT_TEXT(command(&collected, 4)->run->as.shell, "exec");
}

static void skips_lines_that_are_no_commands(void)
{
    shipway_testing_begin();
    shipway_testing_file("Releasefile", " no colon\n: x\nx: \t\n");
    shipway_collected collected = {0};
    SHIPWAY_EXPECT(!plugin_collect(shipway_testing_deployment(), &collected));
    SHIPWAY_EXPECT(collected.commands.count == 0 && collected.skipped.count == 3);
    SHIPWAY_EXPECT_TEXT(collected.skipped.items[0]->what, "no colon");
    SHIPWAY_EXPECT_TEXT(collected.skipped.items[2]->what, "x:");
    SHIPWAY_EXPECT_TEXT(collected.skipped.items[2]->reason, "a line is LABEL: COMMAND");
}

static void warns_of_a_missing_file_and_reads_the_others(void)
{
    shipway_testing_begin();
    shipway_testing_file("Releasefile.d/20", "Second: 2");
    shipway_testing_file("Releasefile.d/10", "First: 1");
    shipway_collected collected = {0};
    SHIPWAY_EXPECT(!plugin_collect(shipway_testing_deployment(), &collected));
    SHIPWAY_EXPECT_TEXT(collected.warnings.items[0], "there is no Releasefile");
    SHIPWAY_EXPECT_TEXT(command(&collected, 0)->label, "First");
    SHIPWAY_EXPECT_TEXT(command(&collected, 1)->provenance.file, "Releasefile.d/20");
}

static void hands_on_what_the_host_refuses(void)
{
    shipway_testing_begin();
    shipway_testing_setting("file", "Makefile");
    shipway_testing_file("Makefile", "a: b");
    shipway_collected collected = {0};
    shipway_failure *failure = plugin_collect(shipway_testing_deployment(), &collected);
    SHIPWAY_EXPECT(failure && shipway_failure_is(failure, SHIPWAY_DENIED));
}

static void refuses_what_is_no_text(void)
{
    shipway_testing_begin();
    shipway_testing_bytes("Releasefile", shipway_str_of("a: \xFF"));
    shipway_collected collected = {0};
    shipway_failure *failure = plugin_collect(shipway_testing_deployment(), &collected);
    SHIPWAY_EXPECT(failure && shipway_failure_is(failure, SHIPWAY_INVALID));
    SHIPWAY_EXPECT_TEXT(failure->message, "Releasefile is not text");
}

#define HOOK "https://hooks.example.test/in"

static shipway_failure *deliver(uint16_t status)
{
    shipway_testing_begin();
    shipway_testing_setting("url", HOOK);
    shipway_testing_setting("token", "secret:token");
    if (status > 0)
        shipway_testing_answer("POST", HOOK, status, "");
    shipway_event event = shipway_testing_event("deployment.ended", "shop/live: \"done\"");
    return plugin_deliver(&event);
}

static void sends_how_a_deployment_ended(void)
{
    SHIPWAY_EXPECT(!deliver(204));
    SHIPWAY_EXPECT(shipway_testing_requests() == 1);
    const shipway_http_request *request = shipway_testing_request(0);
    SHIPWAY_EXPECT_TEXT(request->headers.items[0].value, "application/json");
    SHIPWAY_EXPECT_TEXT(request->headers.items[1].value, "Bearer secret:token");
    SHIPWAY_EXPECT_TEXT(request->body,
        "{\"id\":\"0198c0de-0000-7000-8000-000000000001/7\",\"app\":\"shop\","
        "\"environment\":\"live\",\"text\":\"shop/live: \\\"done\\\"\"}");
    SHIPWAY_EXPECT(shipway_testing_logged("sent to " HOOK));
}

static void judges_the_answer(void)
{
    static const struct {
        uint16_t status;
        const char *code;
        bool retryable;
    } answers[] = {
        {429, "unavailable", true}, {503, "unavailable", true}, {302, "refused", false},
        {404, "refused", false}, {0, "unavailable", true}, /* The host's own failure. */
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        shipway_failure *failure = deliver(answers[i].status);
        SHIPWAY_EXPECT(failure && failure->retryable == answers[i].retryable);
        SHIPWAY_EXPECT_TEXT(failure->code, answers[i].code);
    }
}

static void leaves_other_events(void)
{
    shipway_testing_begin();
    shipway_event event = shipway_testing_event("step.started", "Build");
    SHIPWAY_EXPECT(!plugin_deliver(&event));
    SHIPWAY_EXPECT(shipway_testing_requests() == 0);
    SHIPWAY_EXPECT(shipway_testing_logged("step.started is not sent"));
    event = shipway_testing_event("deployment.ended", "Done");
    shipway_failure *failure = plugin_deliver(&event);
    SHIPWAY_EXPECT_TEXT(failure->message, "the setting url is not set");
}

static void checks_every_web_instance(void)
{
    shipway_testing_begin();
    shipway_testing_endpoint("web", "http://127.0.0.1:1", "shop.example.test");
    shipway_testing_endpoint("worker", "http://127.0.0.1:2", "");
    shipway_testing_endpoint("web", "http://127.0.0.1:3", "");
    shipway_testing_endpoint("web", "http://127.0.0.1:4", "");
    shipway_testing_endpoint("web", "http://127.0.0.1:5", "");
    shipway_testing_answer("GET", "http://127.0.0.1:1/up", 200, "it is up");
    shipway_testing_answer("GET", "http://127.0.0.1:3/up", 500, "it is up");
    shipway_testing_answer("GET", "http://127.0.0.1:4/up", 200, "it is not");
    shipway_testing_setting("path", "/up");
    shipway_testing_setting("text", "is up");
    shipway_report report = {0};
    SHIPWAY_EXPECT(!plugin_self_test(shipway_testing_deployment(), &report));
    static const char *const messages[] = {
        "answered 200", "answered 500", "the page does not contain is up", "unavailable"};
    SHIPWAY_EXPECT(report.checks.count == 4);
    for (size_t i = 0; i < report.checks.count; i++) {
        const shipway_check *check = report.checks.items[i];
        SHIPWAY_EXPECT_TEXT(check->name, "GET /up");
        SHIPWAY_EXPECT_TEXT(check->message, messages[i]);
        SHIPWAY_EXPECT(check->outcome == (i == 0 ? SHIPWAY_PASS : SHIPWAY_FAIL));
    }
    SHIPWAY_EXPECT_TEXT(shipway_testing_request(0)->headers.items[0].value, "shop.example.test");
    SHIPWAY_EXPECT(shipway_testing_request(1)->headers.count == 0);
}

static void says_that_there_is_no_web_process(void)
{
    shipway_testing_begin();
    shipway_report report = {0};
    SHIPWAY_EXPECT(!plugin_self_test(shipway_testing_deployment(), &report));
    SHIPWAY_EXPECT(report.checks.count == 1 && report.checks.items[0]->outcome == SHIPWAY_SKIP);
}

int main(void)
{
    collects_lines_with_phases();
    skips_lines_that_are_no_commands();
    warns_of_a_missing_file_and_reads_the_others();
    hands_on_what_the_host_refuses();
    refuses_what_is_no_text();
    sends_how_a_deployment_ended();
    judges_the_answer();
    leaves_other_events();
    checks_every_web_instance();
    says_that_there_is_no_web_process();
    return shipway_testing_end();
}
