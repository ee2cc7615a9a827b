/*
 * An in-memory host, so that a plugin runs in a native test program:
 *
 *     shipway_testing_begin();
 *     shipway_testing_file("Makefile", "release:\n\tmake\n");
 *     shipway_collected collected = {0};
 *     SHIPWAY_EXPECT(plugin_collect(shipway_testing_deployment(), &collected) == NULL);
 *     SHIPWAY_EXPECT(collected.commands.count == 1);
 *     return shipway_testing_end();
 *
 * Compile the plugin with the sources of `src/` and `testing/` of the SDK;
 * `native.mk` has the flags. The host grants the files that the plugin's
 * manifest asks for, and of the rest what the test sets up. What the plugin
 * took from memory lives until the next `shipway_testing_begin`.
 */
#ifndef SHIPWAY_TESTING_H
#define SHIPWAY_TESTING_H

#include "shipway.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A new host: no files, no settings, no image, no instances, and nobody
 * answers. */
void shipway_testing_begin(void);

/* Frees all memory, says on standard error how many expectations were not met,
 * and returns what `main` should return. */
int shipway_testing_end(void);

/* Says on standard error what was expected where, when it is not so. */
#define SHIPWAY_EXPECT(condition)                                                                  \
    shipway_testing_expect((condition), #condition, __FILE__, __LINE__)
void shipway_testing_expect(bool met, const char *what, const char *file, int line);

/* Expects a text, and shows what there is instead. */
#define SHIPWAY_EXPECT_TEXT(text, expected)                                                        \
    shipway_testing_expect_text((text), (expected), __FILE__, __LINE__)
void shipway_testing_expect_text(
    shipway_str text, const char *expected, const char *file, int line);

/* What the plugin meets. */
void shipway_testing_file(const char *path, const char *content);
void shipway_testing_bytes(const char *path, shipway_str content);
void shipway_testing_setting(const char *name, const char *value);
void shipway_testing_variable(const char *name, const char *value);
void shipway_testing_endpoint(const char *process, const char *url, const char *host);

/* What a request of this method and URL is answered. */
void shipway_testing_answer(const char *method, const char *url, uint16_t status, const char *body);

/* What a command in the image is answered, or in the candidate's instances of
 * `process`. From the first answer without a process on there is an image. */
void shipway_testing_command(
    const char *process, shipway_strs argv, int32_t exit_code, const char *standard_output);

/* A call to call a plugin with. */
const shipway_deployment *shipway_testing_deployment(void);
shipway_event shipway_testing_event(const char *kind, const char *summary);

/* What the plugin did, in order, since the host began. */
size_t shipway_testing_requests(void);
const shipway_http_request *shipway_testing_request(size_t index);
bool shipway_testing_logged(const char *part);

#ifdef __cplusplus
}
#endif

#endif
