/* The host's functions, by the component's imports. */
#include "convert.h"
#include "host.h"

void shipway_host_log(shipway_level level, shipway_str message)
{
    static const shipway_plugin_log_level_t words[] = {
        [SHIPWAY_LEVEL_DEBUG] = SHIPWAY_PLUGIN_LOG_LEVEL_DEBUG,
        [SHIPWAY_LEVEL_INFO] = SHIPWAY_PLUGIN_LOG_LEVEL_INFO,
        [SHIPWAY_LEVEL_WARN] = SHIPWAY_PLUGIN_LOG_LEVEL_WARN,
        [SHIPWAY_LEVEL_ERROR] = SHIPWAY_PLUGIN_LOG_LEVEL_ERROR,
    };
    plugin_string_t text = shipway_lower_text(message);
    shipway_plugin_log_write(words[level], &text);
}

bool shipway_host_setting(const char *name, shipway_str *value)
{
    plugin_string_t asked = shipway_lower_word(name), given;
    if (!shipway_plugin_settings_get(&asked, &given))
        return false;
    *value = shipway_lift_text(given);
    return true;
}

shipway_failure *shipway_variables_get(const char *name, bool *found, shipway_str *value)
{
    plugin_string_t asked = shipway_lower_word(name);
    plugin_option_string_t given;
    shipway_plugin_variables_failure_t failure;
    if (!shipway_plugin_variables_get(&asked, &given, &failure))
        return shipway_lift_failure(&failure);
    *found = given.is_some;
    *value = given.is_some ? shipway_lift_text(given.val) : (shipway_str){"", 0};
    return NULL;
}

shipway_failure *shipway_source_read(shipway_str path, shipway_str *content)
{
    plugin_string_t asked = shipway_lower_text(path);
    plugin_list_u8_t bytes;
    shipway_plugin_source_failure_t failure;
    if (!shipway_plugin_source_read(&asked, &bytes, &failure))
        return shipway_lift_failure(&failure);
    *content = shipway_lift_bytes(bytes);
    return NULL;
}

shipway_failure *shipway_source_find(const char *glob, shipway_strs *paths)
{
    plugin_string_t asked = shipway_lower_word(glob);
    plugin_list_string_t found;
    shipway_plugin_source_failure_t failure;
    if (!shipway_plugin_source_find(&asked, &found, &failure))
        return shipway_lift_failure(&failure);
    *paths = (shipway_strs){0};
    for (size_t i = 0; i < found.len; i++)
        shipway_strs_add(paths, shipway_lift_text(found.ptr[i]));
    return NULL;
}

static shipway_output lift_output(const shipway_plugin_model_output_t *output)
{
    return (shipway_output){
        .exit_code = output->exit_code,
        .standard_output = shipway_lift_bytes(output->stdout_),
        .standard_error = shipway_lift_bytes(output->stderr_),
        .truncated = output->truncated,
        .attributes = shipway_lift_attributes(output->attributes),
    };
}

shipway_failure *shipway_image_run(
    const shipway_strs *argv, const shipway_pairs *variables, shipway_output *output)
{
    static const shipway_pairs none;
    plugin_list_string_t words = shipway_lower_list(argv);
    shipway_plugin_model_attributes_t given =
        shipway_lower_attributes(variables ? variables : &none);
    shipway_plugin_image_output_t left;
    shipway_plugin_image_failure_t failure;
    if (!shipway_plugin_image_run(&words, &given, &left, &failure))
        return shipway_lift_failure(&failure);
    *output = lift_output(&left);
    return NULL;
}

shipway_endpoints shipway_candidate_endpoints(void)
{
    shipway_plugin_candidate_list_endpoint_t found;
    shipway_plugin_candidate_endpoints(&found);
    shipway_endpoints endpoints = {.count = found.len};
    endpoints.items = shipway_new_items(found.len, sizeof *endpoints.items);
    for (size_t i = 0; i < found.len; i++) {
        endpoints.items[i] = (shipway_endpoint){
            .process = shipway_lift_text(found.ptr[i].process),
            .url = shipway_lift_text(found.ptr[i].url),
            .host = shipway_lift_text(found.ptr[i].host),
            .attributes = shipway_lift_attributes(found.ptr[i].attributes),
        };
    }
    return endpoints;
}

shipway_failure *shipway_candidate_exec(
    const char *process, const shipway_strs *argv, shipway_output *output)
{
    plugin_string_t type = shipway_lower_word(process);
    plugin_list_string_t words = shipway_lower_list(argv);
    shipway_plugin_candidate_output_t left;
    shipway_plugin_candidate_failure_t failure;
    if (!shipway_plugin_candidate_exec(&type, &words, &left, &failure))
        return shipway_lift_failure(&failure);
    *output = lift_output(&left);
    return NULL;
}

/* Headers are a list of the same pairs as attributes, of a type of its own. */
static plugin_list_tuple2_string_string_t lower_headers(const shipway_pairs *headers)
{
    shipway_plugin_model_attributes_t lowered = shipway_lower_attributes(headers);
    return (plugin_list_tuple2_string_string_t){lowered.ptr, lowered.len};
}

static shipway_pairs lift_headers(plugin_list_tuple2_string_string_t headers)
{
    return shipway_lift_attributes((shipway_plugin_model_attributes_t){headers.ptr, headers.len});
}

shipway_failure *shipway_http_send(
    const shipway_http_request *request, shipway_http_response *response)
{
    shipway_plugin_http_request_t asked = {
        .method = shipway_lower_word(request->method),
        .url = shipway_lower_text(request->url),
        .headers = lower_headers(&request->headers),
        .body = shipway_lower_bytes(request->body),
        .timeout_ms = {request->timeout_ms > 0, request->timeout_ms},
        .attributes = shipway_lower_attributes(&request->attributes),
    };
    shipway_plugin_http_response_t answer;
    shipway_plugin_http_failure_t failure;
    if (!shipway_plugin_http_send(&asked, &answer, &failure))
        return shipway_lift_failure(&failure);
    *response = (shipway_http_response){
        .status = answer.status,
        .headers = lift_headers(answer.headers),
        .body = shipway_lift_bytes(answer.body),
        .attributes = shipway_lift_attributes(answer.attributes),
    };
    return NULL;
}
