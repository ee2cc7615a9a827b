/* Text for the other parts of the library. */
#ifndef SHIPWAY_SRC_TEXT_H
#define SHIPWAY_SRC_TEXT_H

#include "shipway.h"

#include <stdarg.h>

shipway_str shipway_format_list(const char *format, va_list values);

/* The length of the well-formed UTF-8 sequence at the start, or 0. */
size_t shipway_utf8_sequence(shipway_str text);

/* The same text, with U+FFFD for each byte that belongs to no character. */
shipway_str shipway_str_repaired(shipway_str text);

#endif
