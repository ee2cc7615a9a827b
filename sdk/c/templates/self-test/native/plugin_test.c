#include "shipway_testing.h"

static void every_web_instance_is_asked(void)
{
    shipway_testing_begin();
    shipway_testing_setting("text", "hello");
    shipway_testing_endpoint("web", "http://127.0.0.1:1", "");
    shipway_testing_endpoint("web", "http://127.0.0.1:2", "");
    shipway_testing_endpoint("worker", "http://127.0.0.1:3", "");
    shipway_testing_answer("GET", "http://127.0.0.1:1/", 200, "hello, world");
    shipway_testing_answer("GET", "http://127.0.0.1:2/", 200, "oh no");
    shipway_report report = {0};
    SHIPWAY_EXPECT(!plugin_self_test(shipway_testing_deployment(), &report));
    SHIPWAY_EXPECT(report.checks.count == 2);
    SHIPWAY_EXPECT(report.checks.items[0]->outcome == SHIPWAY_PASS);
    SHIPWAY_EXPECT_TEXT(report.checks.items[1]->message, "the page does not contain hello");
}

int main(void)
{
    every_web_instance_is_asked();
    return shipway_testing_end();
}
