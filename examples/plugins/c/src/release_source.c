/* The release source: lines of `LABEL: COMMAND` in a file of the commit. */
#include "shipway.h"

/* The words that a label can begin with, and the phase they ask for. */
static const struct {
    const char *prefix;
    shipway_phase phase;
} PHASES[] = {
    {"gate ", SHIPWAY_PHASE_GATE},
    {"after ", SHIPWAY_PHASE_AFTER},
    {"failed ", SHIPWAY_PHASE_FAILED},
};

/* Takes the word of a phase off a label. */
static shipway_phase take_phase(shipway_str *label)
{
    for (size_t i = 0; i < sizeof PHASES / sizeof PHASES[0]; i++) {
        if (shipway_str_starts_with(*label, PHASES[i].prefix)) {
            *label = shipway_str_trim(shipway_str_skip(*label, strlen(PHASES[i].prefix)));
            return PHASES[i].phase;
        }
    }
    return SHIPWAY_PHASE_RELEASE;
}

static shipway_invocation *invocation(shipway_str command)
{
    if (shipway_str_starts_with(command, "exec "))
        return shipway_argv(shipway_str_words(shipway_str_skip(command, strlen("exec "))));
    return shipway_shell(command);
}

static void collect_line(
    shipway_collected *collected, shipway_str line, shipway_provenance provenance)
{
    if (line.length == 0 || line.data[0] == '#')
        return;
    shipway_str label = {0}, run = {0};
    shipway_str_cut(line, ':', &label, &run);
    label = shipway_str_trim(label);
    run = shipway_str_trim(run);
    if (label.length == 0 || run.length == 0) {
        shipway_collected_skip(collected, line, provenance, "a line is LABEL: COMMAND");
        return;
    }
    shipway_phase phase = take_phase(&label);
    shipway_command *command = shipway_collected_add(collected, label, invocation(run));
    command->phase = phase;
    command->entrypoint = SHIPWAY_ENTRYPOINT_KEEP;
    command->provenance = provenance;
}

static shipway_failure *collect_file(shipway_collected *collected, shipway_str file)
{
    shipway_str rest, line;
    SHIPWAY_TRY(shipway_source_read_text(file, &rest));
    for (unsigned number = 1; shipway_str_next_line(&rest, &line); number++)
        collect_line(collected, shipway_str_trim(line), shipway_at(file, "line %u", number));
    return NULL;
}

shipway_failure *plugin_collect(const shipway_deployment *deployment, shipway_collected *collected)
{
    (void)deployment;
    shipway_str file = shipway_settings_or("file", "Releasefile");
    shipway_failure *failure = collect_file(collected, file);
    if (failure && !shipway_failure_is(failure, SHIPWAY_NOT_FOUND))
        return failure;
    if (failure)
        shipway_collected_warn(collected, "there is no %.*s", SHIPWAY_ARG(file));

    shipway_strs more;
    SHIPWAY_TRY(shipway_source_find("Releasefile.d/*", &more));
    for (size_t i = 0; i < more.count; i++)
        SHIPWAY_TRY(collect_file(collected, more.items[i]));
    return NULL;
}
