/* Finds values in JSON without building a tree: a scanner that steps over one
 * value at a time. Nesting is bounded, so that no text exhausts the stack. */
#include "text.h"

#include <errno.h>
#include <stdlib.h>

#define DEEPEST 64

static void skip_space(shipway_str *rest)
{
    while (rest->length > 0 && strchr(" \t\r\n", rest->data[0]) && rest->data[0] != '\0')
        *rest = shipway_str_skip(*rest, 1);
}

static bool take(shipway_str *rest, char byte)
{
    skip_space(rest);
    if (rest->length == 0 || rest->data[0] != byte)
        return false;
    *rest = shipway_str_skip(*rest, 1);
    return true;
}

/* The part of `whole` that is not in `rest` any more. */
static shipway_str taken(shipway_str whole, shipway_str rest)
{
    return (shipway_str){whole.data, whole.length - rest.length};
}

/* Takes a string with its quotes. */
static bool take_string(shipway_str *rest, shipway_str *raw)
{
    skip_space(rest);
    shipway_str whole = *rest;
    if (!take(rest, '"'))
        return false;
    while (rest->length > 0 && rest->data[0] != '"')
        *rest = shipway_str_skip(*rest, rest->data[0] == '\\' ? 2 : 1);
    if (rest->length == 0)
        return false;
    *rest = shipway_str_skip(*rest, 1);
    *raw = taken(whole, *rest);
    return true;
}

static bool take_value(shipway_str *rest, unsigned depth);

/* Takes what stands before a value in a list or an object: a comma but for
 * the first, and the key in an object. False at the end or when it is no
 * JSON. */
static bool next_element(shipway_str *rest, bool first, bool keyed, shipway_str *key)
{
    if (!first && !take(rest, ','))
        return false;
    return !keyed || (take_string(rest, key) && take(rest, ':'));
}

static bool take_container(shipway_str *rest, bool keyed, unsigned depth)
{
    char closing = keyed ? '}' : ']';
    if (depth >= DEEPEST || !take(rest, keyed ? '{' : '['))
        return false;
    shipway_str key;
    for (bool first = true; !take(rest, closing); first = false)
        if (!next_element(rest, first, keyed, &key) || !take_value(rest, depth + 1))
            return false;
    return true;
}

static bool take_word(shipway_str *rest)
{
    size_t length = 0;
    while (length < rest->length && rest->data[length] != '\0' &&
           strchr("+-.0123456789Eabcdefghijklmnopqrstuvwxyz", rest->data[length]))
        length++;
    *rest = shipway_str_skip(*rest, length);
    return length > 0;
}

static bool take_value(shipway_str *rest, unsigned depth)
{
    skip_space(rest);
    char first = rest->length > 0 ? rest->data[0] : '\0';
    shipway_str raw;
    if (first == '"')
        return take_string(rest, &raw);
    if (first == '{' || first == '[')
        return take_container(rest, first == '{', depth);
    return take_word(rest);
}

static bool hex(shipway_str *rest, uint32_t *unit)
{
    if (rest->length < 4)
        return false;
    char digits[5] = {0};
    memcpy(digits, rest->data, 4);
    char *end = NULL;
    *unit = (uint32_t)strtoul(digits, &end, 16);
    *rest = shipway_str_skip(*rest, 4);
    return end == digits + 4;
}

static size_t encode(uint32_t point, char *into)
{
    if (point < 0x80) {
        into[0] = (char)point;
        return 1;
    }
    size_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = length - 1; i > 0; i--, point >>= 6)
        into[i] = (char)(0x80 | (point & 0x3F));
    into[0] = (char)(leads[length] | point);
    return length;
}

/* Takes the character that stands after `\u`; half of a pair is U+FFFD. */
static bool take_point(shipway_str *rest, uint32_t *point)
{
    if (!hex(rest, point))
        return false;
    if (*point >= 0xD800 && *point < 0xDC00 && shipway_str_starts_with(*rest, "\\u")) {
        shipway_str after = shipway_str_skip(*rest, 2);
        uint32_t low;
        if (hex(&after, &low) && low >= 0xDC00 && low < 0xE000) {
            *point = 0x10000 + ((*point - 0xD800) << 10) + (low - 0xDC00);
            *rest = after;
        }
    }
    if (*point >= 0xD800 && *point < 0xE000)
        *point = 0xFFFD;
    return true;
}

/* Takes an escape, without its backslash, and writes what it stands for. */
static bool take_escape(shipway_str *rest, char *into, size_t *written)
{
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char name = rest->length > 0 ? rest->data[0] : '\0';
    *rest = shipway_str_skip(*rest, 1);
    uint32_t point;
    if (name == 'u') {
        if (!take_point(rest, &point))
            return false;
        *written += encode(point, into + *written);
        return true;
    }
    const char *at = name == '\0' ? NULL : strchr(names, name);
    if (at)
        into[(*written)++] = meanings[at - names];
    return at != NULL;
}

/* The text of a string with its quotes. An escape is never shorter than what
 * it stands for. */
static bool unquote(shipway_str raw, shipway_str *text)
{
    shipway_str rest = {raw.data + 1, raw.length - 2};
    char *into = shipway_alloc(raw.length);
    size_t written = 0;
    while (rest.length > 0) {
        char byte = rest.data[0];
        rest = shipway_str_skip(rest, 1);
        if (byte != '\\')
            into[written++] = byte;
        else if (!take_escape(&rest, into, &written))
            return false;
    }
    *text = (shipway_str){into, written};
    return true;
}

/* Steps to the value of a key, or of an index, in a list or an object. */
static bool enter(shipway_str *rest, shipway_str wanted, bool keyed)
{
    if (!take(rest, keyed ? '{' : '['))
        return false;
    size_t index = keyed ? 0 : (size_t)strtoul(shipway_cstr(wanted), NULL, 10);
    shipway_str key, name;
    for (size_t i = 0; next_element(rest, i == 0, keyed, &key); i++) {
        bool found = keyed ? unquote(key, &name) && shipway_str_equal(name, wanted) : i == index;
        if (found)
            return true;
        if (!take_value(rest, 0))
            return false;
    }
    return false;
}

/* Takes the next step off a path: `.name`, `name` or `[3]`. */
static bool next_step(const char **path, shipway_str *step, bool *keyed)
{
    *keyed = **path != '[';
    if (**path == '.' || **path == '[')
        (*path)++;
    size_t length = strcspn(*path, *keyed ? ".[" : "]");
    *step = (shipway_str){*path, length};
    *path += length;
    if (!*keyed && **path == ']')
        (*path)++;
    return length > 0;
}

bool shipway_json_find(shipway_str json, const char *path, shipway_str *value)
{
    shipway_str rest = json, step;
    bool keyed;
    while (*path != '\0')
        if (!next_step(&path, &step, &keyed) || !enter(&rest, step, keyed))
            return false;
    skip_space(&rest);
    shipway_str whole = rest;
    if (!take_value(&rest, 0))
        return false;
    *value = taken(whole, rest);
    return true;
}

bool shipway_json_find_string(shipway_str json, const char *path, shipway_str *text)
{
    shipway_str raw;
    return shipway_json_find(json, path, &raw) && raw.data[0] == '"' && unquote(raw, text);
}

bool shipway_json_find_integer(shipway_str json, const char *path, int64_t *number)
{
    shipway_str raw;
    if (!shipway_json_find(json, path, &raw))
        return false;
    const char *text = shipway_cstr(raw);
    char *end = NULL;
    errno = 0;
    long long found = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0')
        return false;
    *number = found;
    return true;
}

bool shipway_json_find_boolean(shipway_str json, const char *path, bool *value)
{
    shipway_str raw;
    if (!shipway_json_find(json, path, &raw))
        return false;
    *value = shipway_str_is(raw, "true");
    return *value || shipway_str_is(raw, "false");
}

bool shipway_json_find_count(shipway_str json, const char *path, size_t *count)
{
    shipway_str list, key;
    if (!shipway_json_find(json, path, &list) || !take(&list, '['))
        return false;
    *count = 0;
    for (; !take(&list, ']'); (*count)++)
        if (!next_element(&list, *count == 0, false, &key) || !take_value(&list, 0))
            return false;
    return true;
}
