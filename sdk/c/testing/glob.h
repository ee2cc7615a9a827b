/* The globs of the contract. */
#ifndef SHIPWAY_GLOB_H
#define SHIPWAY_GLOB_H

#include <stdbool.h>

/* `*` and `?` stay within one name, `**` goes through folders. */
bool shipway_glob_matches(const char *glob, const char *path);

#endif
