#include "arena.h"
#include "text.h"

static void append(shipway_json *json, const char *data, size_t length)
{
    if (length == 0)
        return;
    size_t needed = json->length + length;
    if (needed > json->capacity) {
        size_t capacity = json->capacity * 2 > needed ? json->capacity * 2 : needed + 64;
        json->data = shipway_arena_resize(json->data, json->length, capacity);
        json->capacity = capacity;
    }
    memcpy(json->data + json->length, data, length);
    json->length = needed;
}

static void append_text(shipway_json *json, shipway_str text)
{
    append(json, text.data, text.length);
}

static void begin_value(shipway_json *json)
{
    if (json->follows)
        append(json, ",", 1);
    json->follows = true;
}

static void begin(shipway_json *json, const char *bracket)
{
    begin_value(json);
    append(json, bracket, 1);
    json->follows = false;
}

static void end(shipway_json *json, const char *bracket)
{
    append(json, bracket, 1);
    json->follows = true;
}

void shipway_json_begin_object(shipway_json *json)
{
    begin(json, "{");
}

void shipway_json_end_object(shipway_json *json)
{
    end(json, "}");
}

void shipway_json_begin_array(shipway_json *json)
{
    begin(json, "[");
}

void shipway_json_end_array(shipway_json *json)
{
    end(json, "]");
}

/* What stands for a byte in a JSON string; empty when it stands for itself. */
static shipway_str escape(unsigned char byte)
{
    switch (byte) {
    case '"':
        return shipway_str_of("\\\"");
    case '\\':
        return shipway_str_of("\\\\");
    case '\n':
        return shipway_str_of("\\n");
    case '\r':
        return shipway_str_of("\\r");
    case '\t':
        return shipway_str_of("\\t");
    default:
        return byte < 0x20 ? shipway_format("\\u%04x", byte) : (shipway_str){"", 0};
    }
}

static void append_quoted(shipway_json *json, shipway_str text)
{
    text = shipway_str_repaired(text);
    append(json, "\"", 1);
    size_t plain = 0;
    for (size_t i = 0; i < text.length; i++) {
        shipway_str escaped = escape((unsigned char)text.data[i]);
        if (escaped.length == 0)
            continue;
        append(json, text.data + plain, i - plain);
        append_text(json, escaped);
        plain = i + 1;
    }
    append_text(json, shipway_str_skip(text, plain));
    append(json, "\"", 1);
}

void shipway_json_key(shipway_json *json, const char *key)
{
    begin_value(json);
    append_quoted(json, shipway_str_of(key));
    append(json, ":", 1);
    json->follows = false;
}

void shipway_json_string(shipway_json *json, shipway_str text)
{
    begin_value(json);
    append_quoted(json, text);
}

void shipway_json_integer(shipway_json *json, int64_t number)
{
    begin_value(json);
    append_text(json, shipway_format("%lld", (long long)number));
}

void shipway_json_boolean(shipway_json *json, bool value)
{
    begin_value(json);
    append_text(json, shipway_str_of(value ? "true" : "false"));
}

void shipway_json_null(shipway_json *json)
{
    begin_value(json);
    append_text(json, shipway_str_of("null"));
}

void shipway_json_raw(shipway_json *json, shipway_str value)
{
    begin_value(json);
    append_text(json, value);
}

void shipway_json_field(shipway_json *json, const char *key, shipway_str text)
{
    shipway_json_key(json, key);
    shipway_json_string(json, text);
}

shipway_str shipway_json_written(const shipway_json *json)
{
    return (shipway_str){json->data, json->length};
}
