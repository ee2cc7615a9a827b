/* Uses what the example does not: every call and field, broken text, and the
 * two ways to die. `make check` in the SDK runs its cases. */
#include "shipway.h"

void plugin_describe(shipway_manifest *manifest)
{
    manifest->name = "every-call";
    manifest->version = "1.0.0";
    manifest->summary = "Tests the C SDK.";
    shipway_manifest_setting(manifest, "how", "What is done.");
    shipway_request_variables(manifest, SHIPWAY_STRS("STAGE", "UNSET"), "To be read.");
    shipway_request_image(manifest, "To run a command.");
    shipway_request_exec(manifest, "To run a command there.");
}

static shipway_failure *variable(shipway_collected *collected, const char *name)
{
    bool found = false;
    shipway_str value = {0};
    SHIPWAY_TRY(shipway_variables_get(name, &found, &value));
    shipway_collected_warn(
        collected, "%s %s%.*s", name, found ? "is " : "is not set", SHIPWAY_ARG(value));
    return NULL;
}

static void add_every_field(shipway_collected *collected, shipway_str label)
{
    shipway_command *command =
        shipway_collected_add(collected, label, shipway_argv(SHIPWAY_STRS("one", "", "three")));
    command->phase = SHIPWAY_PHASE_FAILED;
    command->entrypoint = SHIPWAY_ENTRYPOINT_KEEP;
    command->timeout_seconds = 90;
    command->when = SHIPWAY_WHEN_ONCE;
    command->undo = shipway_argv(SHIPWAY_STRS("back", "again"));
    command->provenance = shipway_at(shipway_str_of("file"), "place %d", 1);
    shipway_pairs_add(&command->attributes, "later", shipway_str_of("version"));
    command = shipway_collected_add(
        collected, shipway_str_of("second"), shipway_shell(shipway_str_of("go")));
    command->when = SHIPWAY_WHEN_FIRST_DEPLOY;
    command->undo = shipway_shell(shipway_str_of("come back"));
}

static unsigned sink;

static unsigned recurse(unsigned depth)
{
    volatile char frame[1024];
    frame[depth % sizeof frame] = (char)depth;
    sink += recurse(depth + 1) + (unsigned)frame[0];
    return sink;
}

shipway_failure *plugin_collect(const shipway_deployment *deployment, shipway_collected *collected)
{
    shipway_str how = shipway_settings_or("how", "");
    if (shipway_str_is(how, "recurse"))
        recurse(0);
    for (size_t size = 1 << 20; shipway_str_is(how, "take all memory"); size *= 2)
        memset(shipway_alloc(size), 1, size);

    SHIPWAY_TRY(variable(collected, "STAGE"));
    SHIPWAY_TRY(variable(collected, "UNSET"));
    shipway_output output;
    shipway_strs argv = SHIPWAY_STRS("python3", "-V");
    shipway_pairs variables = {0};
    shipway_pairs_add(&variables, "LANG", shipway_str_of("C"));
    SHIPWAY_TRY(shipway_image_run(&argv, &variables, &output));
    shipway_collected_warn(collected, "%d %.*s", (int)output.exit_code,
        SHIPWAY_ARG(shipway_str_trim(output.standard_output)));
    /* Not UTF-8: it reaches the host repaired, and is no trap. */
    add_every_field(collected, shipway_format("%.*s \xFF", SHIPWAY_ARG(deployment->app)));
    return NULL;
}

shipway_failure *plugin_deliver(const shipway_event *event)
{
    int64_t number = 0;
    shipway_str ending = {0};
    if (!shipway_json_find_string(event->data, "ending", &ending))
        return shipway_fail(
            "own-word", "no ending in event %llu", (unsigned long long)event->sequence);
    SHIPWAY_TRY(shipway_settings_integer("how", 3, &number));
    shipway_log_warn("%.*s %lld \xFF", SHIPWAY_ARG(ending), (long long)number);
    shipway_log_error("%s", event->deployment.commit.length == 40 ? "whole" : "cut");
    return NULL;
}

shipway_failure *plugin_self_test(const shipway_deployment *deployment, shipway_report *report)
{
    (void)deployment;
    shipway_output output;
    shipway_strs argv = SHIPWAY_STRS("uptime");
    shipway_failure *failure = shipway_candidate_exec("worker", &argv, &output);
    if (failure)
        return failure;
    shipway_check *check = shipway_report_add(report, shipway_str_of("uptime"), SHIPWAY_WARN,
        "%d: %.*s", (int)output.exit_code, SHIPWAY_ARG(output.standard_error));
    check->duration_ms = 5;
    return NULL;
}
