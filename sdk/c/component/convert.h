/* From the generated types to those of `shipway.h` (lift) and back (lower).
 * Lowered text is UTF-8, whatever the plugin wrote: anything else would be a
 * trap. */
#ifndef SHIPWAY_CONVERT_H
#define SHIPWAY_CONVERT_H

#include "plugin.h"
#include "shipway.h"

shipway_str shipway_lift_text(plugin_string_t text);
shipway_str shipway_lift_bytes(plugin_list_u8_t bytes);
shipway_pairs shipway_lift_attributes(shipway_plugin_model_attributes_t attributes);
shipway_deployment shipway_lift_deployment(const shipway_plugin_model_deployment_t *deployment);
shipway_failure *shipway_lift_failure(const shipway_plugin_model_failure_t *failure);

plugin_string_t shipway_lower_text(shipway_str text);
plugin_string_t shipway_lower_word(const char *word);
plugin_list_u8_t shipway_lower_bytes(shipway_str bytes);
plugin_list_string_t shipway_lower_list(const shipway_strs *list);
shipway_plugin_model_attributes_t shipway_lower_attributes(const shipway_pairs *pairs);
shipway_plugin_model_failure_t shipway_lower_failure(const shipway_failure *failure);

/* Zeroed memory for `count` items. */
void *shipway_new_items(size_t count, size_t size);

#endif
