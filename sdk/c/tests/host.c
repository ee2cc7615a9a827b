#include "glob.h"
#include "tests.h"

static void globs_are_those_of_the_contract(void)
{
    SHIPWAY_EXPECT(shipway_glob_matches("*.txt", "a.txt"));
    SHIPWAY_EXPECT(!shipway_glob_matches("*.txt", "a/b.txt"));
    SHIPWAY_EXPECT(shipway_glob_matches("a?c", "abc"));
    SHIPWAY_EXPECT(!shipway_glob_matches("a?c", "a/c"));
    SHIPWAY_EXPECT(shipway_glob_matches("**", "a/b/c"));
    SHIPWAY_EXPECT(shipway_glob_matches("a/**", "a/b/c"));
    SHIPWAY_EXPECT(shipway_glob_matches("**/c", "a/b/c"));
    SHIPWAY_EXPECT(shipway_glob_matches("**/c", "c"));
    SHIPWAY_EXPECT(!shipway_glob_matches("**/c", "bc"));
    SHIPWAY_EXPECT(!shipway_glob_matches("a", "ab"));
    SHIPWAY_EXPECT(shipway_glob_matches("d/*", "d/"));
}

static void only_granted_files_are_seen(void)
{
    shipway_strs paths = {0};
    shipway_str content = {0};
    shipway_testing_file("b.txt", "b");
    shipway_testing_file("a.txt", "a");
    shipway_testing_file("deep/er/file", "d");
    shipway_testing_file("hidden", "h");
    SHIPWAY_EXPECT(!shipway_source_find("**", &paths) && paths.count == 3);
    SHIPWAY_EXPECT_TEXT(paths.items[0], "a.txt");
    shipway_failure *failure = shipway_source_read(shipway_str_of("hidden"), &content);
    SHIPWAY_EXPECT(failure && shipway_failure_is(failure, SHIPWAY_DENIED));
    failure = shipway_source_read(shipway_str_of("c.txt"), &content);
    SHIPWAY_EXPECT(failure && shipway_failure_is(failure, SHIPWAY_NOT_FOUND));
    SHIPWAY_EXPECT(!shipway_source_read(shipway_str_of("deep/er/file"), &content));
    SHIPWAY_EXPECT_TEXT(content, "d");
}

static void commands_are_answered_by_their_argv(void)
{
    shipway_output output = {0};
    shipway_strs argv = SHIPWAY_STRS("python3", "-V");
    shipway_failure *failure = shipway_image_run(&argv, NULL, &output);
    SHIPWAY_EXPECT(failure && shipway_failure_is(failure, SHIPWAY_UNAVAILABLE));
    failure = shipway_candidate_exec("web", &argv, &output);
    SHIPWAY_EXPECT(failure && shipway_failure_is(failure, SHIPWAY_NOT_FOUND));
    shipway_testing_command(NULL, argv, 0, "Python 3.11\n");
    shipway_testing_command("web", argv, 3, "");
    SHIPWAY_EXPECT(!shipway_image_run(&argv, NULL, &output));
    SHIPWAY_EXPECT_TEXT(output.standard_output, "Python 3.11\n");
    SHIPWAY_EXPECT(!shipway_candidate_exec("web", &argv, &output) && output.exit_code == 3);
}

static void requests_are_kept(void)
{
    shipway_http_response response;
    shipway_http_request request = shipway_http_request_to("GET", shipway_str_of("http://x.test/"));
    shipway_http_header(&request, "x-number", "%d", 5);
    shipway_failure *failure = shipway_http_send(&request, &response);
    SHIPWAY_EXPECT(failure && failure->retryable);
    shipway_testing_answer("GET", "http://x.test/", 302, "moved");
    SHIPWAY_EXPECT(!shipway_http_send(&request, &response) && response.status == 302);
    SHIPWAY_EXPECT(shipway_testing_requests() == 2);
    SHIPWAY_EXPECT_TEXT(shipway_testing_request(1)->headers.items[0].value, "5");
}

static void variables_may_be_missing(void)
{
    bool found = true;
    shipway_str value = {0};
    SHIPWAY_EXPECT(!shipway_variables_get("STAGE", &found, &value) && !found);
    shipway_testing_variable("STAGE", "live");
    SHIPWAY_EXPECT(!shipway_variables_get("STAGE", &found, &value) && found);
    SHIPWAY_EXPECT_TEXT(value, "live");
}

void test_host(void)
{
    shipway_testing_begin();
    globs_are_those_of_the_contract();
    only_granted_files_are_seen();
    commands_are_answered_by_their_argv();
    requests_are_kept();
    variables_may_be_missing();
}
