#include "glob.h"

#include <string.h>

/* Tries every rest of `path` up to the first byte of `until`. */
static bool matches_some_rest(const char *glob, const char *path, const char *until)
{
    for (;; path++) {
        if (shipway_glob_matches(glob, path))
            return true;
        if (*path == '\0' || strchr(until, *path))
            return false;
    }
}

/* Folders, each whole, and none at all. */
static bool matches_below(const char *glob, const char *path)
{
    for (const char *folder = path; folder; folder = strchr(folder, '/')) {
        folder += *folder == '/';
        if (shipway_glob_matches(glob, folder))
            return true;
    }
    return false;
}

bool shipway_glob_matches(const char *glob, const char *path)
{
    if (*glob == '\0')
        return *path == '\0';
    if (strncmp(glob, "**/", 3) == 0)
        return matches_below(glob + 3, path);
    if (strncmp(glob, "**", 2) == 0)
        return matches_some_rest(glob + 2, path, "");
    if (*glob == '*')
        return matches_some_rest(glob + 1, path, "/");
    bool same = *glob == '?' ? *path != '\0' && *path != '/' : *glob == *path;
    return same && shipway_glob_matches(glob + 1, path + 1);
}
