/* The records that a plugin builds: failures, the manifest, commands, checks
 * and requests. */
#include "arena.h"
#include "text.h"

#include <stdarg.h>

/* Adds a new item to a list of the public header: the address of a struct of
 * `items`, `count` and `capacity`. */
#define ADD(list, type)                                                                            \
    ((list)->items = shipway_arena_grow(                                                           \
         (list)->items, (list)->count, &(list)->capacity, sizeof *(list)->items),                  \
        (list)->items[(list)->count++] = shipway_alloc(sizeof(type)))

/* A text of the arguments that follow `format`. */
#define FORMAT(text, format)                                                                       \
    do {                                                                                           \
        va_list values;                                                                            \
        va_start(values, format);                                                                  \
        *(text) = shipway_format_list(format, values);                                             \
        va_end(values);                                                                            \
    } while (0)

shipway_failure *shipway_fail(const char *code, const char *format, ...)
{
    shipway_failure *failure = shipway_alloc(sizeof *failure);
    failure->code = shipway_str_of(code);
    FORMAT(&failure->message, format);
    return failure;
}

bool shipway_failure_is(const shipway_failure *failure, const char *code)
{
    return shipway_str_is(failure->code, code);
}

shipway_setting *shipway_manifest_setting(
    shipway_manifest *manifest, const char *name, const char *summary)
{
    shipway_setting *setting = ADD(&manifest->settings, shipway_setting);
    setting->name = name;
    setting->summary = summary;
    return setting;
}

shipway_setting *shipway_manifest_secret(
    shipway_manifest *manifest, const char *name, shipway_strs places, const char *summary)
{
    shipway_setting *setting = shipway_manifest_setting(manifest, name, summary);
    setting->secret = true;
    setting->places = places;
    return setting;
}

static void ask(
    shipway_manifest *manifest, const char *capability, shipway_strs targets, const char *reason)
{
    shipway_request *request = ADD(&manifest->requests, shipway_request);
    *request = (shipway_request){capability, targets, reason};
}

void shipway_request_files(shipway_manifest *manifest, shipway_strs globs, const char *reason)
{
    ask(manifest, "files", globs, reason);
}

void shipway_request_variables(shipway_manifest *manifest, shipway_strs names, const char *reason)
{
    ask(manifest, "variables", names, reason);
}

void shipway_request_http(shipway_manifest *manifest, shipway_strs targets, const char *reason)
{
    ask(manifest, "http", targets, reason);
}

void shipway_request_image(shipway_manifest *manifest, const char *reason)
{
    ask(manifest, "image", (shipway_strs){0}, reason);
}

void shipway_request_exec(shipway_manifest *manifest, const char *reason)
{
    ask(manifest, "exec", (shipway_strs){0}, reason);
}

shipway_invocation *shipway_shell(shipway_str line)
{
    shipway_invocation *invocation = shipway_alloc(sizeof *invocation);
    invocation->kind = SHIPWAY_SHELL;
    invocation->as.shell = line;
    return invocation;
}

shipway_invocation *shipway_argv(shipway_strs argv)
{
    shipway_invocation *invocation = shipway_alloc(sizeof *invocation);
    invocation->kind = SHIPWAY_ARGV;
    invocation->as.argv = argv;
    return invocation;
}

shipway_provenance shipway_at(shipway_str file, const char *format, ...)
{
    shipway_provenance provenance = {.file = file};
    FORMAT(&provenance.place, format);
    return provenance;
}

shipway_command *shipway_collected_add(
    shipway_collected *collected, shipway_str label, shipway_invocation *run)
{
    shipway_command *command = ADD(&collected->commands, shipway_command);
    command->label = label;
    command->run = run;
    return command;
}

void shipway_collected_skip(shipway_collected *collected, shipway_str what,
    shipway_provenance provenance, const char *format, ...)
{
    shipway_skipped *skipped = ADD(&collected->skipped, shipway_skipped);
    skipped->what = what;
    skipped->provenance = provenance;
    FORMAT(&skipped->reason, format);
}

void shipway_collected_warn(shipway_collected *collected, const char *format, ...)
{
    shipway_str warning;
    FORMAT(&warning, format);
    shipway_strs_add(&collected->warnings, warning);
}

shipway_check *shipway_report_add(
    shipway_report *report, shipway_str name, shipway_outcome outcome, const char *format, ...)
{
    shipway_check *check = ADD(&report->checks, shipway_check);
    check->name = name;
    check->outcome = outcome;
    FORMAT(&check->message, format);
    return check;
}

shipway_http_request shipway_http_request_to(const char *method, shipway_str url)
{
    return (shipway_http_request){.method = method, .url = url};
}

void shipway_http_header(shipway_http_request *request, const char *name, const char *format, ...)
{
    shipway_str value;
    FORMAT(&value, format);
    shipway_pairs_add(&request->headers, name, value);
}
