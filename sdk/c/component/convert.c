#include "convert.h"

#include "text.h"

shipway_str shipway_lift_text(plugin_string_t text)
{
    return (shipway_str){(const char *)text.ptr, text.len};
}

shipway_str shipway_lift_bytes(plugin_list_u8_t bytes)
{
    return (shipway_str){(const char *)bytes.ptr, bytes.len};
}

shipway_pairs shipway_lift_attributes(shipway_plugin_model_attributes_t attributes)
{
    shipway_pairs pairs = {.count = attributes.len, .capacity = attributes.len};
    pairs.items = shipway_new_items(attributes.len, sizeof *pairs.items);
    for (size_t i = 0; i < attributes.len; i++) {
        pairs.items[i].name = shipway_lift_text(attributes.ptr[i].f0);
        pairs.items[i].value = shipway_lift_text(attributes.ptr[i].f1);
    }
    return pairs;
}

shipway_deployment shipway_lift_deployment(const shipway_plugin_model_deployment_t *deployment)
{
    return (shipway_deployment){
        .id = shipway_lift_text(deployment->id),
        .app = shipway_lift_text(deployment->app),
        .environment = shipway_lift_text(deployment->environment),
        .commit = shipway_lift_text(deployment->commit),
        .reference = shipway_lift_text(deployment->reference),
        .attributes = shipway_lift_attributes(deployment->attributes),
    };
}

shipway_failure *shipway_lift_failure(const shipway_plugin_model_failure_t *failure)
{
    shipway_failure *lifted = shipway_alloc(sizeof *lifted);
    lifted->code = shipway_lift_text(failure->code);
    lifted->message = shipway_lift_text(failure->message);
    lifted->retryable = failure->retryable;
    lifted->attributes = shipway_lift_attributes(failure->attributes);
    return lifted;
}

plugin_string_t shipway_lower_text(shipway_str text)
{
    shipway_str repaired = shipway_str_repaired(text);
    return (plugin_string_t){(uint8_t *)repaired.data, repaired.length};
}

plugin_string_t shipway_lower_word(const char *word)
{
    return shipway_lower_text(shipway_str_of(word ? word : ""));
}

plugin_list_u8_t shipway_lower_bytes(shipway_str bytes)
{
    return (plugin_list_u8_t){(uint8_t *)bytes.data, bytes.length};
}

plugin_list_string_t shipway_lower_list(const shipway_strs *list)
{
    plugin_list_string_t lowered = {.len = list->count};
    lowered.ptr = shipway_new_items(list->count, sizeof *lowered.ptr);
    for (size_t i = 0; i < list->count; i++)
        lowered.ptr[i] = shipway_lower_text(list->items[i]);
    return lowered;
}

shipway_plugin_model_attributes_t shipway_lower_attributes(const shipway_pairs *pairs)
{
    shipway_plugin_model_attributes_t lowered = {.len = pairs->count};
    lowered.ptr = shipway_new_items(pairs->count, sizeof *lowered.ptr);
    for (size_t i = 0; i < pairs->count; i++) {
        lowered.ptr[i].f0 = shipway_lower_text(pairs->items[i].name);
        lowered.ptr[i].f1 = shipway_lower_text(pairs->items[i].value);
    }
    return lowered;
}

shipway_plugin_model_failure_t shipway_lower_failure(const shipway_failure *failure)
{
    return (shipway_plugin_model_failure_t){
        .code = shipway_lower_text(failure->code),
        .message = shipway_lower_text(failure->message),
        .retryable = failure->retryable,
        .attributes = shipway_lower_attributes(&failure->attributes),
    };
}

void *shipway_new_items(size_t count, size_t size)
{
    return shipway_alloc(count > SIZE_MAX / size ? SIZE_MAX : count * size);
}
