#include "tests.h"

static void a_blank_setting_is_none(void)
{
    shipway_str value = {0};
    shipway_testing_setting("blank", " \n");
    shipway_testing_setting("given", " x ");
    SHIPWAY_EXPECT(!shipway_settings_get("blank", &value));
    SHIPWAY_EXPECT(!shipway_settings_get("missing", &value));
    SHIPWAY_EXPECT(shipway_settings_get("given", &value));
    SHIPWAY_EXPECT_TEXT(value, " x ");
    SHIPWAY_EXPECT_TEXT(shipway_settings_or("blank", "else"), "else");
}

static void a_required_setting_must_be_there(void)
{
    shipway_str value = {0};
    shipway_failure *failure = shipway_settings_require("url", &value);
    SHIPWAY_EXPECT(failure && shipway_failure_is(failure, SHIPWAY_INVALID));
    SHIPWAY_EXPECT_TEXT(failure->message, "the setting url is not set");
    shipway_testing_setting("url", "http://x.test");
    SHIPWAY_EXPECT(!shipway_settings_require("url", &value));
}

static void a_number_must_be_whole(void)
{
    int64_t number = 0;
    SHIPWAY_EXPECT(!shipway_settings_integer("n", 5, &number) && number == 5);
    shipway_testing_setting("n", " -12 ");
    SHIPWAY_EXPECT(!shipway_settings_integer("n", 5, &number) && number == -12);
    shipway_testing_setting("half", "1.5");
    SHIPWAY_EXPECT(shipway_settings_integer("half", 5, &number));
    shipway_testing_setting("huge", "99999999999999999999");
    SHIPWAY_EXPECT(shipway_settings_integer("huge", 5, &number));
}

static void text_must_be_text(void)
{
    shipway_str text = {0};
    shipway_testing_bytes("b.txt", (shipway_str){"\xFF\0x", 3});
    shipway_failure *failure = shipway_source_read_text(shipway_str_of("b.txt"), &text);
    SHIPWAY_EXPECT(failure && shipway_failure_is(failure, SHIPWAY_INVALID));
    SHIPWAY_EXPECT_TEXT(failure->message, "b.txt is not text");
    SHIPWAY_EXPECT(!shipway_source_read(shipway_str_of("b.txt"), &text) && text.length == 3);
}

static shipway_failure *hands_on(shipway_failure *failure)
{
    SHIPWAY_TRY(failure);
    return NULL;
}

static void try_hands_a_failure_on(void)
{
    shipway_failure *failure = shipway_fail("own", "mine");
    SHIPWAY_EXPECT(hands_on(failure) == failure);
    SHIPWAY_EXPECT(!hands_on(NULL));
}

static void every_level_is_logged(void)
{
    shipway_log_debug("a %d", 1);
    shipway_log_info("b %d", 2);
    shipway_log_warn("c %d", 3);
    shipway_log_error("d %d", 4);
    SHIPWAY_EXPECT(shipway_testing_logged("a 1") && shipway_testing_logged("b 2"));
    SHIPWAY_EXPECT(shipway_testing_logged("c 3") && shipway_testing_logged("d 4"));
}

void test_calls(void)
{
    shipway_testing_begin();
    a_blank_setting_is_none();
    a_required_setting_must_be_there();
    a_number_must_be_whole();
    text_must_be_text();
    try_hands_a_failure_on();
    every_level_is_logged();
}
