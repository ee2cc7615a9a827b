/* The host's functions, in memory. What belongs to the host lies in an arena
 * of its own, apart from what the plugin takes. */
#include "host.h"

#include "arena.h"
#include "glob.h"
#include "shipway_testing.h"

#include <stdio.h>
#include <stdlib.h>

struct answer {
    const char *method;
    const char *url;
    uint16_t status;
    const char *body;
};

struct command {
    const char *process; /* NULL for the image. */
    shipway_strs argv;
    int32_t exit_code;
    const char *standard_output;
};

#define LIST(type)                                                                                 \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count;                                                                              \
        size_t capacity;                                                                           \
    }

struct host {
    shipway_pairs files;
    shipway_pairs settings;
    shipway_pairs variables;
    shipway_strs granted_files;
    shipway_strs log;
    LIST(shipway_endpoint) endpoints;
    LIST(struct answer) answers;
    LIST(struct command) commands;
    LIST(shipway_http_request) requests;
    shipway_deployment deployment;
};

static struct host host;
static struct shipway_arena host_memory;
static struct shipway_arena plugin_memory;
static unsigned failed;

/* Between these two, what is taken belongs to the host. */
static void enter_host(void)
{
    shipway_arena_use(&host_memory);
}

static void leave_host(void)
{
    shipway_arena_use(&plugin_memory);
}

/* Adds an item to a list of the host. */
#define ADD(list, ...)                                                                             \
    do {                                                                                           \
        enter_host();                                                                              \
        (list)->items = shipway_arena_grow(                                                        \
            (list)->items, (list)->count, &(list)->capacity, sizeof *(list)->items);               \
        (list)->items[(list)->count++] = __VA_ARGS__;                                              \
        leave_host();                                                                              \
    } while (0)

static shipway_str copy(shipway_str text)
{
    return (shipway_str){shipway_cstr(text), text.length};
}

static shipway_strs copy_list(const shipway_strs *list)
{
    shipway_strs copied = {0};
    for (size_t i = 0; i < list->count; i++)
        shipway_strs_add(&copied, copy(list->items[i]));
    return copied;
}

static shipway_pairs copy_pairs(const shipway_pairs *pairs)
{
    shipway_pairs copied = {0};
    for (size_t i = 0; i < pairs->count; i++)
        shipway_pairs_add(&copied, shipway_cstr(pairs->items[i].name), copy(pairs->items[i].value));
    return copied;
}

static void grant_files(void)
{
    shipway_manifest manifest = {0};
    plugin_describe(&manifest);
    for (size_t i = 0; i < manifest.requests.count; i++) {
        const shipway_request *request = manifest.requests.items[i];
        if (strcmp(request->capability, "files") != 0)
            continue;
        for (size_t j = 0; j < request->targets.count; j++)
            ADD(&host.granted_files, copy(request->targets.items[j]));
    }
}

void shipway_testing_begin(void)
{
    shipway_arena_clear(&host_memory);
    shipway_arena_clear(&plugin_memory);
    host = (struct host){
        .deployment =
            {
                .id = shipway_str_of("0198c0de-0000-7000-8000-000000000001"),
                .app = shipway_str_of("shop"),
                .environment = shipway_str_of("live"),
                .commit = shipway_str_of("4f2a0c1e9b7d5a3f8e6c4b2a0d9f7e5c3b1a0f2e"),
                .reference = shipway_str_of("main"),
            },
    };
    leave_host();
    grant_files();
}

int shipway_testing_end(void)
{
    shipway_arena_clear(&host_memory);
    shipway_arena_clear(&plugin_memory);
    shipway_arena_use(NULL);
    if (failed > 0)
        fprintf(stderr, "%u expectations were not met\n", failed);
    return failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

void shipway_testing_expect(bool met, const char *what, const char *file, int line)
{
    if (met)
        return;
    failed++;
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
}

void shipway_testing_expect_text(shipway_str text, const char *expected, const char *file, int line)
{
    if (shipway_str_is(text, expected))
        return;
    failed++;
    fprintf(stderr, "%s:%d: expected `%s`, not `%.*s`\n", file, line, expected, SHIPWAY_ARG(text));
}

static void set(shipway_pairs *pairs, const char *name, shipway_str value)
{
    enter_host();
    shipway_pairs_add(pairs, shipway_cstr(shipway_str_of(name)), copy(value));
    leave_host();
}

void shipway_testing_bytes(const char *path, shipway_str content)
{
    set(&host.files, path, content);
}

void shipway_testing_file(const char *path, const char *content)
{
    set(&host.files, path, shipway_str_of(content));
}

void shipway_testing_setting(const char *name, const char *value)
{
    set(&host.settings, name, shipway_str_of(value));
}

void shipway_testing_variable(const char *name, const char *value)
{
    set(&host.variables, name, shipway_str_of(value));
}

void shipway_testing_endpoint(const char *process, const char *url, const char *domain)
{
    ADD(&host.endpoints, (shipway_endpoint){
                             .process = shipway_str_of(process),
                             .url = shipway_str_of(url),
                             .host = shipway_str_of(domain),
                         });
}

void shipway_testing_answer(const char *method, const char *url, uint16_t status, const char *body)
{
    ADD(&host.answers, (struct answer){method, url, status, body});
}

void shipway_testing_command(
    const char *process, shipway_strs argv, int32_t exit_code, const char *standard_output)
{
    ADD(&host.commands, (struct command){process, copy_list(&argv), exit_code, standard_output});
}

const shipway_deployment *shipway_testing_deployment(void)
{
    return &host.deployment;
}

shipway_event shipway_testing_event(const char *kind, const char *summary)
{
    return (shipway_event){
        .id = shipway_str_of("0198c0de-0000-7000-8000-000000000001/7"),
        .sequence = 7,
        .time = shipway_str_of("2026-11-22T10:00:00Z"),
        .kind = shipway_str_of(kind),
        .deployment = host.deployment,
        .summary = shipway_str_of(summary),
        .data = shipway_str_of("{}"),
    };
}

size_t shipway_testing_requests(void)
{
    return host.requests.count;
}

const shipway_http_request *shipway_testing_request(size_t index)
{
    return &host.requests.items[index];
}

bool shipway_testing_logged(const char *part)
{
    for (size_t i = 0; i < host.log.count; i++)
        if (shipway_str_contains(host.log.items[i], shipway_str_of(part)))
            return true;
    return false;
}

/* ---- What the plugin calls ------------------------------------------- */

void shipway_host_log(shipway_level level, shipway_str message)
{
    (void)level;
    ADD(&host.log, copy(message));
}

/* Copies, so that a plugin that reads past the end is seen. */
static shipway_str hand_over(shipway_str text)
{
    char *memory = shipway_alloc(text.length);
    if (text.length > 0)
        memcpy(memory, text.data, text.length);
    return (shipway_str){memory, text.length};
}

bool shipway_host_setting(const char *name, shipway_str *value)
{
    if (!shipway_pairs_get(&host.settings, name, value))
        return false;
    *value = hand_over(*value);
    return true;
}

shipway_failure *shipway_variables_get(const char *name, bool *found, shipway_str *value)
{
    *value = (shipway_str){"", 0};
    *found = shipway_pairs_get(&host.variables, name, value);
    *value = hand_over(*value);
    return NULL;
}

static bool is_granted(const char *path)
{
    for (size_t i = 0; i < host.granted_files.count; i++)
        if (shipway_glob_matches(shipway_cstr(host.granted_files.items[i]), path))
            return true;
    return false;
}

shipway_failure *shipway_source_read(shipway_str path, shipway_str *content)
{
    if (!is_granted(shipway_cstr(path)))
        return shipway_fail(SHIPWAY_DENIED, "%.*s is not granted", SHIPWAY_ARG(path));
    if (!shipway_pairs_get(&host.files, shipway_cstr(path), content))
        return shipway_fail(SHIPWAY_NOT_FOUND, "there is no %.*s", SHIPWAY_ARG(path));
    *content = hand_over(*content);
    return NULL;
}

static int by_bytes(const void *left, const void *right)
{
    const shipway_str *one = left, *other = right;
    size_t length = one->length < other->length ? one->length : other->length;
    int order = memcmp(one->data, other->data, length);
    return order ? order : (one->length > other->length) - (one->length < other->length);
}

shipway_failure *shipway_source_find(const char *glob, shipway_strs *paths)
{
    *paths = (shipway_strs){0};
    for (size_t i = 0; i < host.files.count; i++) {
        const char *path = shipway_cstr(host.files.items[i].name);
        if (is_granted(path) && shipway_glob_matches(glob, path))
            shipway_strs_add(paths, shipway_str_of(path));
    }
    if (paths->count > 1)
        qsort(paths->items, paths->count, sizeof *paths->items, by_bytes);
    return NULL;
}

static bool same_list(const shipway_strs *left, const shipway_strs *right)
{
    bool same = left->count == right->count;
    for (size_t i = 0; same && i < left->count; i++)
        same = shipway_str_equal(left->items[i], right->items[i]);
    return same;
}

static bool same_process(const char *left, const char *right)
{
    return left && right ? strcmp(left, right) == 0 : left == right;
}

/* Answers by the exact argv. Without any answer there is no such place. */
static shipway_failure *run(const char *process, const shipway_strs *argv, const char *code,
    const char *missing, shipway_output *output)
{
    bool there = false;
    for (size_t i = 0; i < host.commands.count; i++) {
        const struct command *command = &host.commands.items[i];
        if (!same_process(command->process, process))
            continue;
        there = true;
        if (!same_list(&command->argv, argv))
            continue;
        *output = (shipway_output){
            .exit_code = command->exit_code,
            .standard_output = hand_over(shipway_str_of(command->standard_output)),
        };
        return NULL;
    }
    if (there)
        return shipway_fail(SHIPWAY_NOT_FOUND, "the test has no answer to this command");
    return shipway_fail(code, "%s", missing);
}

shipway_failure *shipway_image_run(
    const shipway_strs *argv, const shipway_pairs *variables, shipway_output *output)
{
    (void)variables;
    return run(NULL, argv, SHIPWAY_UNAVAILABLE, "there is no image yet", output);
}

shipway_failure *shipway_candidate_exec(
    const char *process, const shipway_strs *argv, shipway_output *output)
{
    return run(process, argv, SHIPWAY_NOT_FOUND, "the candidate has no such process", output);
}

shipway_endpoints shipway_candidate_endpoints(void)
{
    return (shipway_endpoints){host.endpoints.items, host.endpoints.count};
}

static shipway_http_request copy_request(const shipway_http_request *request)
{
    return (shipway_http_request){
        .method = shipway_cstr(shipway_str_of(request->method)),
        .url = copy(request->url),
        .headers = copy_pairs(&request->headers),
        .body = copy(request->body),
        .timeout_ms = request->timeout_ms,
    };
}

shipway_failure *shipway_http_send(
    const shipway_http_request *request, shipway_http_response *response)
{
    ADD(&host.requests, copy_request(request));
    for (size_t i = 0; i < host.answers.count; i++) {
        const struct answer *answer = &host.answers.items[i];
        if (strcmp(answer->method, request->method) != 0 ||
            !shipway_str_is(request->url, answer->url))
            continue;
        *response = (shipway_http_response){
            .status = answer->status,
            .body = hand_over(shipway_str_of(answer->body)),
        };
        return NULL;
    }
    shipway_failure *failure =
        shipway_fail(SHIPWAY_UNAVAILABLE, "%.*s does not answer", SHIPWAY_ARG(request->url));
    failure->retryable = true;
    return failure;
}
