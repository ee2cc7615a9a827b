#include "text.h"

#include "arena.h"

#include <stdio.h>

/* U+FFFD in UTF-8. */
static const char REPLACEMENT[] = "\xEF\xBF\xBD";

shipway_str shipway_format_list(const char *format, va_list values)
{
    va_list again;
    va_copy(again, values);
    int length = vsnprintf(NULL, 0, format, values);
    shipway_str text = {"", 0};
    if (length > 0) {
        char *memory = shipway_alloc((size_t)length + 1);
        vsnprintf(memory, (size_t)length + 1, format, again);
        text = (shipway_str){memory, (size_t)length};
    }
    va_end(again);
    return text;
}

shipway_str shipway_format(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    shipway_str text = shipway_format_list(format, values);
    va_end(values);
    return text;
}

char *shipway_cstr(shipway_str text)
{
    char *memory = shipway_alloc(text.length + 1);
    if (text.length > 0)
        memcpy(memory, text.data, text.length);
    return memory;
}

bool shipway_str_equal(shipway_str left, shipway_str right)
{
    return left.length == right.length &&
           (left.length == 0 || memcmp(left.data, right.data, left.length) == 0);
}

bool shipway_str_is(shipway_str text, const char *other)
{
    return shipway_str_equal(text, shipway_str_of(other));
}

bool shipway_str_starts_with(shipway_str text, const char *prefix)
{
    size_t length = strlen(prefix);
    return text.length >= length && (length == 0 || memcmp(text.data, prefix, length) == 0);
}

bool shipway_str_contains(shipway_str text, shipway_str part)
{
    if (part.length == 0)
        return true;
    for (size_t at = 0; at + part.length <= text.length; at++)
        if (memcmp(text.data + at, part.data, part.length) == 0)
            return true;
    return false;
}

shipway_str shipway_str_skip(shipway_str text, size_t count)
{
    if (count >= text.length)
        return (shipway_str){"", 0};
    return (shipway_str){text.data + count, text.length - count};
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

shipway_str shipway_str_trim(shipway_str text)
{
    while (text.length > 0 && is_blank(text.data[0]))
        text = shipway_str_skip(text, 1);
    while (text.length > 0 && is_blank(text.data[text.length - 1]))
        text.length--;
    return text;
}

bool shipway_str_cut(shipway_str text, char separator, shipway_str *before, shipway_str *after)
{
    const char *at = text.length > 0 ? memchr(text.data, separator, text.length) : NULL;
    if (!at)
        return false;
    size_t length = (size_t)(at - text.data);
    *after = shipway_str_skip(text, length + 1);
    *before = (shipway_str){text.data, length};
    return true;
}

bool shipway_str_next_line(shipway_str *rest, shipway_str *line)
{
    if (rest->length == 0)
        return false;
    shipway_str whole = *rest;
    if (!shipway_str_cut(whole, '\n', line, rest)) {
        *line = whole;
        *rest = (shipway_str){"", 0};
    }
    if (line->length > 0 && line->data[line->length - 1] == '\r')
        line->length--;
    return true;
}

shipway_strs shipway_strs_of(const char *const *texts, size_t count)
{
    shipway_strs list = {0};
    for (size_t i = 0; i < count; i++)
        shipway_strs_add(&list, shipway_str_of(texts[i]));
    return list;
}

void shipway_strs_add(shipway_strs *list, shipway_str text)
{
    list->items =
        shipway_arena_grow(list->items, list->count, &list->capacity, sizeof *list->items);
    list->items[list->count++] = text;
}

shipway_strs shipway_str_words(shipway_str text)
{
    shipway_strs words = {0};
    shipway_str word = {0};
    while (shipway_str_cut(text, ' ', &word, &text))
        if (word.length > 0)
            shipway_strs_add(&words, word);
    if (text.length > 0)
        shipway_strs_add(&words, text);
    return words;
}

void shipway_pairs_add(shipway_pairs *pairs, const char *name, shipway_str value)
{
    pairs->items =
        shipway_arena_grow(pairs->items, pairs->count, &pairs->capacity, sizeof *pairs->items);
    pairs->items[pairs->count++] = (shipway_pair){shipway_str_of(name), value};
}

bool shipway_pairs_get(const shipway_pairs *pairs, const char *name, shipway_str *value)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (shipway_str_is(pairs->items[i].name, name)) {
            *value = pairs->items[i].value;
            return true;
        }
    }
    return false;
}

/* The length that the first byte promises, or 0. C0, C1 and above F4 begin
 * nothing: they would be overlong, or past U+10FFFF. */
static size_t promised_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xC2 && first <= 0xDF)
        return 2;
    if (first >= 0xE0 && first <= 0xEF)
        return 3;
    return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

/* Whether the second byte may follow: not for overlong forms, surrogates, and
 * what is past U+10FFFF. */
static bool may_follow(unsigned char first, unsigned char second)
{
    unsigned char lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned char highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    return second >= lowest && second <= highest;
}

size_t shipway_utf8_sequence(shipway_str text)
{
    const unsigned char *bytes = (const unsigned char *)text.data;
    size_t length = text.length > 0 ? promised_length(bytes[0]) : 0;
    if (length > text.length || (length > 1 && !may_follow(bytes[0], bytes[1])))
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

bool shipway_str_is_utf8(shipway_str text)
{
    while (text.length > 0) {
        size_t length = shipway_utf8_sequence(text);
        if (length == 0)
            return false;
        text = shipway_str_skip(text, length);
    }
    return true;
}

shipway_str shipway_str_repaired(shipway_str text)
{
    if (shipway_str_is_utf8(text))
        return text;
    size_t replacement = sizeof REPLACEMENT - 1;
    if (text.length > SIZE_MAX / 4)
        return (shipway_str){"", 0};
    char *memory = shipway_alloc(text.length * replacement);
    size_t written = 0;
    while (text.length > 0) {
        size_t length = shipway_utf8_sequence(text);
        memcpy(memory + written, length ? text.data : REPLACEMENT, length ? length : replacement);
        written += length ? length : replacement;
        text = shipway_str_skip(text, length ? length : 1);
    }
    return (shipway_str){memory, written};
}
