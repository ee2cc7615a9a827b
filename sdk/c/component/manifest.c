/* The export of every plugin. */
#include "convert.h"
#include "lifetime.h"

static exports_shipway_plugin_manifest_list_setting_t lower_settings(
    const shipway_manifest *manifest)
{
    exports_shipway_plugin_manifest_list_setting_t lowered = {.len = manifest->settings.count};
    lowered.ptr = shipway_new_items(lowered.len, sizeof *lowered.ptr);
    for (size_t i = 0; i < lowered.len; i++) {
        const shipway_setting *setting = manifest->settings.items[i];
        lowered.ptr[i] = (exports_shipway_plugin_manifest_setting_t){
            .name = shipway_lower_word(setting->name),
            .summary = shipway_lower_word(setting->summary),
            .required = setting->required,
            .secret = setting->secret,
            .places = shipway_lower_list(&setting->places),
        };
    }
    return lowered;
}

static exports_shipway_plugin_manifest_list_request_t lower_requests(
    const shipway_manifest *manifest)
{
    exports_shipway_plugin_manifest_list_request_t lowered = {.len = manifest->requests.count};
    lowered.ptr = shipway_new_items(lowered.len, sizeof *lowered.ptr);
    for (size_t i = 0; i < lowered.len; i++) {
        const shipway_request *request = manifest->requests.items[i];
        lowered.ptr[i] = (exports_shipway_plugin_manifest_request_t){
            .capability = shipway_lower_word(request->capability),
            .targets = shipway_lower_list(&request->targets),
            .reason = shipway_lower_word(request->reason),
        };
    }
    return lowered;
}

void exports_shipway_plugin_manifest_describe(
    exports_shipway_plugin_manifest_description_t *description)
{
    shipway_lifetime_begin();
    shipway_manifest manifest = {0};
    plugin_describe(&manifest);
    *description = (exports_shipway_plugin_manifest_description_t){
        .name = shipway_lower_word(manifest.name),
        .version = shipway_lower_word(manifest.version),
        .summary = shipway_lower_word(manifest.summary),
        .settings = lower_settings(&manifest),
        .requests = lower_requests(&manifest),
        .attributes = shipway_lower_attributes(&manifest.attributes),
    };
    shipway_lifetime_end();
}
