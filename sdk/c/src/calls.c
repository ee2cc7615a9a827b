/* What stands on the host's functions and is the same for every host. */
#include "host.h"
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#define LOG(level, format)                                                                         \
    do {                                                                                           \
        va_list values;                                                                            \
        va_start(values, format);                                                                  \
        shipway_host_log(level, shipway_format_list(format, values));                              \
        va_end(values);                                                                            \
    } while (0)

void shipway_log_debug(const char *format, ...)
{
    LOG(SHIPWAY_LEVEL_DEBUG, format);
}

void shipway_log_info(const char *format, ...)
{
    LOG(SHIPWAY_LEVEL_INFO, format);
}

void shipway_log_warn(const char *format, ...)
{
    LOG(SHIPWAY_LEVEL_WARN, format);
}

void shipway_log_error(const char *format, ...)
{
    LOG(SHIPWAY_LEVEL_ERROR, format);
}

bool shipway_settings_get(const char *name, shipway_str *value)
{
    shipway_str given = {0};
    if (!shipway_host_setting(name, &given))
        return false;
    for (size_t i = 0; i < given.length; i++) {
        if (!isspace((unsigned char)given.data[i])) {
            *value = given;
            return true;
        }
    }
    return false;
}

shipway_str shipway_settings_or(const char *name, const char *otherwise)
{
    shipway_str value = shipway_str_of(otherwise);
    shipway_settings_get(name, &value);
    return value;
}

shipway_failure *shipway_settings_require(const char *name, shipway_str *value)
{
    if (shipway_settings_get(name, value))
        return NULL;
    return shipway_fail(SHIPWAY_INVALID, "the setting %s is not set", name);
}

shipway_failure *shipway_settings_integer(const char *name, int64_t otherwise, int64_t *value)
{
    shipway_str given;
    *value = otherwise;
    if (!shipway_settings_get(name, &given))
        return NULL;
    const char *text = shipway_cstr(shipway_str_trim(given));
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0')
        return shipway_fail(SHIPWAY_INVALID, "the setting %s is no whole number: %s", name, text);
    *value = number;
    return NULL;
}

shipway_failure *shipway_source_read_text(shipway_str path, shipway_str *text)
{
    SHIPWAY_TRY(shipway_source_read(path, text));
    if (shipway_str_is_utf8(*text))
        return NULL;
    return shipway_fail(SHIPWAY_INVALID, "%.*s is not text", SHIPWAY_ARG(path));
}

static bool same_without_case(shipway_str text, const char *other)
{
    for (size_t i = 0; i < text.length; i++) {
        int left = tolower((unsigned char)text.data[i]);
        if (other[i] == '\0' || left != tolower((unsigned char)other[i]))
            return false;
    }
    return other[text.length] == '\0';
}

bool shipway_http_response_header(
    const shipway_http_response *response, const char *name, shipway_str *value)
{
    for (size_t i = 0; i < response->headers.count; i++) {
        if (same_without_case(response->headers.items[i].name, name)) {
            *value = response->headers.items[i].value;
            return true;
        }
    }
    return false;
}
