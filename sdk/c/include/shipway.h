/*
 * Write Shipway plugins in C: include this header and define `plugin_describe`
 * and the function of each role that `shipway-plugin.toml` names.
 *
 *     #include "shipway.h"
 *
 *     void plugin_describe(shipway_manifest *manifest)
 *     {
 *         manifest->name = "makefile";
 *         manifest->version = "1.0.0";
 *         manifest->summary = "Runs the target `release` of the Makefile.";
 *         shipway_request_files(manifest, SHIPWAY_STRS("Makefile"),
 *             "To see whether it has a target `release`.");
 *     }
 *
 *     shipway_failure *plugin_collect(const shipway_deployment *deployment,
 *         shipway_collected *collected)
 *     {
 *         shipway_str text, path = shipway_str_of("Makefile");
 *         SHIPWAY_TRY(shipway_source_read_text(path, &text));
 *         …
 *         return NULL;
 *     }
 *
 * Names: what begins with `plugin_` is yours, what begins with `shipway_` is
 * ours.
 *
 * Text: what travels is a slice, `shipway_str`; names and formats that stand
 * in the program are C strings. Bytes are slices too. Text that is not UTF-8
 * is repaired on its way to the host, with U+FFFD.
 *
 * Memory: everything that these functions give you, and everything you take
 * with `shipway_alloc`, lives until the call of your plugin has returned.
 * Nothing needs to be freed. A plugin keeps nothing between two calls.
 *
 * Failures: a function that can fail returns `shipway_failure *`, and NULL
 * when all went well. `SHIPWAY_TRY` hands a failure on to the caller.
 */
#ifndef SHIPWAY_H
#define SHIPWAY_H

#include "shipway_json.h"
#include "shipway_text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Failures -------------------------------------------------------- */

/* The codes of the contract. The set is open: a plugin may have words of its
 * own, and must expect words it does not know. */
#define SHIPWAY_DENIED "denied" /* Not asked for, or not granted. */
#define SHIPWAY_NOT_FOUND "not-found"
#define SHIPWAY_TOO_LARGE "too-large"
#define SHIPWAY_LIMIT "limit" /* Too many calls or results. */
#define SHIPWAY_TIMEOUT "timeout"
#define SHIPWAY_INVALID "invalid"         /* What was given is wrong. */
#define SHIPWAY_UNAVAILABLE "unavailable" /* Does not answer, or not there yet. */

/* Why something could not be done. */
typedef struct shipway_failure {
    shipway_str code;
    /* One sentence for a person: what happened and what to do, without a
     * secret in it. */
    shipway_str message;
    /* Whether the same call may succeed later. */
    bool retryable;
    shipway_pairs attributes;
} shipway_failure;

/* A failure that the same call would meet again; set `retryable` otherwise. */
shipway_failure *shipway_fail(const char *code, const char *format, ...) SHIPWAY_PRINTF(2, 3);

bool shipway_failure_is(const shipway_failure *failure, const char *code);

/* Returns the failure of a call to the caller, if there is one. */
#define SHIPWAY_TRY(call)                                                                          \
    do {                                                                                           \
        shipway_failure *shipway_failure_of_call = (call);                                         \
        if (shipway_failure_of_call)                                                               \
            return shipway_failure_of_call;                                                        \
    } while (0)

/* ---- The manifest ---------------------------------------------------- */

/* One setting that the plugin reads with `shipway_settings_get`. */
typedef struct shipway_setting {
    const char *name;
    /* What it does, and what holds when it is not set. */
    const char *summary;
    bool required;
    /* A secret reaches the plugin as an opaque placeholder; the host puts the
     * value in on the way out, to the hosts it is granted for. */
    bool secret;
    /* Where in a request the plugin puts a secret: `header:NAME`, `path`,
     * `query`, `body`, or `url` for a URL that is secret as a whole. Anywhere
     * else the placeholder is refused. Empty unless secret. */
    shipway_strs places;
} shipway_setting;

/* One capability that the plugin asks for. */
typedef struct shipway_request {
    const char *capability;
    shipway_strs targets;
    /* Why, in one sentence that an operator reads before granting. */
    const char *reason;
} shipway_request;

/* Who a plugin is, what it can be set to, and what it asks for. */
typedef struct shipway_manifest {
    /* Lower-case letters, digits and dashes, at most 63. */
    const char *name;
    /* Semantic version. */
    const char *version;
    /* One sentence for a person. */
    const char *summary;
    struct {
        shipway_setting **items;
        size_t count;
        size_t capacity;
    } settings;
    struct {
        shipway_request **items;
        size_t count;
        size_t capacity;
    } requests;
    shipway_pairs attributes;
} shipway_manifest;

/* Adds a setting. Set its `required` where the plugin cannot do without. */
shipway_setting *shipway_manifest_setting(
    shipway_manifest *manifest, const char *name, const char *summary);

/* Adds a secret setting, with the places in a request where it is put. */
shipway_setting *shipway_manifest_secret(
    shipway_manifest *manifest, const char *name, shipway_strs places, const char *summary);

/* Asks to read the files of the commit that match one of these globs. */
void shipway_request_files(shipway_manifest *manifest, shipway_strs globs, const char *reason);

/* Asks to read plain variables of the environment, by name. */
void shipway_request_variables(shipway_manifest *manifest, shipway_strs names, const char *reason);

/* Asks for HTTP. A target is `scheme://host[:port]`, or `setting:NAME` for the
 * origin of the URL in that setting, perhaps after its methods:
 * `POST,PUT https://hooks.example.com`. */
void shipway_request_http(shipway_manifest *manifest, shipway_strs targets, const char *reason);

/* Asks to run bounded commands in the image that was built. */
void shipway_request_image(shipway_manifest *manifest, const char *reason);

/* Asks to run bounded commands in the candidate, in a self-test. */
void shipway_request_exec(shipway_manifest *manifest, const char *reason);

/* Yours: who the plugin is and what it would like. `manifest` comes empty.
 * Called when the plugin is installed, with nothing granted: whatever it asks
 * the host here is denied, and a request is never a grant. */
void plugin_describe(shipway_manifest *manifest);

/* ---- What a call is about -------------------------------------------- */

/* The deployment a call belongs to. */
typedef struct shipway_deployment {
    /* UUID, the same in every event and log line. */
    shipway_str id;
    shipway_str app;
    shipway_str environment;
    /* The full commit id. Empty while the commit is not resolved yet. */
    shipway_str commit;
    /* What was asked for: a branch, a tag or a commit. */
    shipway_str reference;
    shipway_pairs attributes;
} shipway_deployment;

/* ---- The role release-source: which commands does this app want? ------ */

/* How a command is run. */
typedef struct shipway_invocation {
    enum { SHIPWAY_SHELL, SHIPWAY_ARGV } kind;
    union {
        /* One string for `sh -c`, byte for byte as its author wrote it. */
        shipway_str shell;
        /* A program and its arguments, without a shell. */
        shipway_strs argv;
    } as;
} shipway_invocation;

shipway_invocation *shipway_shell(shipway_str line);
shipway_invocation *shipway_argv(shipway_strs argv);

/* When in a deployment a command runs. */
typedef enum shipway_phase {
    SHIPWAY_PHASE_RELEASE, /* The image is built, the new version not started. */
    SHIPWAY_PHASE_GATE,    /* The new version is healthy, not yet routed. */
    SHIPWAY_PHASE_AFTER,   /* The new version is routed. */
    SHIPWAY_PHASE_FAILED   /* The deployment failed. */
} shipway_phase;

/* Whether the image's entrypoint is kept in front of the command. */
typedef enum shipway_entrypoint {
    SHIPWAY_ENTRYPOINT_BYPASS,
    SHIPWAY_ENTRYPOINT_KEEP
} shipway_entrypoint;

/* At which deployments a command runs. */
typedef enum shipway_when {
    SHIPWAY_WHEN_ALWAYS,
    SHIPWAY_WHEN_FIRST_DEPLOY, /* While the environment never had a success. */
    SHIPWAY_WHEN_ONCE          /* Once per environment, image and command. */
} shipway_when;

/* Where something was found, so that a person can go there. */
typedef struct shipway_provenance {
    /* Path in the repository, or empty when it was not a file. */
    shipway_str file;
    /* The place in it: `line 3`, `MIGRATION_COMMANDS[0]`, … */
    shipway_str place;
} shipway_provenance;

/* A place in a file: shipway_at(file, "line %u", number). */
shipway_provenance shipway_at(shipway_str file, const char *format, ...) SHIPWAY_PRINTF(2, 3);

/* One command to run once per deployment. */
typedef struct shipway_command {
    /* What people read in plan and log. */
    shipway_str label;
    shipway_invocation *run;
    shipway_phase phase;
    shipway_entrypoint entrypoint;
    /* 0 for the engine's own 1,800. */
    uint32_t timeout_seconds;
    shipway_when when;
    /* What takes it back, run in the new image, in reverse order; or NULL. */
    shipway_invocation *undo;
    shipway_provenance provenance;
    shipway_pairs attributes;
} shipway_command;

/* Something that a source saw and did not take. */
typedef struct shipway_skipped {
    shipway_str what;
    /* Why, in one sentence. */
    shipway_str reason;
    shipway_provenance provenance;
    shipway_pairs attributes;
} shipway_skipped;

/* What a release source found. */
typedef struct shipway_collected {
    /* In the order in which they run. */
    struct {
        shipway_command **items;
        size_t count;
        size_t capacity;
    } commands;
    struct {
        shipway_skipped **items;
        size_t count;
        size_t capacity;
    } skipped;
    /* What a person should know: a fallback that was taken, a doubt. */
    shipway_strs warnings;
    shipway_pairs attributes;
} shipway_collected;

/* Adds a command of the phase `release`, which runs at every deployment
 * without the image's entrypoint. What is returned can be set otherwise. */
shipway_command *shipway_collected_add(
    shipway_collected *collected, shipway_str label, shipway_invocation *run);

/* Says what the source saw and did not take, and why. */
void shipway_collected_skip(shipway_collected *collected, shipway_str what,
    shipway_provenance provenance, const char *format, ...) SHIPWAY_PRINTF(4, 5);

void shipway_collected_warn(shipway_collected *collected, const char *format, ...)
    SHIPWAY_PRINTF(2, 3);

/* Yours, in a release source: the commands that the commit asks for.
 * `collected` comes empty. No command at all is a good answer and not a
 * failure; a failure fails the deployment, since an app that misses a release
 * command is worse than one that is late. */
shipway_failure *plugin_collect(const shipway_deployment *deployment, shipway_collected *collected);

/* ---- The role notifier: who must be told? ------------------------------ */

/* Something that happened in a deployment. */
typedef struct shipway_event {
    /* The same in every retry, so that a receiver can drop repeats. */
    shipway_str id;
    /* The event's number in its deployment, from 1, without a gap. */
    uint64_t sequence;
    /* RFC 3339, UTC. */
    shipway_str time;
    /* `deployment.queued`, `step.started`, `deployment.ended`, … The list
     * grows: expect words you do not know. */
    shipway_str kind;
    shipway_deployment deployment;
    /* One sentence for a person. */
    shipway_str summary;
    /* The event's own data as JSON, as in the API. */
    shipway_str data;
    shipway_pairs attributes;
} shipway_event;

/* Yours, in a notifier: delivers one event. It may come again with the same
 * id, and never changes the deployment's result. A retryable failure asks for
 * another try later; any other gives this event up. */
shipway_failure *plugin_deliver(const shipway_event *event);

/* ---- The role self-test: is the new version fit to serve? -------------- */

/* How a check ended. Only `fail` fails the deployment. */
typedef enum shipway_outcome {
    SHIPWAY_PASS,
    SHIPWAY_WARN,
    SHIPWAY_FAIL,
    SHIPWAY_SKIP
} shipway_outcome;

typedef struct shipway_check {
    shipway_str name;
    shipway_outcome outcome;
    /* What was seen, in one sentence. */
    shipway_str message;
    uint32_t duration_ms;
    shipway_pairs attributes;
} shipway_check;

typedef struct shipway_report {
    struct {
        shipway_check **items;
        size_t count;
        size_t capacity;
    } checks;
    shipway_pairs attributes;
} shipway_report;

/* Adds a check with how it ended and what was seen. */
shipway_check *shipway_report_add(shipway_report *report, shipway_str name, shipway_outcome outcome,
    const char *format, ...) SHIPWAY_PRINTF(4, 5);

/* Yours, in a self-test: tests the candidate, whose addresses
 * `shipway_candidate_endpoints` tells. `report` comes empty. A failure means
 * that it could not be tested. */
shipway_failure *plugin_self_test(const shipway_deployment *deployment, shipway_report *report);

/* ---- Settings and variables -------------------------------------------- */

/* The value of a setting. False when it has none, or a blank one. A secret
 * comes as a placeholder. */
bool shipway_settings_get(const char *name, shipway_str *value);

/* The value of a setting, or else this one. */
shipway_str shipway_settings_or(const char *name, const char *otherwise);

/* The value of a setting that the plugin cannot do without. `invalid` when it
 * is not set. */
SHIPWAY_MUST_USE shipway_failure *shipway_settings_require(const char *name, shipway_str *value);

/* The value of a setting as a whole number, or else `otherwise`. `invalid`
 * when it is something else. */
SHIPWAY_MUST_USE shipway_failure *shipway_settings_integer(
    const char *name, int64_t otherwise, int64_t *value);

/* The value of a variable of the environment; `found` is false when it is not
 * set. `denied` when it is not granted by name, or is secret. */
SHIPWAY_MUST_USE shipway_failure *shipway_variables_get(
    const char *name, bool *found, shipway_str *value);

/* ---- The log ------------------------------------------------------------ */

/* Lines for the deployment's log, under the plugin's name. Control characters
 * are removed; what passes the limit is dropped, and that is said once. */
void shipway_log_debug(const char *format, ...) SHIPWAY_PRINTF(1, 2);
void shipway_log_info(const char *format, ...) SHIPWAY_PRINTF(1, 2);
void shipway_log_warn(const char *format, ...) SHIPWAY_PRINTF(1, 2);
void shipway_log_error(const char *format, ...) SHIPWAY_PRINTF(1, 2);

/* ---- The files of the commit -------------------------------------------- */

/* The bytes of one file, as far as it is granted. Paths are relative, with
 * `/`; `.git`, `.env` files and links that leave the tree are never readable.
 * `not-found`, `denied`, or `too-large` (over 1 MiB). */
SHIPWAY_MUST_USE shipway_failure *shipway_source_read(shipway_str path, shipway_str *content);

/* The text of one file, byte for byte. `invalid` when it is not UTF-8. */
SHIPWAY_MUST_USE shipway_failure *shipway_source_read_text(shipway_str path, shipway_str *text);

/* The paths of the files that match a glob, sorted; over 1,000 is `limit`. `*`
 * and `?` stay within one name, `**` goes through folders. */
SHIPWAY_MUST_USE shipway_failure *shipway_source_find(const char *glob, shipway_strs *paths);

/* ---- Commands in the image and in the candidate -------------------------- */

/* What a command that the host ran for the plugin left. */
typedef struct shipway_output {
    int32_t exit_code;
    /* At most 1 MiB of each stream. */
    shipway_str standard_output;
    shipway_str standard_error;
    /* Whether a stream was longer. */
    bool truncated;
    shipway_pairs attributes;
} shipway_output;

/* Runs `argv` in the image's working directory, without network, with these
 * variables (or NULL) and no others but the image's own, for at most 60 s.
 * `unavailable` when there is no image yet, as in a plan made before the first
 * build. A command that ends with a code other than 0 is no failure. */
SHIPWAY_MUST_USE shipway_failure *shipway_image_run(
    const shipway_strs *argv, const shipway_pairs *variables, shipway_output *output);

/* One address of the candidate. */
typedef struct shipway_endpoint {
    /* The process type: `web`, … */
    shipway_str process;
    /* `http://ADDRESS:PORT`, private to the engine's machine. */
    shipway_str url;
    /* The domain to send as `Host`, or empty. */
    shipway_str host;
    shipway_pairs attributes;
} shipway_endpoint;

typedef struct shipway_endpoints {
    shipway_endpoint *items;
    size_t count;
} shipway_endpoints;

/* Every port of every new instance, grouped by process type, before they are
 * routed. Empty outside of self-tests. */
shipway_endpoints shipway_candidate_endpoints(void);

/* Runs `argv` inside one instance of the candidate, of this process type, with
 * the app's own environment, for at most 60 s. `denied` unless granted;
 * `not-found` when the candidate has no such process type. */
SHIPWAY_MUST_USE shipway_failure *shipway_candidate_exec(
    const char *process, const shipway_strs *argv, shipway_output *output);

/* ---- HTTP ---------------------------------------------------------------- */

/* One request, to a granted host or, in a self-test, to the candidate. */
typedef struct shipway_http_request {
    const char *method;
    shipway_str url;
    shipway_pairs headers;
    /* At most 1 MiB. */
    shipway_str body;
    /* 0 for 10,000; at most 60,000. */
    uint32_t timeout_ms;
    shipway_pairs attributes;
} shipway_http_request;

/* One answer. */
typedef struct shipway_http_response {
    uint16_t status;
    shipway_pairs headers;
    /* At most 1 MiB. */
    shipway_str body;
    shipway_pairs attributes;
} shipway_http_response;

/* A request without headers and body. */
shipway_http_request shipway_http_request_to(const char *method, shipway_str url);

/* Adds a header, whose value is written as printf would. */
void shipway_http_header(shipway_http_request *request, const char *name, const char *format, ...)
    SHIPWAY_PRINTF(3, 4);

/* Sends a request and reads the whole answer. Any status is an answer, and
 * redirects are returned, never followed. `denied` (not granted), `timeout`,
 * `unavailable` (no connection), `too-large` (a body over 1 MiB), `limit`,
 * `invalid`. */
SHIPWAY_MUST_USE shipway_failure *shipway_http_send(
    const shipway_http_request *request, shipway_http_response *response);

/* The first value of a header, whose name is compared without case. False when
 * there is none. */
bool shipway_http_response_header(
    const shipway_http_response *response, const char *name, shipway_str *value);

#ifdef __cplusplus
}
#endif

#endif
