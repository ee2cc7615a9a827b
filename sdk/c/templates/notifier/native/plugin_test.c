#include "shipway_testing.h"

#define HOOK "https://hooks.example.test/deployments"

static shipway_failure *deliver(uint16_t status)
{
    shipway_testing_begin();
    shipway_testing_setting("url", HOOK);
    shipway_testing_answer("POST", HOOK, status, "");
    shipway_event event = shipway_testing_event("deployment.ended", "shop/live: succeeded");
    return plugin_deliver(&event);
}

static void only_trouble_that_passes_is_tried_again(void)
{
    SHIPWAY_EXPECT(!deliver(204));
    SHIPWAY_EXPECT(deliver(503)->retryable);
    SHIPWAY_EXPECT(!deliver(404)->retryable);
}

static void the_summary_is_sent(void)
{
    deliver(204);
    shipway_str text = {0};
    SHIPWAY_EXPECT(shipway_json_find_string(shipway_testing_request(0)->body, "text", &text));
    SHIPWAY_EXPECT_TEXT(text, "shop/live: succeeded");
}

int main(void)
{
    only_trouble_that_passes_is_tried_again();
    the_summary_is_sent();
    return shipway_testing_end();
}
