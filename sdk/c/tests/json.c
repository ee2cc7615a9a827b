#include "tests.h"

static void writes_every_kind_of_value(void)
{
    shipway_json json = {0};
    shipway_json_begin_object(&json);
    shipway_json_field(&json, "text", shipway_str_of("a \"b\"\\\n\t\x01\x1F \xC3\xBC\xFF"));
    shipway_json_key(&json, "list");
    shipway_json_begin_array(&json);
    shipway_json_integer(&json, INT64_MIN);
    shipway_json_boolean(&json, true);
    shipway_json_null(&json);
    shipway_json_raw(&json, shipway_str_of("{\"a\":1}"));
    shipway_json_begin_array(&json);
    shipway_json_end_array(&json);
    shipway_json_end_array(&json);
    shipway_json_key(&json, "object");
    shipway_json_begin_object(&json);
    shipway_json_end_object(&json);
    shipway_json_end_object(&json);
    SHIPWAY_EXPECT_TEXT(shipway_json_written(&json),
        "{\"text\":\"a \\\"b\\\"\\\\\\n\\t\\u0001\\u001f \xC3\xBC\xEF\xBF\xBD\","
        "\"list\":[-9223372036854775808,true,null,{\"a\":1},[]],\"object\":{}}");
}

static void writes_long_texts(void)
{
    shipway_json json = {0};
    shipway_json_begin_array(&json);
    for (unsigned i = 0; i < 1000; i++)
        shipway_json_string(&json, shipway_str_of("ten bytes."));
    shipway_json_end_array(&json);
    size_t count = 0;
    SHIPWAY_EXPECT(shipway_json_find_count(shipway_json_written(&json), "", &count));
    SHIPWAY_EXPECT(count == 1000);
}

static void finds_by_path(void)
{
    shipway_str json = shipway_str_of(" { \"a\" : [ 1 , {\"b\": \"x]\\\"}\", \"c\": false } ] , "
                                      "\"d\": {\"e\": -7}, \"k\\u0065y\": [] } ");
    shipway_str text = {0};
    int64_t number = 0;
    bool value = true;
    size_t count = 9;
    SHIPWAY_EXPECT(shipway_json_find(json, "a[1]", &text));
    SHIPWAY_EXPECT_TEXT(text, "{\"b\": \"x]\\\"}\", \"c\": false }");
    SHIPWAY_EXPECT(shipway_json_find_string(json, "a[1].b", &text));
    SHIPWAY_EXPECT_TEXT(text, "x]\"}");
    SHIPWAY_EXPECT(shipway_json_find_boolean(json, "a[1].c", &value) && !value);
    SHIPWAY_EXPECT(shipway_json_find_integer(json, "d.e", &number) && number == -7);
    SHIPWAY_EXPECT(shipway_json_find_count(json, "a", &count) && count == 2);
    SHIPWAY_EXPECT(shipway_json_find_count(json, "key", &count) && count == 0);
}

static void says_what_is_not_there(void)
{
    shipway_str json = shipway_str_of("{\"a\":[1],\"b\":\"2\"}"), text = {0};
    int64_t number = 0;
    bool value = false;
    size_t count = 0;
    SHIPWAY_EXPECT(!shipway_json_find(json, "c", &text));
    SHIPWAY_EXPECT(!shipway_json_find(json, "a[1]", &text));
    SHIPWAY_EXPECT(!shipway_json_find(json, "a.b", &text));
    SHIPWAY_EXPECT(!shipway_json_find(json, "b[0]", &text));
    SHIPWAY_EXPECT(!shipway_json_find_string(json, "a[0]", &text));
    SHIPWAY_EXPECT(!shipway_json_find_integer(json, "b", &number));
    SHIPWAY_EXPECT(!shipway_json_find_boolean(json, "b", &value));
    SHIPWAY_EXPECT(!shipway_json_find_count(json, "b", &count));
}

static void reads_escapes(void)
{
    shipway_str text = {0};
    shipway_str json = shipway_str_of("\"\\u00fc\\u20ac\\ud83d\\udea2\\ud83d.\\b\\f\\n\\r\\t\\/\"");
    SHIPWAY_EXPECT(shipway_json_find_string(json, "", &text));
    SHIPWAY_EXPECT_TEXT(text, "\xC3\xBC\xE2\x82\xAC\xF0\x9F\x9A\xA2\xEF\xBF\xBD.\b\f\n\r\t/");
    SHIPWAY_EXPECT(!shipway_json_find_string(shipway_str_of("\"\\x\""), "", &text));
    SHIPWAY_EXPECT(!shipway_json_find_string(shipway_str_of("\"\\u12\""), "", &text));
}

/* Every beginning of a JSON text is none; none of them is read past its end. */
static void refuses_what_is_cut_off(void)
{
    const char *whole = "{\"a\":[\"\\u00fc\\n\",{\"b\":12}],\"c\":\"\\ud83d\\udea2\"}";
    shipway_str text = {0};
    for (size_t length = 0; length < strlen(whole); length++) {
        char *cut = shipway_alloc(length);
        memcpy(cut, whole, length);
        SHIPWAY_EXPECT(!shipway_json_find((shipway_str){cut, length}, "", &text));
        (void)!shipway_json_find_string((shipway_str){cut, length}, "c", &text);
    }
    SHIPWAY_EXPECT(shipway_json_find(shipway_str_of(whole), "", &text));
}

static void bounds_nesting(void)
{
    char deep[100000];
    memset(deep, '[', sizeof deep);
    shipway_str text = {0};
    SHIPWAY_EXPECT(!shipway_json_find((shipway_str){deep, sizeof deep}, "", &text));
}

void test_json(void)
{
    shipway_testing_begin();
    writes_every_kind_of_value();
    writes_long_texts();
    finds_by_path();
    says_what_is_not_there();
    reads_escapes();
    refuses_what_is_cut_off();
    bounds_nesting();
}
