/* The export of the role release-source. */
#include "convert.h"
#include "lifetime.h"

static const char *const PHASES[] = {
    [SHIPWAY_PHASE_RELEASE] = "release",
    [SHIPWAY_PHASE_GATE] = "gate",
    [SHIPWAY_PHASE_AFTER] = "after",
    [SHIPWAY_PHASE_FAILED] = "failed",
};

static const char *const ENTRYPOINTS[] = {
    [SHIPWAY_ENTRYPOINT_BYPASS] = "bypass",
    [SHIPWAY_ENTRYPOINT_KEEP] = "keep",
};

static const char *const WHENS[] = {
    [SHIPWAY_WHEN_ALWAYS] = "always",
    [SHIPWAY_WHEN_FIRST_DEPLOY] = "first-deploy",
    [SHIPWAY_WHEN_ONCE] = "once",
};

static exports_shipway_release_commands_invocation_t lower_invocation(
    const shipway_invocation *invocation)
{
    exports_shipway_release_commands_invocation_t lowered = {0};
    if (invocation && invocation->kind == SHIPWAY_ARGV) {
        lowered.tag = EXPORTS_SHIPWAY_RELEASE_COMMANDS_INVOCATION_ARGV;
        lowered.val.argv = shipway_lower_list(&invocation->as.argv);
    } else {
        lowered.tag = EXPORTS_SHIPWAY_RELEASE_COMMANDS_INVOCATION_SHELL;
        lowered.val.shell =
            shipway_lower_text(invocation ? invocation->as.shell : (shipway_str){"", 0});
    }
    return lowered;
}

static exports_shipway_release_commands_provenance_t lower_provenance(
    const shipway_provenance *provenance)
{
    return (exports_shipway_release_commands_provenance_t){
        .file = shipway_lower_text(provenance->file),
        .place = shipway_lower_text(provenance->place),
    };
}

static exports_shipway_release_commands_release_command_t lower_command(
    const shipway_command *command)
{
    exports_shipway_release_commands_release_command_t lowered = {
        .label = shipway_lower_text(command->label),
        .run = lower_invocation(command->run),
        .phase = shipway_lower_word(PHASES[command->phase]),
        .entrypoint = shipway_lower_word(ENTRYPOINTS[command->entrypoint]),
        .timeout_seconds = {command->timeout_seconds > 0, command->timeout_seconds},
        .when = shipway_lower_word(WHENS[command->when]),
        .provenance = lower_provenance(&command->provenance),
        .attributes = shipway_lower_attributes(&command->attributes),
    };
    if (command->undo) {
        lowered.undo.is_some = true;
        lowered.undo.val = lower_invocation(command->undo);
    }
    return lowered;
}

static exports_shipway_release_commands_skipped_t lower_skipped(const shipway_skipped *skipped)
{
    return (exports_shipway_release_commands_skipped_t){
        .what = shipway_lower_text(skipped->what),
        .reason = shipway_lower_text(skipped->reason),
        .provenance = lower_provenance(&skipped->provenance),
        .attributes = shipway_lower_attributes(&skipped->attributes),
    };
}

static exports_shipway_release_commands_collected_t lower_collected(
    const shipway_collected *collected)
{
    exports_shipway_release_commands_collected_t lowered = {
        .commands = {.len = collected->commands.count},
        .skipped = {.len = collected->skipped.count},
        .warnings = shipway_lower_list(&collected->warnings),
        .attributes = shipway_lower_attributes(&collected->attributes),
    };
    lowered.commands.ptr = shipway_new_items(lowered.commands.len, sizeof *lowered.commands.ptr);
    for (size_t i = 0; i < lowered.commands.len; i++)
        lowered.commands.ptr[i] = lower_command(collected->commands.items[i]);
    lowered.skipped.ptr = shipway_new_items(lowered.skipped.len, sizeof *lowered.skipped.ptr);
    for (size_t i = 0; i < lowered.skipped.len; i++)
        lowered.skipped.ptr[i] = lower_skipped(collected->skipped.items[i]);
    return lowered;
}

bool exports_shipway_release_commands_collect(
    exports_shipway_release_commands_deployment_t *deployment,
    exports_shipway_release_commands_collected_t *ret,
    exports_shipway_release_commands_failure_t *err)
{
    shipway_deployment about = shipway_lift_deployment(deployment);
    shipway_collected collected = {0};
    shipway_failure *failure = plugin_collect(&about, &collected);
    if (failure)
        *err = shipway_lower_failure(failure);
    else
        *ret = lower_collected(&collected);
    shipway_lifetime_end();
    return !failure;
}
