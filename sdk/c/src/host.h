/* What the library asks of the host beside the functions of `shipway.h` that
 * are the host's own: `shipway_variables_get`, `shipway_source_read`,
 * `shipway_source_find`, `shipway_image_run`, `shipway_candidate_endpoints`,
 * `shipway_candidate_exec` and `shipway_http_send`. In a component they are
 * its imports (`component/imports.c`), in a native build the host of
 * `shipway_testing.h` (`testing/host.c`). */
#ifndef SHIPWAY_HOST_H
#define SHIPWAY_HOST_H

#include "shipway.h"

typedef enum shipway_level {
    SHIPWAY_LEVEL_DEBUG,
    SHIPWAY_LEVEL_INFO,
    SHIPWAY_LEVEL_WARN,
    SHIPWAY_LEVEL_ERROR
} shipway_level;

void shipway_host_log(shipway_level level, shipway_str message);

bool shipway_host_setting(const char *name, shipway_str *value);

#endif
