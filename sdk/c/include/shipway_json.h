/* Writing and reading JSON, for `shipway.h`. */
#ifndef SHIPWAY_JSON_H
#define SHIPWAY_JSON_H

#include "shipway_text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Writes JSON; commas are put in where they belong.
 *
 *     shipway_json json = {0};
 *     shipway_json_begin_object(&json);
 *     shipway_json_field(&json, "text", event->summary);
 *     shipway_json_end_object(&json);
 *     request.body = shipway_json_written(&json); */
typedef struct shipway_json {
    char *data;
    size_t length;
    size_t capacity;
    bool follows;
} shipway_json;

void shipway_json_begin_object(shipway_json *json);
void shipway_json_end_object(shipway_json *json);
void shipway_json_begin_array(shipway_json *json);
void shipway_json_end_array(shipway_json *json);

/* The key of the value that is written next, in an object. */
void shipway_json_key(shipway_json *json, const char *key);
void shipway_json_string(shipway_json *json, shipway_str text);
void shipway_json_integer(shipway_json *json, int64_t number);
void shipway_json_boolean(shipway_json *json, bool value);
void shipway_json_null(shipway_json *json);

/* A value that is JSON already, such as an event's `data`. */
void shipway_json_raw(shipway_json *json, shipway_str value);

/* A key and a string. */
void shipway_json_field(shipway_json *json, const char *key, shipway_str text);

/* What was written so far. */
shipway_str shipway_json_written(const shipway_json *json);

/* Reading: a value is named by its path, such as `ending` or
 * `checks[0].name`; the empty path is the whole text. Each of these is false
 * when there is no such value, or one of another type, or the text before it
 * is no JSON. */
bool shipway_json_find(shipway_str json, const char *path, shipway_str *value);
bool shipway_json_find_string(shipway_str json, const char *path, shipway_str *text);
bool shipway_json_find_integer(shipway_str json, const char *path, int64_t *number);
bool shipway_json_find_boolean(shipway_str json, const char *path, bool *value);

/* The number of elements of an array. */
bool shipway_json_find_count(shipway_str json, const char *path, size_t *count);

#ifdef __cplusplus
}
#endif

#endif
