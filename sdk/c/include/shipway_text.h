/* Memory and text, for `shipway.h`. */
#ifndef SHIPWAY_TEXT_H
#define SHIPWAY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define SHIPWAY_MUST_USE __attribute__((warn_unused_result))
#define SHIPWAY_PRINTF(at, values) __attribute__((format(printf, at, values)))
#else
#define SHIPWAY_MUST_USE
#define SHIPWAY_PRINTF(at, values)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Memory ---------------------------------------------------------- */

/* Zeroed memory for this call. Never NULL: a plugin that is out of memory
 * ends with a trap, which the engine reports. */
void *shipway_alloc(size_t size);

/* ---- Text ------------------------------------------------------------ */

/* A run of bytes, not terminated. `{0}` is the empty one. */
typedef struct shipway_str {
    const char *data;
    size_t length;
} shipway_str;

/* The slice of a whole C string. */
static inline shipway_str shipway_str_of(const char *text)
{
    shipway_str slice = {text, strlen(text)};
    return slice;
}

/* For `%.*s`, which ends at a NUL: shipway_format("%.*s is late",
 * SHIPWAY_ARG(name)). */
#define SHIPWAY_ARG(slice) (int)(slice).length, (slice).data

/* A new text, as printf would write it. */
shipway_str shipway_format(const char *format, ...) SHIPWAY_PRINTF(1, 2);

/* The same text, terminated, for functions that want a C string. */
char *shipway_cstr(shipway_str text);

/* Whether two texts are the same, byte for byte. */
bool shipway_str_equal(shipway_str left, shipway_str right);
bool shipway_str_is(shipway_str text, const char *other);

bool shipway_str_starts_with(shipway_str text, const char *prefix);
bool shipway_str_contains(shipway_str text, shipway_str part);

/* Whether it is UTF-8, without surrogates and overlong forms. */
bool shipway_str_is_utf8(shipway_str text);

/* Without the spaces and tabs at both ends. */
shipway_str shipway_str_trim(shipway_str text);

/* Without its first `count` bytes. */
shipway_str shipway_str_skip(shipway_str text, size_t count);

/* Splits at the first `separator`, which is in neither part. False when there
 * is none; then both parts stay as they are. */
bool shipway_str_cut(shipway_str text, char separator, shipway_str *before, shipway_str *after);

/* Takes the next line off `rest`, without its LF or CR LF. False at the end.
 *
 *     while (shipway_str_next_line(&rest, &line)) … */
bool shipway_str_next_line(shipway_str *rest, shipway_str *line);

/* A list of texts. `{0}` is the empty one. */
typedef struct shipway_strs {
    shipway_str *items;
    size_t count;
    size_t capacity;
} shipway_strs;

/* A list of C strings: SHIPWAY_STRS("python3", "-V"). */
#define SHIPWAY_STRS(...)                                                                          \
    shipway_strs_of((const char *const[]){__VA_ARGS__},                                            \
        sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

shipway_strs shipway_strs_of(const char *const *texts, size_t count);
void shipway_strs_add(shipway_strs *list, shipway_str text);

/* The parts between runs of spaces; none is empty. */
shipway_strs shipway_str_words(shipway_str text);

/* Name and value pairs, in no promised order: headers, variables, and the
 * attributes in which what a later version of the contract adds travels. */
typedef struct shipway_pair {
    shipway_str name;
    shipway_str value;
} shipway_pair;

typedef struct shipway_pairs {
    shipway_pair *items;
    size_t count;
    size_t capacity;
} shipway_pairs;

void shipway_pairs_add(shipway_pairs *pairs, const char *name, shipway_str value);

/* The first value of this name. False when there is none. */
bool shipway_pairs_get(const shipway_pairs *pairs, const char *name, shipway_str *value);

#ifdef __cplusplus
}
#endif

#endif
