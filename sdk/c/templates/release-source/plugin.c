/* Runs the scripts in `release.d`, one after the other. */
#include "shipway.h"

/* Which files are release commands. `*` stays within one name. */
#define SCRIPTS "release.d/*.sh"

void plugin_describe(shipway_manifest *manifest)
{
    manifest->name = "{{name}}";
    manifest->version = "0.1.0";
    manifest->summary = "Runs the scripts in release.d, one after the other.";
    /* The operator grants this, or does not: a request is never a grant. */
    shipway_request_files(manifest, SHIPWAY_STRS(SCRIPTS), "They are the release commands.");
}

/* The script's first comment, or its path. */
static shipway_str label(shipway_str text, shipway_str path)
{
    shipway_str line;
    while (shipway_str_next_line(&text, &line)) {
        if (!shipway_str_starts_with(line, "#") || shipway_str_starts_with(line, "#!"))
            continue;
        shipway_str comment = shipway_str_trim(shipway_str_skip(line, 1));
        if (comment.length > 0)
            return comment;
    }
    return path;
}

static bool is_blank(shipway_str text)
{
    shipway_str line;
    while (shipway_str_next_line(&text, &line))
        if (shipway_str_trim(line).length > 0)
            return false;
    return true;
}

shipway_failure *plugin_collect(const shipway_deployment *deployment, shipway_collected *collected)
{
    (void)deployment;
    shipway_strs paths;
    SHIPWAY_TRY(shipway_source_find(SCRIPTS, &paths));
    for (size_t i = 0; i < paths.count; i++) {
        shipway_str path = paths.items[i], text;
        SHIPWAY_TRY(shipway_source_read_text(path, &text));
        if (is_blank(text)) {
            /* What is left out is said, so that nobody wonders. */
            shipway_collected_skip(
                collected, path, shipway_at(path, "line 1"), "the script is empty");
            continue;
        }
        shipway_strs argv = SHIPWAY_STRS("sh");
        shipway_strs_add(&argv, path);
        shipway_command *command =
            shipway_collected_add(collected, label(text, path), shipway_argv(argv));
        command->provenance = shipway_at(path, "line 1");
    }
    return NULL;
}
